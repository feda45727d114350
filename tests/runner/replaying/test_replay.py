"""Recorded runs, fired again."""

import json
import os
import threading
import time

import pandas as pd
import pytest
from schoolbell.callbacks import (
    Callback,
    CallbackError,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ProgbarLogger,
    RedisLogger,
    Timer,
)
from schoolbell.callbacks.callback_list import HOOKS
from schoolbell.runner import Pipeline, UnknownJobError, replay
from schoolbell.runner.cli.main import main
from schoolbell.stages import Batch, FormatError, Stage


class Search(Stage):
    unit = "round, about"

    def __init__(self, name="search", metrics=("mean",), steps=4, pause=0.0, share=1.0):
        self.name, self.metrics, self.steps = name, metrics, steps
        self.pause, self.share = pause, share

    def run(self, state, budget):
        for step in range(self.steps):
            if step % 2:
                state.offer(step, 100 / (state.version + 3), 0)
            if self.pause:
                time.sleep(self.pause)
            known = dict.fromkeys(self.metrics, step / 3)
            yield Batch(step + 1, self.steps if step else None, known if step else None)


class Recorder(Callback):
    """Notes every hook and what it got."""

    def __init__(self):
        super().__init__()
        self.calls = []
        for name in HOOKS:
            setattr(self, name, lambda *args, name=name: self.calls.append((name, args)))

    def get_params(self):
        return {}


def record(path, *stages, callbacks=(), **options):
    recorder = Recorder()
    watchers = [CSVLogger(path), recorder, *callbacks]
    run = Pipeline(stages or STAGES()).fit(callbacks=watchers, verbose=False, **options)
    return run, recorder


def STAGES():
    return Search("a", ("mean", "best")), Search("b_long", ("mean",), steps=3, share=2.0)


def test_a_log_replayed_into_a_log_is_the_same_to_the_byte(tmp_path):
    record(tmp_path / "run.csv", *STAGES(), Search("c", ("speed", "never"), steps=1))
    replay(tmp_path / "run.csv", CSVLogger(tmp_path / "again.csv"))
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "run.csv").read_bytes()


def test_the_hooks_are_those_of_the_run_in_their_order(tmp_path):
    _, before = record(tmp_path / "run.csv")
    after = Recorder()
    replay(tmp_path / "run.csv", [after])

    def told(recorder):
        return [
            (name, *(x for x in args if not isinstance(x, dict)))
            for name, args in recorder.calls
            if name != "on_solution"
        ]

    assert told(after) == told(before)
    assert [name for name, _ in after.calls] == [name for name, _ in before.calls]
    for (name, old), (_, new) in zip(before.calls, after.calls, strict=True):
        keys = {"budget", "elapsed", "seconds", "share", "progress", "total"}
        for key, value in old[-1].items():
            if key not in keys and key in new[-1]:
                assert new[-1][key] == value, (name, key)
        assert set(old[-1]) - {"best", "mean"} <= set(new[-1]), name


def test_it_returns_the_run_with_its_history(tmp_path):
    run, _ = record(tmp_path / "run.csv")
    again = replay(tmp_path / "run.csv")
    assert (again.status, again.cost, again.violations) == (run.status, run.cost, run.violations)
    assert again.history["cost"] == run.history["cost"]
    assert again.history["mean"] == pytest.approx(run.history["mean"])
    assert [(one.name, one.done, one.total) for one in again.stages] == [
        (one.name, one.done, one.total) for one in run.stages
    ]
    assert again.solution is None
    assert again.seconds == pytest.approx(run.history["elapsed"][-1], abs=1e-5)


def test_a_run_that_did_not_come_to_its_end_is_told_apart(tmp_path):
    record(tmp_path / "run.csv")
    lines = (tmp_path / "run.csv").read_text().splitlines(keepends=True)
    (tmp_path / "part.csv").write_text("".join(lines[:-1]) + lines[-1][:20])
    run = replay(tmp_path / "part.csv")
    assert run.status == "interrupted"
    assert run.stages[-1].done == 2


def test_of_several_runs_in_one_file_the_last_is_played(tmp_path):
    path = tmp_path / "run.csv"
    record(path, Search("a", steps=5, pause=0.002))
    Pipeline([Search("a", steps=2)]).fit(callbacks=CSVLogger(path, append=True), verbose=False)
    assert len(replay(path).history) == 2


