"""Tracebacks without the package's own frames, for those who have written something else."""

import functools
import os
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from ..callbacks import ArgumentError, CallbackError
from ..stages.errors import InputError
from .backups.backup_error import BackupError

SWITCH = "SCHOOLBELL_TRACEBACKS"
"""The environment's variable that shows all frames when it is ``full``."""

# Errors that say all that there is to say.
_TOLD = (InputError, ArgumentError, CallbackError, BackupError, ImportError, OSError)

_OWN = tuple(
    f"{Path(__file__).resolve().parents[1] / name}{os.sep}"
    for name in ("callbacks", "stages", "runner")
)
# What the package calls; what a user calls is shown.
_LIBRARIES = ("numpy", "numba", "ortools", "networkx", "community", "redis", "tqdm", "rich")
_STANDARD = f"{sysconfig.get_path('stdlib')}{os.sep}"
_INSTALLED = tuple({f"{sysconfig.get_path(name)}{os.sep}" for name in ("purelib", "platlib")})

_P = ParamSpec("_P")
_R = TypeVar("_R")


def hiding_own_frames(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let exceptions leave a function without the frames of this package, as in Keras.

    What is left are the caller's frames, and those of stages and callbacks of the
    caller's own with all that they call. Of an exception that says too little by
    itself, the frame that raised it stays.
    """

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            hide_own_frames(error)
            raise

    return call


def hide_own_frames(error: BaseException) -> None:
    """Take this package's frames out of the traceback of an exception and of its causes."""
    if os.environ.get(SWITCH, "").lower() == "full":
        return
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = _without_own(one)
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _without_own(error: BaseException) -> TracebackType | None:
    kept: list[TracebackType] = []
    inside, last_own = False, None
    for frame in _frames(error.__traceback__):
        path = frame.tb_frame.f_code.co_filename
        if path.startswith(_OWN):
            inside, last_own = True, frame
        elif not (inside and _is_library(path)):
            inside = False
            kept.append(frame)
    if inside and last_own is not None and not isinstance(error, _TOLD):
        kept.append(last_own)
    following = None
    for frame in reversed(kept):
        following = TracebackType(following, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return following


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_library(path: str) -> bool:
    for folder in _INSTALLED:
        if path.startswith(folder):
            return Path(path).relative_to(folder).parts[0] in _LIBRARIES
    return path.startswith((_STANDARD, "<frozen"))
