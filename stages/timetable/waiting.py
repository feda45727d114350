"""Waiting for work on an executor while the stage goes on yielding."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from ..daemon_pool import DaemonPool

PULSE = 0.1


def wait_all(futures: Sequence[Future[Any]]) -> Generator[None, None, list[Any]]:
    """Yield None every tenth of a second until all are done; return their results in order."""
    pending = set(futures)
    while True:
        _, pending = wait(pending, PULSE, FIRST_COMPLETED)
        if not pending:
            return [future.result() for future in futures]
        yield None


def run_aside(function: Callable[..., Any], *arguments: Any) -> Generator[None, None, Any]:
    """Yield None every tenth of a second until a function has run in a thread; return its result.

    For what has to stay in this process whatever the run's executor is.
    """
    pool = DaemonPool(1, "schoolbell-aside")
    try:
        (result,) = yield from wait_all([pool.submit(function, *arguments)])
    finally:
        pool.shutdown(wait=False)
    return result