def test_another_separator_is_found_by_itself(tmp_path):
    logger = CSVLogger(tmp_path / "run.csv", separator=";")
    Pipeline(STAGES()).fit(callbacks=logger, verbose=False)
    assert len(replay(tmp_path / "run.csv").history) == 7


def test_at_its_own_pace_it_takes_the_recorded_time(tmp_path):
    record(tmp_path / "run.csv", Search(pause=0.05))
    recorded = pd.read_csv(tmp_path / "run.csv")["elapsed"].iloc[-1]
    for speed in (1.0, 4.0):
        began = time.monotonic()
        replay(tmp_path / "run.csv", speed=speed)
        assert time.monotonic() - began >= 0.95 * recorded / speed


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_an_impossible_speed_is_refused(speed):
    with pytest.raises(ValueError, match="speed must be a positive number or None"):
        replay("run.csv", speed=speed)


def test_callbacks_stop_it_and_skip_the_rest_of_a_stage(tmp_path):
    record(tmp_path / "run.csv", Search("a", steps=9), Search("b", steps=2))
    # The mean rises: nothing improves.
    stopping = EarlyStopping("mean", mode="min", patience=2)
    run = replay(tmp_path / "run.csv", stopping)
    assert [(one.name, one.done, one.ended_by) for one in run.stages] == [
        ("a", 9, "skipped"), ("b", 2, "finished"),
    ]  # fmt: skip
    assert len(run.history) == 4 + 2
    stopping.set_params(scope="pipeline")
    run = replay(tmp_path / "run.csv", stopping)
    assert run.outcome == "stopped by EarlyStopping"
    assert [one.name for one in run.stages] == ["a"]


def test_it_can_be_paused_and_a_timer_counts_recorded_time(tmp_path):
    record(tmp_path / "run.csv", Search(steps=3, pause=0.02))
    players = []

    class Pausing(Callback):
        def on_batch_end(self, batch, logs=None):
            if batch == 0:
                players.append(self.pipeline)
                self.pipeline.pause()
                threading.Timer(0.1, self.pipeline.resume).start()

    run = replay(tmp_path / "run.csv", [Pausing(), Timer(1000)])
    assert run.status == "finished"
    assert players[0].progress == 1.0
    with pytest.raises(ValueError, match="a recorded run has ended: a__b cannot change"):
        players[0].set_params(a__b=1)


def test_the_progress_display_shows_it(tmp_path, capsys):
    record(tmp_path / "run.csv")
    replay(tmp_path / "run.csv", ProgbarLogger("plain"))
    text = capsys.readouterr().err
    assert "B long" in text
    assert "finished" in text


def test_a_failing_callback_is_named_and_all_others_are_told(tmp_path):
    record(tmp_path / "run.csv")
    recorder = Recorder()
    failing = LambdaCallback(on_batch_end=lambda *_: 1 / 0)
    with pytest.raises(CallbackError, match="LambdaCallback failed in on_batch_end"):
        replay(tmp_path / "run.csv", [recorder, failing])
    assert [name for name, _ in recorder.calls][-2:] == ["on_exception", "on_pipeline_end"]
    assert recorder.calls[-1][1][0]["status"] == "failed"


def test_what_lies_beside_the_log_is_told_to_the_callbacks(tmp_path):
    record(tmp_path / "log.csv")
    about = {"job_id": "monday", "seed": 7, "parameters": {"a": {"steps": 4}}}
    (tmp_path / "run.json").write_text(json.dumps(about))
    seen = Recorder()
    assert replay(tmp_path / "log.csv", seen).job_id == "monday"
    assert seen.params["parameters"] == {"a__steps": 4}
    (tmp_path / "run.json").write_text("[")
    assert replay(tmp_path / "log.csv").job_id == "log"


HEADER = "stage,batch,unit,done,total,progress,elapsed,cost,violations\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ":1: found an empty file"),
        ("a,b\n1,2\n", ":1: found other columns"),
        (HEADER, ":2: found no rows"),
        (HEADER + "a,0,step,1\nb,", ":2: found 4 columns, expected 9 columns"),
        (HEADER + "a,x,step,1,2,0.5,1.0,,\n", ":2: found batch 'x', expected a whole number"),
        (HEADER + "a,0,step,-1,2,0.5,1.0,,\n", ":2: found done '-1', expected a whole number"),
        (HEADER + "a,0,step,1,2,nan,1.0,,\n", ":2: found progress 'nan', expected a number"),
        (HEADER + "a,0," + "x" * 2_000_000, "found an endless line"),
        (HEADER.replace("stage,", "stage\udce4"), ":1: found other columns"),
    ],
)
def test_what_is_no_log_is_refused_with_file_and_line(tmp_path, content, message):
    (tmp_path / "run.csv").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(FormatError, match=f"run.csv{message}" if message[0] == ":" else message):
        replay(tmp_path / "run.csv")


