"""The curve that a stage of an earlier run took."""

import pytest
from schoolbell.runner.progress.stage_timing import POINTS, StageTiming


def test_the_curve_tells_when_each_part_of_the_units_was_done():
    # Five units of 2 s, five of 10 s, then 5 s of tidying up.
    finished = [(done, 2 * done if done <= 5 else 10 + 10 * (done - 5)) for done in range(1, 11)]
    timing = StageTiming.of(finished, 65, None)
    assert (timing.units, timing.seconds) == (10, 65)
    assert timing.at(0.2) == pytest.approx(4)
    assert timing.at(0.5) == pytest.approx(10)
    assert timing.at(0.75) == pytest.approx(35)
    assert timing.at(1) == timing.at(2) == 65


@pytest.mark.parametrize("finished", [[], [(0, 1.0)], [(3, 2.0), (3, 2.5)]])
def test_a_stage_of_few_or_no_units_has_a_rising_curve(finished):
    timing = StageTiming.of(finished, 3.0, None)
    assert len(timing.curve) == POINTS
    assert list(timing.curve) == sorted(timing.curve)
    assert timing.seconds == 3


def test_a_stage_spends_its_budget_when_it_took_nearly_all_of_it():
    assert StageTiming.of([], 9.5, 10).spends_budget
    assert not StageTiming.of([], 2.0, 10).spends_budget
    assert not StageTiming.of([], 2.0, None).spends_budget
