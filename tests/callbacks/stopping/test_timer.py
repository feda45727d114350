"""Ending a run, or its stages, after a time."""

import threading
from datetime import timedelta

import pytest
from schoolbell.callbacks import CallbackError, LambdaCallback, Timer
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Endless(Stage):
    """Works until it is asked to end, waiting a moment between two looks."""

    def __init__(self, name="endless", pulses=False):
        self.name, self.pulses = name, pulses

    def run(self, state, budget):
        yield Batch(1)
        while not budget.should_end:
            threading.Event().wait(0.005)
            yield None if self.pulses else Batch(1)


class Short(Stage):
    name = "short"

    def run(self, state, budget):
        yield Batch(1, 1)


def test_the_run_ends_when_its_time_is_over():
    run = Pipeline([Endless("a"), Short()]).fit(callbacks=Timer(0.05), verbose=False)
    assert run.outcome == "stopped by Timer"
    # On a busy machine the time may be over before the first stage has begun.
    assert "short" not in [stage.name for stage in run.stages]
    assert run.seconds >= 0.05


def test_each_of_some_stages_ends_when_its_own_time_is_over():
    stages = [Endless("a"), Short(), Endless("b", pulses=True)]
    run = Pipeline(stages).fit(callbacks=Timer(0.05, ["a", "b", "short"]), verbose=False)
    assert run.status == "finished"
    assert [one.ended_by for one in run.stages] == ["skipped", "finished", "skipped"]
    assert all(one.seconds >= 0.05 for one in run.stages if one.name != "short")


def test_a_pause_does_not_count():
    pipeline = Pipeline([Endless()])
    waited = threading.Event()

    def rest(batch, logs):
        if not waited.is_set():
            waited.set()
            pipeline.pause()
            threading.Timer(0.2, pipeline.resume).start()

    callbacks = [Timer(0.1), LambdaCallback(on_batch_end=rest)]
    run = pipeline.fit(callbacks=callbacks, verbose=False)
    assert run.outcome == "stopped by Timer"
    assert run.seconds >= 0.1


def test_a_run_that_ends_before_leaves_no_thread_behind():
    Pipeline([Short()]).fit(callbacks=Timer(60), verbose=False)
    for thread in threading.enumerate():
        if thread.name == "Timer":
            thread.join(5)
    assert not any(thread.name == "Timer" for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [(1.5, 1.5), ("01:30", 90), ("02:00:00", 7200), ("1:00:00:01", 86401),
     (timedelta(minutes=2), 120)],
)  # fmt: skip
def test_a_duration_can_be_written_in_several_ways(duration, seconds):
    assert Timer(duration).seconds == seconds


@pytest.mark.parametrize("duration", [0, -1, float("nan"), float("inf"), "90", "1:2:3:4:5", ""])
def test_an_impossible_duration_is_refused(duration):
    with pytest.raises(ValueError, match="duration must"):
        Timer(duration)


def test_a_stage_that_the_run_does_not_have_is_told():
    with pytest.raises(CallbackError, match="there is no stage 'ga'; there are short"):
        Pipeline([Short()]).fit(callbacks=Timer(1, "ga"), verbose=False)