def test_a_pipe_and_a_missing_file_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "absent.csv", "."):
        with pytest.raises(FormatError):
            replay(tmp_path / name)


def test_a_redis_stream_is_replayed(redis_server, tmp_path):
    logger = RedisLogger(redis_server.url, job_id="monday", interval=0.05, announce=False)
    run, before = record(
        tmp_path / "run.csv", Search("a", pause=0.06), Search("b", pause=0.06), callbacks=[logger]
    )
    after = Recorder()
    again = replay("redis:monday", after, url=redis_server.url)
    assert (again.status, again.cost) == (run.status, run.cost)
    assert [(one.name, one.done) for one in again.stages] == [("a", 4), ("b", 4)]
    assert again.stages[1].seconds == pytest.approx(run.stages[1].seconds)
    names = [(name, args[0]) for name, args in after.calls if name in ("on_stage_begin",)]
    assert names == [("on_stage_begin", "a"), ("on_stage_begin", "b")]
    ends = [args for name, args in after.calls if name == "on_batch_end"]
    theirs = [args for name, args in before.calls if name == "on_batch_end"]
    # Snapshots are taken now and then: what there is is as it was, the last of each included.
    assert len(ends) >= 4
    names = ("stage", "done", "total", "cost", "mean")
    known = [(batch, *(logs[name] for name in names)) for batch, logs in theirs]
    assert all((batch, *(logs[name] for name in names)) in known for batch, logs in ends)
    assert [args[0] for name, args in after.calls if name == "on_stage_end"] == ["a", "b"]


def test_an_event_that_stands_twice_in_a_stream_is_replayed_once(redis_server, tmp_path):
    stages = (Search("a", steps=6, pause=0.02), Search("b", steps=6, pause=0.02))
    logger = RedisLogger(redis_server.url, job_id="friday", interval=0.05, announce=False)
    record(tmp_path / "run.csv", *stages, callbacks=[logger], job_id="friday")
    client, key = redis_server.client(), "schoolbell:job:friday:events"

    def calls():
        recorder = Recorder()
        replay("redis:friday", recorder, url=redis_server.url)
        return recorder.calls

    once = calls()
    events = [fields for _, fields in client.xrange(key)]
    # A transaction whose answer did not arrive is carried out again, or late.
    mixed = [*events[:5], *events[2:5], *events[5:], events[1], *events[-3:], events[0]]
    client.delete(key)
    for fields in mixed:
        client.xadd(key, fields)
    assert calls() == once
    names = [(name, args[0]) for name, args in once if name.startswith("on_stage")]
    assert len(names) == len(set(names)) == 4
    # Out of order, their numbers tell the order.
    client.delete(key)
    for fields in reversed(events):
        client.xadd(key, fields)
    assert calls() == once


def test_an_unknown_job_is_told(redis_server):
    with pytest.raises(UnknownJobError, match="Redis knows no run 'sunday'"):
        replay("redis:sunday", url=redis_server.url)


def test_tensorboard_gets_what_it_would_have_got(tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from schoolbell.callbacks import TensorBoard

    run, _ = record(tmp_path / "run.csv", Search("a", steps=50))
    replay(tmp_path / "run.csv", TensorBoard(tmp_path / "logs"))
    events = reader.EventAccumulator(str(tmp_path / "logs"))
    events.Reload()
    costs = [event.value for event in events.Scalars("run/cost")]
    assert costs == pytest.approx([c for c in run.history["cost"] if c is not None])
    times = [event.wall_time for event in events.Scalars("run/cost")]
    recorded = [r["elapsed"] for r in run.history if r["cost"] is not None]
    # As far apart as they were in the run.
    assert times[-1] - times[0] == pytest.approx(recorded[-1] - recorded[0], abs=1e-4)


def test_the_command_makes_files_of_a_log(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "run.csv")
    assert main(["replay", "run.csv", "--quiet", "--csv", "again.csv"]) == 0
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "run.csv").read_bytes()
    assert "Run run: finished" in capsys.readouterr().out
    assert main(["replay", "absent.csv"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
