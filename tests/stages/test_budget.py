"""What a stage may spend."""

import math

import pytest
from schoolbell.stages import Budget


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_time_is_counted_from_the_beginning_of_the_stage():
    clock = Clock()
    budget = Budget(10, clock=clock)
    clock.now += 4
    assert (budget.elapsed, budget.remaining, budget.should_end) == (4, 6, False)
    clock.now += 6
    assert (budget.remaining, budget.should_end) == (0, True)
    clock.now += 1
    assert budget.remaining == 0


def test_without_a_limit_only_somebody_ends_it():
    asked = []
    budget = Budget(ending=lambda: bool(asked))
    assert (budget.remaining, budget.should_end) == (math.inf, False)
    asked.append("stop")
    assert budget.should_end


@pytest.mark.parametrize("seconds", [-1, math.nan])
def test_impossible_seconds_are_refused(seconds):
    with pytest.raises(ValueError, match="seconds must be 0 or more"):
        Budget(seconds)
