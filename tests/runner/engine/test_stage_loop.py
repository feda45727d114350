"""What a stage reports is checked in every batch."""

from decimal import Decimal
from math import inf, nan

import numpy as np
import pandas as pd
import pytest
from schoolbell.callbacks import CSVLogger, LambdaCallback, TensorBoard
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

from ...callbacks.recording.test_tensor_board import points


class Reporter(Stage):
    """Yields batches that are given."""

    def __init__(self, *batches, metrics=("gain",), name="ga"):
        self.batches, self.metrics, self.name = batches, metrics, name

    def run(self, state, budget):
        state.offer("found", 1, 0)
        yield from self.batches


def fit(*stages, **options):
    return Pipeline(stages).fit(verbose=False, **options)


def watched(*stages):
    """Fit with a callback; return what it saw of each batch."""
    seen = []
    note = LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs))
    fit(*stages, callbacks=note)
    return seen


@pytest.mark.parametrize("watch", [True, False])
@pytest.mark.parametrize("number", [0, 1, 3000])
@pytest.mark.parametrize("name", ["surprise", "cost", "stage", "elapsed", "batch"])
def test_a_metric_that_is_not_declared_is_refused_whenever_it_comes(watch, number, name):
    good = [Batch(done + 1, None, {"gain": 1.0}) for done in range(number)]
    stage = Reporter(*good, Batch(number + 1, None, {"gain": 1.0, name: 2.0}))
    callbacks = [LambdaCallback(on_batch_end=lambda batch, logs: None)] if watch else []
    message = f"stage 'ga' reports '{name}' in batch {number}"
    with pytest.raises(ValueError, match=message) as caught:
        fit(stage, callbacks=callbacks)
    assert any("raised by stage 'ga'" in note for note in caught.value.__notes__)


def test_the_names_of_a_stage_that_declares_no_metrics_are_those_of_its_first_batch():
    stage = Reporter(Batch(1, 3, {"gain": 1, "loss": 2}), Batch(2, 3, {"loss": 3}), Batch(3, 3),
                     metrics=None)  # fmt: skip
    seen = watched(stage)
    assert [(one["gain"], one["loss"]) for one in seen] == [(1, 2), (None, 3), (None, None)]


def test_batches_without_metrics_may_come_before_the_first_that_has_some():
    seen = watched(Reporter(Batch(1), Batch(2, None, {"gain": 1}), metrics=None))
    assert [one.get("gain") for one in seen] == [None, 1]


@pytest.mark.parametrize("name", ["surprise", "cost"])
def test_a_stage_that_declares_no_metrics_may_not_report_others_later(name):
    stage = Reporter(Batch(1, 2, {"gain": 1}), Batch(2, 2, {name: 2}), metrics=None)
    with pytest.raises(ValueError, match=f"stage 'ga' reports '{name}' in batch 1"):
        fit(stage)


@pytest.mark.parametrize(
    ("metrics", "error"), [("gain", TypeError), ((1,), TypeError), (("cost",), ValueError)]
)
def test_metrics_that_cannot_be_are_refused_before_a_run(metrics, error):
    with pytest.raises(error, match="stage 'ga'"):
        Pipeline([Reporter(metrics=metrics)])


@pytest.mark.parametrize("logs", [5, "gain", [("gain", 1)]])
def test_logs_that_are_no_mapping_are_refused(logs):
    with pytest.raises(TypeError, match="the logs of batch 0 of stage 'ga' must be a mapping"):
        fit(Reporter(Batch(1, 1, logs)))


@pytest.mark.parametrize("watch", [True, False])
@pytest.mark.parametrize(
    ("before", "done", "total"),
    [
        (0, -1, None), (0, -1, 5), (3, 2, 5), (3, 2, None), (3, 6, 5), (3, nan, None), (3, nan, 5),
        (3, inf, 5), (3, "4", 5), (3, None, 5), (3, [4], 5), (3, np.array([4, 5]), 5), (3, 4j, 5),
        (3, Decimal(4), 5), (3, np.float64("nan"), 5), (3, np.int64(2), 5),
    ],
)  # fmt: skip
def test_finished_units_that_cannot_be_are_refused(watch, before, done, total):
    stage = Reporter(Batch(before, total), Batch(done, total))
    callbacks = [LambdaCallback(on_batch_end=lambda batch, logs: None)] if watch else []
    with pytest.raises((ValueError, TypeError), match="done of batch 1 of stage 'ga' must be"):
        fit(stage, callbacks=callbacks)


@pytest.mark.parametrize("total", [-1, nan, inf, "5", [5], np.array([5, 6]), 4j, Decimal(4)])
def test_a_total_that_cannot_be_is_refused(total):
    with pytest.raises((ValueError, TypeError), match="total of batch 1 of stage 'ga' must be"):
        fit(Reporter(Batch(0, 5), Batch(1, total)))


def test_a_total_below_the_finished_units_is_refused():
    with pytest.raises(ValueError, match=r"done of batch 1 .* from 4 .* to 3 \(the total\), got 4"):
        fit(Reporter(Batch(4, 5), Batch(4, 3)))


def test_units_may_stand_still_be_numbers_of_numpy_or_parts_and_totals_may_change():
    batches = [(0, None), (0, None), (np.int64(1), 4), (1.5, 4), (2, np.int32(9)), (2, 2)]
    seen = watched(Reporter(*(Batch(*one) for one in batches)))
    assert [(one["done"], one["total"]) for one in seen] == batches
    progress = [one["progress"] for one in seen]
    assert progress == sorted(progress)
    assert progress[-1] == 1


def test_a_log_gets_the_columns_of_stages_that_declare_none(tmp_path):
    first = Reporter(Batch(1, 2, {"gain": 1}), Batch(2, 2, {"gain": 2}), metrics=None, name="a")
    second = Reporter(Batch(1, 1, {"the, loss": 0.5, "gain": 3}), metrics=None, name="b")
    third = Reporter(Batch(1, 1, {"known": 4}), metrics=("known",), name="c")
    loggers = [CSVLogger(tmp_path / "log.csv"), TensorBoard(tmp_path / "board")]
    run = fit(first, second, third, callbacks=loggers)
    frame = pd.read_csv(tmp_path / "log.csv")
    assert frame["gain"].tolist()[:3] == [1, 2, 3]
    assert frame["the, loss"].tolist()[2] == 0.5
    assert frame["known"].tolist()[3] == 4
    assert frame["the, loss"].isna().sum() == 3
    assert points(tmp_path / "board", "a/gain") == [(0, 1), (1, 2)]
    assert points(tmp_path / "board", "b/the, loss") == [(0, 0.5)]
    assert run.history["gain"] == [1, 2, 3, None]
