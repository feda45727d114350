"""What is said of a value that a callback watches and that never comes."""

import warnings

import pytest
from schoolbell.callbacks import (
    AdjustOnPlateau,
    EarlyStopping,
    SolutionCheckpoint,
    TerminateOnNaN,
)
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Steps(Stage):
    def __init__(self, name="ga", reports=None, metrics=("height", "speed"), rate=1.0):
        self.name, self.reports, self.metrics, self.rate = name, reports, metrics, rate

    def run(self, state, budget):
        for step in range(4):
            yield Batch(step + 1, 4, self.reports)


class Finder(Steps):
    def run(self, state, budget):
        state.offer("found", 5, 0)
        yield from super().run(state, budget)


def told(callback, *stages):
    """Return the warnings of a run."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Pipeline(stages).fit(callbacks=callback, verbose=False)
    return [str(one.message) for one in caught]


@pytest.mark.parametrize(
    "watcher",
    [
        lambda monitor: EarlyStopping(monitor, mode="max"),
        lambda monitor: EarlyStopping(monitor, mode="max", scope="pipeline"),
        lambda monitor: EarlyStopping(monitor, mode="max", stages="ga", start_from_batch=100),
        lambda monitor: AdjustOnPlateau("rate", monitor=monitor, mode="max"),
        lambda monitor: TerminateOnNaN(monitor),
        lambda monitor: SolutionCheckpoint("x.sol", monitor, save_best_only=True, mode="max"),
    ],
)
@pytest.mark.parametrize("reports", [None, {"speed": 1.0}, {"height": "tall"}])
def test_a_value_that_never_comes_is_told_once_with_those_that_do(watcher, reports):
    callback = watcher("height")
    (warning,) = told(callback, Steps(reports=reports))
    assert warning.startswith(f"{type(callback).__name__} watched 'height' in vain: stage 'ga'")
    assert "it reports cost, violations, progress, done, total, elapsed, speed" in warning


def test_where_a_stage_declares_nothing_it_is_told_what_may_have_been_meant():
    (warning,) = told(
        EarlyStopping("heigth", mode="max"), Steps(metrics=None, reports={"height": 1})
    )
    assert warning.endswith("elapsed, height; did you mean 'height'?")


def test_a_name_that_no_stage_declares_is_refused_with_what_may_have_been_meant():
    with pytest.raises(Exception, match=r"no stage reports 'hieght'.*did you mean 'height'\?"):
        told(EarlyStopping("hieght", mode="max"), Steps())


@pytest.mark.parametrize("value", [1, 0.0, float("nan"), True])
def test_a_value_that_comes_is_no_reason_to_warn(value):
    callback = EarlyStopping("height", mode="max", patience=9)
    assert told(callback, Steps(reports={"height": value})) == []


def test_a_cost_that_comes_with_a_later_stage_has_come():
    assert told(EarlyStopping("cost"), Steps("load"), Finder("ga")) == []
    assert told(EarlyStopping("cost"), Finder("ga"), Steps("finalize")) == []
    (warning,) = told(EarlyStopping("cost"), Steps("load"), Steps("ga"))
    assert "stage 'ga'" in warning


def test_a_cost_is_missed_in_a_stage_that_was_named():
    (warning,) = told(EarlyStopping("cost", stages="load"), Steps("load"), Finder("ga"))
    assert "stage 'load'" in warning


def test_a_value_is_missed_in_one_stage_only_once():
    (warning,) = told(EarlyStopping("height", mode="max"), Steps("a"), Steps("b"))
    assert "stage 'a'" in warning
