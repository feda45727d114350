"""What a run takes of the machine, among its metrics."""

import pandas as pd
import pytest
from schoolbell.callbacks import (
    Callback,
    CallbackError,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    SystemMonitor,
    TensorBoard,
)
from schoolbell.runner import Pipeline, pipeline, replay
from schoolbell.stages import Batch, Stage

pytest.importorskip("psutil", reason="psutil is not installed")

METRICS = ["system_cpu", "system_memory", "system_load", "system_free"]


class Search(Stage):
    name = "search"

    def __init__(self, metrics=("speed",)):
        self.metrics = metrics

    def run(self, state, budget):
        for step in range(3):
            yield Batch(step + 1, 3, dict.fromkeys(self.metrics or ("speed",), step))


def fit(*callbacks, stage=None):
    return Pipeline([stage or Search()]).fit(callbacks=callbacks, verbose=False)


@pytest.mark.parametrize("metrics", [("speed",), None])
def test_the_log_has_what_the_machine_gives(tmp_path, metrics):
    fit(SystemMonitor(), CSVLogger(tmp_path / "log.csv"), stage=Search(metrics))
    frame = pd.read_csv(tmp_path / "log.csv")
    assert set(METRICS) < set(frame.columns)
    assert frame["speed"].tolist() == [0, 1, 2]
    # This process alone holds more than a Python without NumPy does.
    assert (frame["system_memory"] > 20).all()
    assert (frame["system_free"] > 0).all()
    assert frame["system_load"].between(0, 100).all()


def test_the_ends_of_stages_have_it_too():
    ends = []
    fit(SystemMonitor(), LambdaCallback(on_stage_end=lambda stage, logs: ends.append(logs)))
    assert set(METRICS) < set(ends[0])


def test_other_callbacks_can_watch_it():
    run = fit(SystemMonitor(), EarlyStopping("system_memory", mode="min", baseline=0, patience=1))
    assert run.stages[0].ended_by == "skipped"
    assert run.stages[0].stopped_by == "EarlyStopping"


def test_it_does_not_measure_in_a_replay(tmp_path):
    path = tmp_path / "log.csv"
    fit(SystemMonitor(), CSVLogger(path))
    replay(path, callbacks=[SystemMonitor(), CSVLogger(tmp_path / "again.csv")])
    frames = [pd.read_csv(one)[METRICS] for one in (path, tmp_path / "again.csv")]
    assert frames[0].equals(frames[1])


@pytest.mark.parametrize("metrics", [("speed",), None])
@pytest.mark.parametrize("rows", [2, 1024])
def test_the_history_of_the_run_has_it(monkeypatch, metrics, rows):
    class Patient(Search):
        def run(self, state, budget):
            yield from super().run(state, budget)
            state.offer(1, 1)

    class Short(History):
        def __init__(self):
            super().__init__(rows)

    monkeypatch.setattr(pipeline, "History", Short)
    run = fit(SystemMonitor(), stage=Patient(metrics))
    assert run.history["batch"][-1] == 2
    assert {"speed", *METRICS} < set(run.history.history)
    for name in ("system_memory", "system_free"):
        assert all(value > 20 for value in run.history[name])


def test_a_logger_before_it_finds_it_too(tmp_path):
    fit(CSVLogger(tmp_path / "log.csv"), SystemMonitor())
    assert (pd.read_csv(tmp_path / "log.csv")["system_memory"] > 20).all()


class Queue(Callback):
    """Adds a metric of its own, and its newest value to the logs of the batches after."""

    def on_batch_end(self, batch, logs=None):
        self.pipeline.add_metrics({"queue": batch + 1})


def test_any_callback_adds_metrics():
    assert fit(Queue()).history["queue"] == [None, 1, 2]


def test_a_metric_that_is_added_may_not_take_the_name_of_a_core_column():
    class Wrong(Callback):
        def on_pipeline_begin(self, logs=None):
            self.pipeline.add_metrics({"cost": 3})

    with pytest.raises(CallbackError, match="hold something of the name 'cost'"):
        fit(Wrong())


def test_a_stage_with_a_metric_of_the_name_is_refused():
    with pytest.raises(ValueError, match="stage 'search' has a metric 'system_cpu'"):
        fit(SystemMonitor(), stage=Search(("system_cpu",)))


def test_an_impossible_interval_is_refused():
    with pytest.raises(ValueError, match=r"interval must be 0\.05 seconds or more, got 0"):
        SystemMonitor(0)


def test_tensorboard_has_it_as_scalars(tmp_path):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    fit(SystemMonitor(), TensorBoard(tmp_path, image_interval=float("inf")))
    found = accumulators.EventAccumulator(str(tmp_path)).Reload().Tags()["scalars"]
    assert {f"search/{name}" for name in METRICS} < set(found)
