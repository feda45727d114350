"""Progress of whole runs: what pulses tell, what the bar follows, and what recordings know."""

import pytest
from schoolbell.callbacks import LambdaCallback
from schoolbell.callbacks.remote.snapshot_fields import snapshot_values, to_fields
from schoolbell.runner import Pipeline, ProgressTracker
from schoolbell.runner.replaying.recording import PULSE
from schoolbell.runner.replaying.redis_recording import _moments as moments_of_events
from schoolbell.stages import Batch, Pulse, Stage


class Steps(Stage):
    def __init__(self, name="steps", share=1.0, look=None, expected=None):
        self.name, self.share, self.look, self.expected = name, share, look, expected

    def expected_seconds(self, state, time_limit):
        return self.expected

    def run(self, state, budget):
        yield Pulse(0.25, "Half of a half", total=2)
        if self.look is not None:
            self.look()
        yield Batch(1, 2)
        yield Batch(2, 2)


def fit(*stages, **options):
    pipeline = Pipeline(stages)
    began = []
    look = LambdaCallback(on_stage_begin=lambda stage, logs: began.append(logs))
    pipeline.fit(callbacks=look, verbose=False, **options)
    return pipeline, [(logs["progress"], logs["share"]) for logs in began]


def test_a_pulse_tells_part_total_and_message_before_the_first_unit_is_done():
    seen = []
    pipeline = Pipeline([Steps(look=lambda: seen.append(pipeline.tracker.snapshot()))])
    pipeline.fit(verbose=False)
    (snapshot,) = seen
    assert (snapshot.done, snapshot.total, snapshot.message) == (0, 2, "Half of a half")
    assert 0.125 <= snapshot.stage_progress <= 0.14


def test_the_shares_hold_without_a_limit_and_where_they_are_asked_for():
    for options in ({}, {"time_limit": 60.0, "shares": "work"}):
        _, began = fit(Steps("a", 1.0), Steps("b", 3.0), **options)
        assert began == [(0.0, 0.25), (0.25, 0.75)]


def test_with_a_limit_the_parts_of_the_bar_are_what_stages_expect_of_it():
    pipeline, began = fit(Steps("a", expected=3.0), Steps("b"), time_limit=60.0)
    assert began[0] == (0.0, pytest.approx(0.05, abs=0.001))
    assert sum(began[1]) == pytest.approx(1.0)
    assert pipeline.progress == 1.0


@pytest.mark.parametrize("shares", ["works", None, 1])
def test_the_bar_follows_work_or_time_and_nothing_else(shares):
    with pytest.raises(ValueError, match="shares"):
        Pipeline([Steps()]).fit(verbose=False, shares=shares)


def test_what_redis_keeps_tells_of_the_midst_of_a_unit():
    tracker = ProgressTracker({"a": 1}, clock=lambda: 3.0)
    tracker.begin_stage("a", 4)
    tracker.update_work_progress(1)
    tracker.note_pulse(0.5, "Solving: 3/7")
    fields = to_fields({"event": "snapshot", "batch": None, **snapshot_values(tracker.snapshot())})
    begin = {"event": "stage_begin", "logs": '{"stage": "a", "progress": 0, "share": 1}'}
    found = list(moments_of_events({}, [begin, {**fields, "logs": "{}"}]))
    (pulse,) = [moment.logs for moment in found if moment.hook == PULSE]
    assert pulse == {"part": pytest.approx(0.5), "message": "Solving: 3/7", "elapsed": 3.0}
