"""Waiting for work on an executor while the stage goes on yielding."""

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

from ..batch import Batch
from ..pulse import Pulse
from .daemon_pool import DaemonPool

PULSE = 0.1

Beat = Pulse | None
"""What is yielded in the midst of a unit."""

Item = TypeVar("Item", bound=Batch | Pulse | None)
Result = TypeVar("Result")


def part_of_time(gone: float, expected: float) -> float:
    """Return how much of a piece of work is done after a time, which only its time tells.

    Nine tenths when it is due; then ever slower towards all of it, which it does not
    reach.
    """
    ratio = gone / max(expected, 1e-3)
    if ratio <= 1.0:
        return 0.9 * max(0.0, ratio)
    # With the same slope where the two meet.
    return 1.0 - 0.1 / (1.0 + 9.0 * (ratio - 1.0))


def wait_all(
    futures: Sequence[Future[Any]], expected: float | None = None, message: str | None = None
) -> Generator[Beat, None, list[Any]]:
    """Yield every tenth of a second until all are done; return their results in order.

    Parameters
    ----------
    futures
        What to wait for.
    expected
        Seconds that one of them may take, by which a pulse's part moves until it is
        done; None where nobody can tell.
    message
        What the pulses say, followed by the seconds that have gone; None for nothing.
    """
    pending = set(futures)
    began = since = time.monotonic()
    done = 0
    while True:
        _, pending = wait(pending, PULSE, FIRST_COMPLETED)
        if not pending:
            return [future.result() for future in futures]
        now = time.monotonic()
        if len(futures) - len(pending) > done:
            done, since = len(futures) - len(pending), now
        part = None
        if expected is not None:
            part = (done + part_of_time(now - since, expected)) / len(futures)
        yield _beat(part, message, now - began)


def _beat(part: float | None, message: str | None, gone: float) -> Beat:
    if part is None and message is None:
        return None
    return Pulse(part, None if message is None else f"{message}, {gone:.0f} s")


def run_aside(
    function: Callable[..., Any],
    *arguments: Any,
    expected: float | None = None,
    message: str | None = None,
) -> Generator[Beat, None, Any]:
    """Yield every tenth of a second until a function has run in a thread; return its result.

    For what has to stay in this process whatever the run's executor is. The pulses are
    those of `wait_all`.
    """
    pool = DaemonPool(1, "schoolbell-aside")
    try:
        task = pool.submit(function, *arguments)
        (result,) = yield from wait_all([task], expected, message)
    finally:
        pool.shutdown(wait=False)
    return result


def within(
    low: float, high: float, work: Generator[Item, None, Result]
) -> Generator[Item | Pulse, None, Result]:
    """Let the pulses of some work tell from where to where in a unit it leads."""
    try:
        while True:
            try:
                item = next(work)
            except StopIteration as end:
                return end.value
            if isinstance(item, Pulse) and item.part is not None:
                yield Pulse(low + (high - low) * item.part, item.message)
            else:
                yield item
    finally:
        work.close()
