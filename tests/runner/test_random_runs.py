"""Random orders of offers, logs and endings, and what each logger says in the end.

A few runs by default; ``SCHOOLBELL_RANDOM_RUNS=10000`` makes so many.
"""

import io
import json
import os
import tempfile
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf, isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from schoolbell.callbacks import (
    Callback,
    CSVLogger,
    History,
    ProgbarLogger,
    RedisLogger,
    RemoteMonitor,
    SolutionCheckpoint,
    TensorBoard,
)
from schoolbell.callbacks.plain_value import plain_value
from schoolbell.runner import Pipeline, replay
from schoolbell.stages import Batch, Pulse, Stage

from ..callbacks.recording.test_tensor_board import read
from ..callbacks.remote.test_remote_monitor import Server

RUNS = int(os.environ.get("SCHOOLBELL_RANDOM_RUNS", "40"))
JOB = "random"
COSTS = st.integers(0, 40).map(lambda halves: halves / 2)
VALUES = st.sampled_from(
    [0, 2.5, -1, None, nan, np.float32(0.5), np.int64(7), True, "up", 'a, "b"\nc', [1, 2],
     {"a": 1}, np.arange(3), 1j, b"raw", object]
)  # fmt: skip


class Failure(Exception):
    """What a stage of these tests raises."""


class Found:
    """A solution that can be written."""

    def __init__(self, cost, violations):
        self.key = (violations, cost)

    def write(self, path):
        path.write_text(repr(self.key))


class Scripted(Stage):
    """Does what a script says."""

    metrics = ("value",)

    def __init__(self, name, script, pipeline):
        self.name, self.script, self.pipeline = name, script, pipeline

    def run(self, state, budget):
        for action, *arguments in self.script:
            if action == "offer":
                cost, violations = arguments
                state.offer(Found(cost, violations), cost, violations)
            elif action == "yield":
                yield arguments[0]
            elif action == "stop":
                self.pipeline[0].stop()
            elif action == "skip":
                self.pipeline[0].skip_stage()
            else:
                raise arguments[0]


@dataclass
class Expected:
    """What is true of a run after its script has been gone through."""

    status: str = "finished"
    best: tuple[int, float] | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)

    def play(self, stages):
        """Go through the scripts of all stages, to the one with which the run ends."""
        for name, script in stages:
            self.begun.append(name)
            ended_by = self._play_stage(name, script)
            if ended_by in ("failed", "interrupted"):
                self.status = ended_by
                if ended_by == "interrupted":
                    self.ends.append(ended_by)
                return self
            self.ends.append(ended_by)
            if ended_by == "stopped":
                self.status = "stopped"
                return self
        return self

    def _play_stage(self, name, script):
        wish, done, batch = "finished", 0, 0
        for action, *arguments in script:
            if action == "offer":
                cost, violations = arguments
                if self.best is None or (violations, cost) < self.best:
                    self.best = (violations, cost)
            elif action == "stop":
                wish = "stopped"
            elif action == "skip":
                wish = wish if wish == "stopped" else "skipped"
            elif action == "raise":
                return "interrupted" if arguments[0] is KeyboardInterrupt else "failed"
            elif isinstance(arguments[0], Batch):
                item = arguments[0]
                if item.done < done or set(item.logs or ()) - {"value"}:
                    return "failed"
                done = item.done
                violations, cost = self.best or (None, None)
                value = (item.logs or {}).get("value")
                self.rows.append(
                    {"stage": name, "batch": batch, "done": done, "total": item.total,
                     "cost": cost, "violations": violations, "value": plain_value(value)}
                )  # fmt: skip
                batch += 1
            if action == "yield" and wish != "finished":
                return wish
        return wish


class RandomRuns(RuleBasedStateMachine):
    """Writes a script step by step, then has it run with all loggers."""

    def __init__(self, redis, server):
        super().__init__()
        self.redis, self.server = redis, server
        self.scripts = [[]]
        self.done = 0

    def act(self, *action):
        self.scripts[-1].append(action)

    @rule(cost=COSTS, violations=st.integers(0, 2))
    def offer(self, cost, violations):
        self.act("offer", cost, violations)

    @rule(more=st.integers(0, 3), rest=st.none() | st.integers(0, 5), value=VALUES)
    def finish_units(self, more, rest, value):
        self.done += more
        total = None if rest is None else self.done + rest
        logs = None if value is object else {"value": value}
        self.act("yield", Batch(self.done, total, logs))

    @rule(part=st.none() | st.floats(0, 1))
    def pulse(self, part):
        self.act("yield", None if part is None else Pulse(part, "within the unit"))

    @rule()
    def begin_another_stage(self):
        if len(self.scripts) < 4:
            self.scripts.append([])
            self.done = 0

    @rule(how=st.sampled_from(["stop", "skip", "raise", "interrupt", "undeclared", "core", "back"]))
    def end(self, how):
        if how in ("stop", "skip"):
            self.act(how)
        elif how in ("raise", "interrupt"):
            self.act("raise", Failure if how == "raise" else KeyboardInterrupt)
        elif how == "back":
            self.act("yield", Batch(self.done - 1))
        else:
            self.act("yield", Batch(self.done, None, {"cost" if how == "core" else "odd": 0}))

    def teardown(self):
        stages = [(f"stage {number}", script) for number, script in enumerate(self.scripts)]
        expected = Expected().play(stages)
        with tempfile.TemporaryDirectory() as folder:
            Watched(Path(folder), self.redis, self.server).run(stages, expected)


