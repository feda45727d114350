"""Waiting for work on an executor while the stage goes on yielding."""

from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

PULSE = 0.1


def wait_all(futures: Sequence[Future[Any]]) -> Generator[None, None, list[Any]]:
    """Yield None every tenth of a second until all are done; return their results in order."""
    pending = set(futures)
    while True:
        _, pending = wait(pending, PULSE, FIRST_COMPLETED)
        if not pending:
            return [future.result() for future in futures]
        yield None
