"""`EarlyStopping` with a patience in seconds."""

import copy
import threading

import pytest
from schoolbell.callbacks import ArgumentError, EarlyStopping
from schoolbell.callbacks.monitor import Monitor
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Silent(Stage):
    """Finds something at once, and then gives no sign until it is asked to end."""

    name = "silent"

    def run(self, state, budget):
        over = threading.Event()
        budget.on_end(over.set)
        state.offer("found", 5)
        yield Batch(1)
        self.was_asked = over.wait(30)
        yield Batch(2)


class Brief(Stage):
    name = "brief"

    def run(self, state, budget):
        yield Batch(1, 1)


@pytest.mark.parametrize(("scope", "ended_by"), [("stage", "skipped"), ("pipeline", "stopped")])
def test_a_stage_that_is_silent_is_asked_to_end(scope, ended_by):
    silent, stopping = Silent(), EarlyStopping(seconds=0.2, scope=scope)
    run = Pipeline([silent, Brief()]).fit(callbacks=stopping, verbose=False)
    assert silent.was_asked
    assert (run.stages[0].ended_by, run.stages[0].stopped_by) == (ended_by, "EarlyStopping")
    assert "ended by EarlyStopping" in run.summary() or run.stopped_by == "EarlyStopping"
    assert len(run.stages) == (2 if scope == "stage" else 1)
    assert stopping.stopped_stage == "silent"


def watching(stopping, **params):
    """Let a callback watch, without a thread of its own, a run whose hooks are called by hand."""
    stages = [{"name": "s", "metrics": ()}]
    stopping.set_params({"stages": stages, "replayed": True, **params})
    asked = []

    class Control:
        def skip_stage(self, by=None):
            asked.append(by)

    stopping.set_pipeline(Control())
    stopping.on_pipeline_begin()
    stopping.on_stage_begin("s", {"elapsed": 1.0})
    return asked


def batches(stopping, *rows, first=0):
    for batch, (elapsed, cost) in enumerate(rows, first):
        stopping.on_batch_end(batch, {"stage": "s", "elapsed": elapsed, "cost": cost})


def test_the_seconds_count_from_the_last_improvement_and_batches_do_not():
    stopping = EarlyStopping(seconds=2)
    asked = watching(stopping)
    batches(stopping, (1.1, 9), (2.9, 9), (3.0, 8), (4.9, 8), (4.99, 8))
    assert not asked
    batches(stopping, (5.0, 8), first=5)
    assert len(asked) == 1
    assert stopping.stopped_batch == 5


def test_batches_count_too_where_a_patience_is_given():
    stopping = EarlyStopping(seconds=100, patience=2)
    asked = watching(stopping)
    batches(stopping, (1.1, 9), (1.2, 9), (1.3, 9))
    assert len(asked) == 1


def test_a_best_between_two_batches_renews_the_patience():
    stopping = EarlyStopping(seconds=2)
    asked = watching(stopping)
    batches(stopping, (1.1, 9))
    stopping.on_solution(None, {"batch": 0, "elapsed": 3.0, "cost": 8})
    batches(stopping, (4.9, 8), first=1)
    assert not asked


def test_a_resumed_run_goes_on_counting_where_it_was():
    before = EarlyStopping(seconds=2)
    watching(before)
    batches(before, (1.1, 9), (2.5, 8), (4.0, 8))
    state = copy.deepcopy(before.state_dict())
    after = EarlyStopping(seconds=2)
    asked = watching(after)
    after.on_pipeline_begin()
    after.load_state_dict(state)
    after.on_stage_begin("s", {"elapsed": 4.0})
    batches(after, (4.4, 8), first=3)
    assert not asked
    batches(after, (4.5, 8), first=4)
    assert len(asked) == 1


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "2", True])
def test_seconds_that_make_no_sense_are_refused(seconds):
    with pytest.raises(ArgumentError, match="seconds must be a positive number or None"):
        EarlyStopping(seconds=seconds)


@pytest.mark.parametrize(
    "name",
    ["acc", "val_acc", "val/accuracy", "top_k_categorical_accuracy", "auc_1", "roc_auc", "f1_score",
     "score", "mean_score", "hypervolume", "neg_mean_squared_error", "reward", "val_recall_2"],
)  # fmt: skip
def test_what_is_to_rise_is_known_by_its_name(name):
    assert Monitor.of(name, "auto").rising
    assert Monitor.of(name, "auto").towards("max").rising


@pytest.mark.parametrize(
    "name", ["loss", "val_loss", "mae", "mean_squared_error", "false_positives", "brier_score"]
)
def test_what_is_to_fall_is_known_by_its_name(name):
    assert not Monitor.of(name, "auto").rising
    assert not Monitor.of(name, "auto").towards("max").rising


@pytest.mark.parametrize(
    ("name", "rises"), [("cost", True), ("best_cost", True), ("objective", True), ("bound", False)]
)
def test_costs_follow_the_goal_and_bounds_come_from_the_other_side(name, rises):
    monitor = Monitor.of(name, "auto")
    assert monitor.towards("max").rising is rises
    assert monitor.towards("min").rising is not rises
    assert Monitor.of(name, "min").towards("max").rising is False