class Last(Callback):
    """Remembers the last solution and the end."""

    def on_pipeline_begin(self, logs=None):
        self.solution, self.ends = None, []

    def on_solution(self, solution, logs=None):
        self.solution = solution

    def on_pipeline_end(self, logs=None):
        self.ends.append(logs)


class Watched:
    """A run with all loggers, and what they say when it is over."""

    def __init__(self, folder, redis, server):
        self.folder, self.redis, self.server = folder, redis, server
        self.stream, self.last, self.history = io.StringIO(), Last(), History()

    def run(self, stages, expected):
        self.server.seen.clear()
        pipeline = []
        pipeline.append(Pipeline([Scripted(*stage, pipeline) for stage in stages]))
        loggers = [
            self.last,
            self.history,
            CSVLogger(self.folder / "log.csv"),
            TensorBoard(self.folder / "board", image_interval=inf),
            RedisLogger(self.redis.url, JOB, announce=False),
            RemoteMonitor(self.server.root, send_as_json=True),
            ProgbarLogger("plain", self.stream),
            SolutionCheckpoint(self.folder / "best.sol"),
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "metric 'value'")
            with suppress(Failure, ValueError):
                pipeline[0].fit(callbacks=loggers, verbose=False, job_id=JOB)
        self.check(pipeline[0].run, expected)

    def check(self, run, expected):
        violations, cost = expected.best or (None, None)
        assert (run.status, run.cost, run.violations) == (expected.status, cost, violations)
        assert (run.solution.key if run.solution else None) == expected.best
        assert self.last.solution is run.solution
        assert [one["status"] for one in self.last.ends] == [run.status]
        self.check_rows(run.history.rows, expected.rows)
        self.check_rows(self.history.rows, expected.rows)
        self.check_files(run, expected)
        self.check_redis(run, expected)
        event = self.server.events[-1]
        assert (event["event"], event["status"]) == ("pipeline_end", run.status)
        assert (event["cost"], event["violations"]) == (cost, violations)
        last_line = self.stream.getvalue().splitlines()[-1]
        assert f"Run {run.status}" in last_line
        assert ("no solution" if cost is None else f"violations {violations}") in last_line

    def check_rows(self, found, expected):
        assert len(found) == len(expected)
        for row, wanted in zip(found, expected, strict=True):
            for name, value in wanted.items():
                assert same(row.get(name), value), (name, row.get(name), value)

    def check_files(self, run, expected):
        frame = pd.read_csv(self.folder / "log.csv", keep_default_na=False)
        assert frame["batch"].tolist() == [row["batch"] for row in expected.rows]
        if expected.rows:
            recorded = replay(self.folder / "log.csv").history.rows
            self.check_rows(recorded, expected.rows)
        path = self.folder / "best.sol"
        assert (path.read_text() if path.exists() else None) == (
            None if run.solution is None else repr(run.solution.key)
        )
        events = read(self.folder / "board")
        tags = events.Tags()["scalars"]
        costs = [event.value for event in events.Scalars("run/cost")] if "run/cost" in tags else []
        assert costs == [row["cost"] for row in expected.rows if row["cost"] is not None]
        final = [event.value for event in events.Scalars("final/cost")] if run.solution else []
        assert final == ([] if run.cost is None else [run.cost])

    def check_redis(self, run, expected):
        client, key = self.redis.client(), f"schoolbell:job:{JOB}"
        newest = client.hgetall(key)
        _, tail = client.xrevrange(f"{key}:events", count=1)[0]
        assert newest["status"] == tail["status"] == run.status
        assert newest["outcome"] == run.outcome
        assert tail["event"] == "pipeline_end"
        assert newest["seq"] == tail["seq"]
        assert newest["cost"] == ("" if run.cost is None else str(run.cost))
        assert not client.exists(f"{key}:alive")
        ends = [stage.get("ended_by") for stage in json.loads(newest["stages"])]
        assert [one for one in ends if one] == expected.ends
        client.close()


def same(one, other):
    both = (one, other)
    if all(isinstance(value, float) and isnan(value) for value in both):
        return True
    return one == other


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


def test_whatever_happens_in_a_run_its_loggers_say_what_was_best_and_how_it_ended(
    redis_server, server
):
    run_state_machine_as_test(
        lambda: RandomRuns(redis_server, server),
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=25,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
