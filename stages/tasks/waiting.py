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

Counts = Callable[[], tuple[int, int]]
"""Tells how much of how many is done; 0 where the work is done out of sight."""

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
    futures: Sequence[Future[Any]],
    expected: float | None = None,
    message: str | None = None,
    counts: Counts | None = None,
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
    counts
        How far one of them is, by which a pulse's part moves and which it says instead
        of the seconds; None where only its time tells.
    """
    pending = set(futures)
    began = since = time.monotonic()
    done, most = 0, 0.0
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
        told = None if message is None else f"{message}, {now - began:.0f} s"
        counted, of_all = (0, 0) if counts is None else counts()
        if 0 < counted < of_all:
            part = (done + counted / of_all) / len(futures)
            told = None if message is None else f"{message}: {counted}/{of_all}"
        if part is not None:
            # Time may have been ahead of what is counted.
            part = most = max(most, part)
        yield None if part is None and told is None else Pulse(part, told)


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
