"""A stage that is run again begins anew."""

import threading

import pytest
from schoolbell.callbacks import BackupAndRestore, Callback, LambdaCallback
from schoolbell.runner import Pipeline, timetabling_pipeline
from schoolbell.stages import Batch, MapBatches, Stage
from schoolbell.stages.timetable import generate

pytestmark = pytest.mark.usefixtures("quick_bound")

UNITS = {
    "clustering": {"min_size": 10, "max_size": 40},
    "cp_sat": {"effort": 0.005},
    "ga": {"generations": 3, "founder_moves": 500, "child_moves": 200},
    "rl": {"episodes": 60, "patience": 60},
}


class Count(Stage):
    """Counts on the object itself, as the simplest stage that keeps a state does."""

    name = "count"

    def __init__(self, steps=4, log=None):
        self.steps, self.log = steps, log
        self.done = 0
        self.seen = []
        self.lock = threading.Lock()

    def run(self, state, budget):
        self.began_at = self.done
        while self.done < self.steps:
            self.done += 1
            self.seen.append(self.done)
            if self.log is not None:
                self.log.append(self.done)
            yield Batch(self.done, self.steps)

    def state_dict(self):
        return {"done": self.done, "seen": self.seen}

    def load_state_dict(self, state):
        self.done, self.seen = state["done"], state["seen"]


class StopIn(Callback):
    """Ends the run, as a command does, after the first batch of a stage."""

    def __init__(self, stage):
        super().__init__()
        self.stage = stage

    def on_batch_end(self, batch, logs=None):
        if logs["stage"] == self.stage:
            self.pipeline.stop(by="command")


class FailAtStage(Callback):
    """Raises when a stage is about to begin: after it was given its state, before it took it up."""

    def __init__(self, stage):
        super().__init__()
        self.stage = stage

    def on_stage_begin(self, stage, logs=None):
        if stage == self.stage:
            raise RuntimeError("no such luck")

    def on_batch_begin(self, batch, logs=None):
        self.on_stage_begin(logs["stage"])


def rows(run):
    return [{name: row[name] for name in row if name != "elapsed"} for row in run.history]


def test_a_stage_that_counts_on_itself_counts_anew_in_every_fit():
    log = []
    stage = Count(log=log)
    pipeline = Pipeline([stage])
    runs = [rows(pipeline.fit(verbose=False)) for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]
    # What it left there can be looked at until the next fit.
    assert (stage.done, stage.seen) == (4, [1, 2, 3, 4])
    # What was given to it is its own.
    assert stage.log is log
    assert log == [1, 2, 3, 4] * 3


def test_a_stage_begins_anew_in_another_pipeline_too():
    stage = Count()
    Pipeline([stage]).fit(verbose=False)
    assert len(Pipeline([stage], name="another").fit(verbose=False).history) == 4


def test_what_somebody_has_set_between_two_fits_stays():
    stage = Count()
    pipeline = Pipeline([stage])
    pipeline.fit(verbose=False)
    stage.done = 2
    assert len(pipeline.fit(verbose=False).history) == 2
    pipeline.set_params(count__steps=6)
    assert len(pipeline.fit(verbose=False).history) == 6


def test_a_stage_begins_anew_after_a_failure_and_after_a_stop():
    stage = Count()
    pipeline = Pipeline([stage])
    with pytest.raises(RuntimeError):
        pipeline.fit(callbacks=LambdaCallback(on_batch_end=fail), verbose=False)
    pipeline.fit(callbacks=StopIn("count"), verbose=False)
    assert stage.done == 1
    assert len(pipeline.fit(verbose=False).history) == 4


def fail(batch, logs):
    if batch == 2:
        raise RuntimeError("no such luck")


def test_parameters_that_a_callback_changed_are_set_back_when_the_next_fit_begins():
    pipeline = Pipeline([Count()])
    change = LambdaCallback(on_batch_end=lambda *_: pipeline.set_params(count__log=None))
    log = []
    pipeline.set_params(count__log=log)
    pipeline.fit(callbacks=change, verbose=False)
    assert log == [1]
    pipeline.fit(verbose=False)
    assert log == [1, 1, 2, 3, 4]


def test_a_stage_without_a_state_keeps_what_it_gathers():
    class Gathers(Stage):
        name = "gathers"

        def __init__(self):
            self.runs = 0

        def run(self, state, budget):
            self.runs += 1
            yield Batch(1, 1)

    stage = Gathers()
    for _ in range(3):
        Pipeline([stage]).fit(verbose=False)
    assert stage.runs == 3


@pytest.mark.parametrize("items", [lambda: iter([1, 2, 3]), lambda: (i for i in (1, 2, 3))])
def test_items_that_can_be_read_only_once_are_there_in_every_fit(items):
    pipeline = Pipeline([MapBatches(sum, items())])
    for _ in range(2):
        assert pipeline.fit(verbose=False).state.results == [1, 2, 3]


@pytest.fixture(scope="module")
def problem():
    return generate(25, seed=1)


@pytest.fixture(scope="module")
def expected(problem):
    return rows(timetabling_pipeline(**UNITS).fit(problem, workers=1, verbose=False))


@pytest.mark.parametrize("stage", ["clustering", "cp_sat", "ga", "rl"])
def test_nothing_of_a_resumed_run_that_ended_too_soon_gets_into_the_next_one(
    tmp_path, problem, expected, stage
):
    backup = BackupAndRestore(tmp_path, interval=None)
    pipeline = timetabling_pipeline(**UNITS)

    def fit(*callbacks):
        return pipeline.fit(problem, callbacks=list(callbacks), workers=1, verbose=False)

    assert fit(backup, StopIn(stage)).status == "stopped"
    with pytest.raises(RuntimeError, match="no such luck"):
        fit(backup, FailAtStage(stage))
    assert rows(fit()) == expected
    # Nor of a run that went to its end.
    assert rows(fit(backup)) == expected
    assert rows(fit()) == expected


class Rated(Count):
    """Counts, and notes at what rate."""

    def __init__(self, rate=1.0):
        super().__init__()
        self.rate = rate

    def run(self, state, budget):
        for batch in super().run(state, budget):
            state.rates = [*getattr(state, "rates", []), self.rate]
            yield batch


class Tune(Callback):
    """Sets the rate, and ends the run as a command does."""

    def on_batch_end(self, batch, logs=None):
        self.pipeline.set_params(count__rate=0.5)
        if batch == 1:
            self.pipeline.stop(by="command")


def test_parameters_that_a_resumed_run_took_up_are_set_back(tmp_path):
    pipeline = Pipeline([Rated()])

    def fit(*callbacks):
        return pipeline.fit(callbacks=list(callbacks), verbose=False)

    assert fit(BackupAndRestore(tmp_path), Tune()).status == "stopped"
    # Failed before it has begun, the same fit can be begun again all the same.
    with pytest.raises(RuntimeError, match="no such luck"):
        fit(BackupAndRestore(tmp_path), FailAtStage("count"))
    assert fit(BackupAndRestore(tmp_path)).state.rates == [1.0, 0.5, 0.5, 0.5]
    assert fit().state.rates == [1.0] * 4
