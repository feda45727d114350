"""Ending a run at a target, and at a number that is none."""

import pytest
from schoolbell.callbacks import CallbackError, TerminateOnNaN, TerminateOnTarget
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Finder(Stage):
    """Offers the solutions given, a pair of cost and violations in each batch."""

    name = "finder"
    metrics = ("speed", "note")

    def __init__(self, *best, speeds=()):
        self.best, self.speeds = best, speeds

    def run(self, state, budget):
        for i, (cost, violations) in enumerate(self.best):
            state.offer(i, cost, violations)
            yield Batch(i + 1, len(self.best))
        for i, speed in enumerate(self.speeds):
            yield Batch(i + 1, len(self.speeds), {"speed": speed, "note": "nan"})


def fit(callback, *best, **options):
    return Pipeline([Finder(*best, **options)]).fit(callbacks=callback, verbose=False)


def test_the_run_ends_at_the_first_solution_that_is_good_enough():
    run = fit(TerminateOnTarget(cost=10), (5, 1), (20, 0), (10, 0), (3, 0))
    assert (run.cost, run.violations) == (10, 0)
    assert run.outcome == "stopped by TerminateOnTarget"


def test_a_target_that_is_missed_ends_nothing():
    assert fit(TerminateOnTarget(cost=2), (5, 1), (3, 0)).status == "finished"


def test_violations_may_be_allowed():
    assert fit(TerminateOnTarget(cost=10, violations=1), (5, 1), (3, 0)).violations == 1


def test_a_target_must_be_a_number():
    with pytest.raises(ValueError, match="cost must be a number"):
        TerminateOnTarget(cost=float("nan"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_the_run_ends_at_a_value_that_is_no_number_and_says_which(value):
    with pytest.warns(RuntimeWarning, match=r"speed is -?(nan|inf) in batch 1 of stage 'finder'"):
        run = fit(TerminateOnNaN(), speeds=(1.0, value, 2.0))
    assert run.outcome == "stopped by TerminateOnNaN"
    assert run.stages[0].done == 2


def test_numbers_and_texts_end_nothing():
    assert fit(TerminateOnNaN(), (1, 0), speeds=(1.0, 10**400, None)).status == "finished"


def test_one_value_can_be_watched_alone():
    assert fit(TerminateOnNaN("cost"), speeds=(float("nan"),)).status == "finished"
    with pytest.raises(CallbackError, match="no stage reports 'beauty'"):
        fit(TerminateOnNaN("beauty"), speeds=(1.0,))
