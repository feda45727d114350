"""What `Pipeline.fit` and ``schoolbell fit`` take: one check of the arguments for both."""

import math
import operator
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from ..callbacks import ArgumentError, Callback, ProgbarLogger
from ..callbacks.argument_error import described
from ..callbacks.names import did_you_mean
from ..callbacks.progress.progbar_logger import STYLES, Style
from ..callbacks.remote.job_keys import JOB_ID_WANTED, is_job_id
from .results.run import Run

Verbose = Style | bool

SECONDS_WANTED = "a positive number of seconds"
SEED_WANTED = "an integer from 0"
WORKERS_WANTED = "an integer from 1"

_CALLBACKS_WANTED = "an instance of schoolbell.callbacks.Callback"


def checked_seed(value: Any, name: str = "seed") -> int:
    """Return a seed as an int.

    Raises
    ------
    ArgumentError
        If it is no integer from 0. So do the other functions here.
    """
    return _integer(value, 0, SEED_WANTED, name)


def checked_workers(value: Any, name: str = "workers") -> int | None:
    """Return a number of workers as an int, or None."""
    return None if value is None else _integer(value, 1, WORKERS_WANTED, name)


def checked_time_limit(value: Any, name: str = "time_limit") -> float | None:
    """Return seconds as a float; None, for no limit, also where they are infinite."""
    if value is None:
        return None
    seconds = _number(value)
    if seconds is None or not seconds > 0:
        raise ArgumentError.of(name, f"{SECONDS_WANTED}, or None for no limit", value)
    return None if seconds == math.inf else seconds


def checked_job_id(value: Any, name: str = "job_id") -> str | None:
    """Return a run's id, or None."""
    if value is not None and not is_job_id(value):
        raise ArgumentError.of(name, JOB_ID_WANTED, value)
    return value


def checked_callbacks(value: Any, problem: Any = None) -> list[Callback]:
    """Return callbacks, one or several, as a list."""
    if value is None:
        return []
    if isinstance(value, Callback):
        return [value]
    several = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping | type)
    if not several:
        advice = ""
        if isinstance(value, type) and issubclass(value, Callback):
            advice = f"write {value.__name__}(...)"
        elif _holds_callbacks(problem):
            advice = "the problem comes first, then the callbacks: fit(problem, callbacks=...)"
        raise ArgumentError.of("callbacks", f"{_CALLBACKS_WANTED} or a list of them", value, advice)
    watchers: list[Any] = list(value)
    for k, one in enumerate(watchers):
        if isinstance(one, type) or not isinstance(one, Callback):
            wrong_class = isinstance(one, type) and issubclass(one, Callback)
            advice = f"write {one.__name__}(...)" if wrong_class else ""
            raise ArgumentError.of(f"callbacks[{k}]", _CALLBACKS_WANTED, one, advice)
    return watchers


def with_display(callbacks: Sequence[Callback], verbose: Any) -> list[Callback]:
    """Return callbacks with the progress display that `verbose` asks for."""
    watchers = list(callbacks)
    # 0 and 1 as in Keras; a NumPy bool is as good as a bool.
    style = "auto" if _is_flag(verbose) and verbose else verbose
    if not _is_flag(verbose) and not (isinstance(verbose, str) and verbose in STYLES):
        styles = ", ".join(f'"{one}"' for one in STYLES)
        raise ArgumentError(
            f"verbose must be True, False or a style, and a style must be one of {styles}, "
            f"got {described(verbose)}{did_you_mean(verbose, STYLES)}"
        )
    if style and not shows_progress(watchers):
        watchers.append(ProgbarLogger(style))
    return watchers


def shows_progress(callbacks: Iterable[Callback]) -> bool:
    """Tell whether a progress display is among callbacks."""
    return any(isinstance(one, ProgbarLogger) for one in callbacks)


def check_callback_errors(value: Any) -> None:
    """See that `callback_errors` says one of two things."""
    if not isinstance(value, str) or value not in ("raise", "warn"):
        raise ArgumentError.of("callback_errors", '"raise" or "warn"', value)


def check_executor(value: Any) -> None:
    """See that an executor takes tasks."""
    is_one = isinstance(value, Executor) or callable(getattr(value, "submit", None))
    if value is not None and (isinstance(value, type) or not is_one):
        advice = f"write {value.__name__}(...)" if isinstance(value, type) else ""
        raise ArgumentError.of("executor", "a concurrent.futures.Executor or None", value, advice)


def workers_of(executor: Any) -> int | None:
    """Return how many tasks an executor runs at once, where it tells; None where it does not.

    Those of the standard library and of loky, MPI's, and Dask's.
    """
    for name in ("num_workers", "_max_workers"):
        number = getattr(executor, name, None)
        if isinstance(number, int) and number > 0:
            return number
    threads = getattr(getattr(executor, "_client", None), "nthreads", None)
    if callable(threads):
        told: Any = threads()
        return sum(told.values()) or None
    return None


def checked_started(value: Any) -> float | None:
    """Return a moment of the past as a float, or None."""
    if value is None:
        return None
    moment = _number(value)
    if moment is None or not -math.inf < moment <= time.monotonic():
        raise ArgumentError.of("started", "an earlier value of time.monotonic()", value)
    return moment


def check_timings(value: Any) -> None:
    """See that timings are a run or the path of a file."""
    if value is not None and not (isinstance(value, str | os.PathLike | Run) and value != ""):
        raise ArgumentError.of("timings", "the path of a file, a Run or None", value)


def _integer(value: Any, least: int, wanted: str, name: str) -> int:
    # A NumPy integer is as good as an int, a bool or a float is not.
    if not _is_flag(value, numbers=False) and hasattr(value, "__index__"):
        try:
            number = operator.index(value)
        except TypeError:
            number = least - 1
        if number >= least:
            return number
    raise ArgumentError.of(name, wanted, value)


def _number(value: Any) -> float | None:
    """Return any kind of number as a float: NumPy's, Decimal, Fraction; None for what is none."""
    if _is_flag(value, numbers=False) or not hasattr(value, "__float__"):
        return None
    if getattr(value, "shape", ()) != ():
        return None
    try:
        number = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        return None
    return None if math.isnan(number) else number


def _is_flag(value: Any, numbers: bool = True) -> bool:
    """Tell whether a value is True or False, Python's or NumPy's, or with `numbers` 0 or 1."""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return True
    return numbers and isinstance(value, int) and value in (0, 1)


def _holds_callbacks(value: Any) -> bool:
    if isinstance(value, Callback):
        return True
    return isinstance(value, list | tuple) and any(isinstance(one, Callback) for one in value)
