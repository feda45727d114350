"""Pulses."""

import math

import pytest
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Pulse, Stage


@pytest.mark.parametrize("part", [-0.1, 1.1, math.nan, math.inf])
def test_a_part_that_is_none_is_refused(part):
    with pytest.raises(ValueError, match="from 0 to 1"):
        Pulse(part)


@pytest.mark.parametrize(
    ("part", "taken"), [(1.0 + 4e-16, 1.0), (0.1 + 0.9 + 3e-16, 1.0), (-1e-17, 0.0)]
)
def test_a_part_that_is_off_by_a_rounding_is_taken(part, taken):
    assert Pulse(part).part == taken


def test_a_pulse_says_what_the_display_says_until_the_unit_is_finished():
    messages = []

    class Slow(Stage):
        name, unit = "slow", "step"

        def run(self, state, budget):
            messages.append(pipeline.tracker.message)
            yield Pulse(0.5, "Half of the first step")
            messages.append(pipeline.tracker.message)
            yield Batch(1, 2)
            messages.append(pipeline.tracker.message)

    pipeline = Pipeline([Slow()])
    pipeline.fit(verbose=False)
    assert messages == ["Slow: 0", "Half of the first step", "Slow: 1/2"]
