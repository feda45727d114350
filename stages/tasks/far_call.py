"""The call of a function in a worker's process."""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import os
import platform
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, NamedTuple

from .process_end import end_quickly
from .stop_flag import StopFlag

# How often a task looks whether somebody still waits for it.
LOOK = 0.1
# What it gets to end by itself when nobody does and it has been told so.
GRACE = 0.4
# After so long it is broken off again, if it has taken no notice.
AGAIN = 0.5
# After so long a thread that has taken no notice is left behind.
FAREWELL = 0.2

# A process that was forked has another number, and any other one another word.
_WORD = secrets.token_hex(8)


class Sender(NamedTuple):
    """Who has sent a task.

    Attributes
    ----------
    process
        Where it waits for the result.
    terminal
        Who gets the Ctrl-C that it gets.
    folder
        Exists as long as it waits, on its machine.
    place
        What tells that this is its machine.
    mark
        Tells the task from every other one: an executor that keeps the results of equal
        calls, as Dask's may, shall take none of these for another one.
    """

    process: tuple[str, int]
    terminal: tuple[str, int]
    folder: str
    place: tuple[Any, ...]
    mark: str


def this_process() -> tuple[str, int]:
    """Return what no other process has."""
    return _WORD, os.getpid()


def this_terminal() -> tuple[str, int]:
    """Return what processes have in common to which a terminal sends Ctrl-C."""
    return platform.node(), os.getpgrp() if hasattr(os, "getpgrp") else 0


def place_of(folder: Path) -> tuple[Any, ...] | None:
    """Tell one machine's folder for such folders from another's; None where there is none."""
    try:
        about = folder.parent.stat()
    except OSError:
        return None
    return platform.node(), about.st_dev, about.st_ino


class _BrokenOffError(BaseException):
    """Raised within a function for whose result nobody waits."""


class _Current:
    """What runs in the main thread, which signals break off."""

    over = False
    is_the_senders = False
    former: Any = None


_current = _Current()


def run_there(sender: Sender, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call a function; in another process than the sender's as long as that waits for it."""
    if this_process() == sender.process:
        return function(*arguments)
    end_quickly()
    is_main = threading.current_thread() is threading.main_thread()
    _leave_ctrl_c(sender.terminal == this_terminal(), is_main)
    folder = Path(sender.folder)
    if not sender.place or place_of(folder) != sender.place:
        # On another machine it ends by its own limits.
        return function(*arguments)
    if not folder.exists():
        return None
    if not is_main:
        return _call_beside(folder, function, arguments)
    try:
        with _watching(folder, arguments):
            return function(*arguments)
    except _BrokenOffError:
        # Raised, it would be told by some executors' workers.
        return None


def _call_beside(folder: Path, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call a function in a thread of its own, which is left behind where no exception reaches it.

    The thread of the executor, for which its process waits at its end, is free then.
    """
    outcome: Future[Any] = Future()
    context = contextvars.copy_context()

    def call() -> None:
        try:
            result = context.run(function, *arguments)
        except BaseException as error:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    thread = threading.Thread(target=call, name="schoolbell-task", daemon=True)
    thread.start()
    while folder.exists():
        if _has_ended(outcome, LOOK):
            return outcome.result()
    if not (_set_flags(arguments) and _has_ended(outcome, GRACE)):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_BrokenOffError)
        )
        _has_ended(outcome, FAREWELL)
    return None


def _has_ended(outcome: Future[Any], seconds: float) -> bool:
    return bool(wait([outcome], seconds).done)


def _set_flags(arguments: tuple[Any, ...]) -> bool:
    """Set the flags among arguments; return whether there are any."""
    flags = [argument for argument in arguments if isinstance(argument, StopFlag)]
    for flag in flags:
        flag.set()
    return bool(flags)


@contextlib.contextmanager
def _watching(folder: Path, arguments: tuple[Any, ...]) -> Iterator[None]:
    """Break the function off in this, the main, thread when the folder goes."""
    ended, lock = threading.Event(), threading.Lock()
    thread = threading.get_ident()

    def watch() -> None:
        while folder.exists():
            if ended.wait(LOOK):
                return
        if _set_flags(arguments) and ended.wait(GRACE):
            return
        while not ended.is_set():
            with lock:
                if not ended.is_set():
                    _break_off(thread)
            ended.wait(AGAIN)

    threading.Thread(target=watch, name="schoolbell-watch", daemon=True).start()
    try:
        yield
    finally:
        with lock:
            ended.set()
            # What has not arrived is taken back.
            _current.over = False


def _break_off(thread: int) -> None:
    _current.over = True
    if hasattr(signal, "pthread_kill"):
        # A signal ends a sleep too.
        signal.pthread_kill(thread, signal.SIGINT)


def _leave_ctrl_c(to_the_sender: bool, is_main: bool) -> None:
    """Let Ctrl-C be the sender's affair, if a terminal sends it to both of them."""
    if is_main:
        if signal.getsignal(signal.SIGINT) is not _take_ctrl_c:
            _current.former = signal.signal(signal.SIGINT, _take_ctrl_c)
        _current.is_the_senders = to_the_sender
    elif to_the_sender and os.name == "posix":
        # Python would let only the main thread do so.
        ctypes.CDLL(None).signal(signal.SIGINT.value, ctypes.c_void_p(signal.SIG_IGN.value))


def _take_ctrl_c(signum: int, frame: Any) -> None:
    if _current.over:
        _current.over = False
        raise _BrokenOffError
    if not _current.is_the_senders and callable(_current.former):
        _current.former(signum, frame)
