"""Fixtures of the runner's tests."""

import time
from functools import partial

import pytest
from schoolbell.runner.engine.stopwatch import Stopwatch


class Clock:
    """A clock that stands still until somebody moves its `now`."""

    def __init__(self) -> None:
        # A run may have begun before, by the clock of the system.
        self.now = time.monotonic()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the runs of one test."""
    clock = Clock()
    monkeypatch.setattr("schoolbell.runner.pipeline.Stopwatch", partial(Stopwatch, clock=clock))
    return clock
