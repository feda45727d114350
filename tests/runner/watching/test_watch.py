"""Watching and steering runs through a real Redis server."""

import asyncio
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from schoolbell.callbacks import RedisLogger, RedisUnavailableError
from schoolbell.callbacks.remote.job_keys import JobKeys
from schoolbell.runner import Pipeline, UnknownJobError, awatch, list_jobs, send_command, watch
from schoolbell.runner.cli.main import main
from schoolbell.runner.watching.follower import Follower
from schoolbell.stages import Batch, Stage

KEY = "schoolbell:job:monday"
PROGRAM = Path(sys.executable).with_name("schoolbell")


class Patient(Stage):
    """Goes on, a unit each hundredth of a second, until it is told to end."""

    unit = "unit"

    def __init__(self, name="patient", ending=None):
        self.name, self.ending = name, ending
        self.gate, self.begun = threading.Event(), threading.Event()

    def run(self, state, budget):
        units = 0
        while not (budget.should_end or self.gate.wait(0.01)):
            units += 1
            state.offer(units, 10_000 - units, 0)
            yield Batch(units, 5000)
            self.begun.set()
        if self.ending is not None:
            raise self.ending


@pytest.fixture
def start(redis_server):
    """Starts a run in a thread and returns the thread; all end with the test."""
    begun = []

    def begin(*stages, job_id="monday"):
        def fit():
            logger = RedisLogger(redis_server.url, job_id, interval=0.05, announce=False)
            with suppress(ArithmeticError):
                Pipeline(stages).fit(callbacks=logger, verbose=False)

        thread = threading.Thread(target=fit, daemon=True)
        begun.append((stages, thread))
        thread.start()
        assert stages[0].begun.wait(5)
        return thread

    yield begin
    for stages, thread in begun:
        for stage in stages:
            stage.gate.set()
        thread.join(5)


def test_a_run_is_watched_to_its_end(redis_server, start):
    stage = Patient()
    start(stage)
    seen = []
    for snapshot in watch("monday", redis_server.url):
        seen.append(snapshot)
        if len(seen) == 4:
            stage.gate.set()
    assert (seen[3].status, seen[3].outcome, seen[3].stage) == ("running", "", "patient")
    assert seen[0].stages[0]["label"] == "Patient"
    assert (seen[-1].status, seen[-1].outcome, seen[-1].progress) == ("finished", "finished", 1.0)
    assert seen[-1].stages[0]["ended_by"] == "finished"
    assert [one.event for one in seen[-2:]] == ["stage_end", "pipeline_end"]
    progress = [one.progress for one in seen]
    assert progress == sorted(progress)


def test_watching_goes_on_from_an_id_without_gap_or_repeat(redis_server, start):
    stage = Patient()
    start(stage)
    first = []
    for snapshot in watch("monday", redis_server.url):
        first.append(snapshot)
        if len(first) == 3:
            break
    stage.gate.set()
    rest = list(watch("monday", redis_server.url, first[-1].id))
    numbers = [one.seq for one in first[1:] + rest]
    assert numbers == list(range(first[1].seq, rest[-1].seq + 1))
    assert rest[-1].outcome == "finished"


def test_awatch_tells_the_same_in_asyncio(redis_server, start):
    stage = Patient()
    thread = start(stage)

    async def collect(last_id):
        return [one async for one in awatch("monday", redis_server.url, last_id)]

    stage.gate.set()
    thread.join(5)
    found = asyncio.run(collect("0-0"))
    assert found == list(watch("monday", redis_server.url, "0-0"))
    assert [one.event for one in found][:: len(found) - 1] == ["pipeline_begin", "pipeline_end"]


def test_one_who_comes_after_the_end_learns_how_it_was(redis_server, start):
    stage = Patient(ending=ArithmeticError("no luck"))
    stage.gate.set()
    stage.begun.set()
    start(stage).join(5)
    (last,) = watch("monday", redis_server.url)
    assert (last.status, last.outcome) == ("failed", "failed: ArithmeticError: no luck")


def test_watching_survives_a_restart_of_the_server(redis_server, start):
    stage = Patient()
    start(stage)
    seen = []
    with pytest.warns(RuntimeWarning, match="trying again"):
        for snapshot in watch("monday", redis_server.url):
            seen.append(snapshot)
            if len(seen) == 3:
                redis_server.kill()
                threading.Timer(0.5, redis_server.start).start()
            elif len(seen) > 3 and snapshot.seq > seen[2].seq + 15:
                stage.gate.set()
    assert seen[-1].outcome == "finished"
    assert [one.seq for one in seen] == sorted({one.seq for one in seen})


def test_unknown_runs_and_servers_are_told_at_once(redis_server, monkeypatch):
    with pytest.raises(UnknownJobError, match="no run 'tuesday'"):
        next(watch("tuesday", redis_server.url))
    with pytest.raises(UnknownJobError, match="no run 'tuesday'"):
        send_command("tuesday", "stop", redis_server.url)
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(RedisUnavailableError, match="REDIS_URL"):
        next(watch("tuesday"))
    redis_server.kill()
    with pytest.raises(RedisUnavailableError, match="is a server running there"):
        next(watch("tuesday", redis_server.url))


def test_commands_are_confirmed(redis_server, start):
    first, second = Patient("first"), Patient("second")
    thread = start(first, second)
    assert send_command("monday", "skip_stage", redis_server.url)
    assert second.begun.wait(5)
    assert send_command("monday", "stop", redis_server.url)
    thread.join(5)
    assert list_jobs(redis_server.url)[0].outcome == "stopped by a command"
    with pytest.raises(UnknownJobError, match="over: stopped by a command"):
        send_command("monday", "pause", redis_server.url)
    with pytest.raises(ValueError, match="stop, skip_stage, pause, resume"):
        send_command("monday", "dance", redis_server.url)


def test_a_command_that_nobody_takes_up_is_not_confirmed(redis_server):
    redis_server.client().hset(KEY, "status", "running")
    assert not send_command("monday", "stop", redis_server.url, wait=0.1)


def test_all_runs_are_listed_the_latest_first(redis_server, start):
    first, second = Patient(), Patient()
    start(first, job_id="monday").join(0)
    first.gate.set()
    start(second, job_id="tues:day")
    redis_server.client().hset("schoolbell:job:old", mapping={"job_id": "old", "status": "running"})
    redis_server.client().hset("other:job:x", "status", "running")
    deadline = time.monotonic() + 5
    jobs = list_jobs(redis_server.url)
    while jobs[1].outcome != "finished" and time.monotonic() < deadline:
        jobs = list_jobs(redis_server.url)
    found = [(job.job_id, job.status) for job in jobs]
    assert found == [("tues:day", "running"), ("monday", "finished"), ("old", "lost")]
    assert [job.job_id for job in list_jobs(redis_server.url, prefix="oth*")] == []


class Fake:
    """A follower on a clock of the test's."""

    def __init__(self):
        self.now = 0.0
        keys = JobKeys("monday")
        self.follower = Follower(keys, "redis://localhost", None, 10.0, lambda: self.now)

    def take(self, texts=None, alive=1, events=()):
        return self.follower.take([texts or {}, alive, list(events)])


RUNNING = {"job_id": "monday", "status": "running", "seq": "4", "started_at": "1.5"}


def test_a_run_without_heartbeat_is_lost_after_some_seconds():
    fake = Fake()
    assert fake.take(RUNNING, alive=0)[0].status == "running"
    fake.now = 2.9
    assert fake.take(RUNNING, alive=0) == []
    fake.now = 3.1
    (last,) = fake.take(RUNNING, alive=0)
    assert (last.status, last.outcome, fake.follower.over) == ("lost", "lost", True)


def test_a_heartbeat_that_comes_back_in_time_is_none_lost():
    fake = Fake()
    fake.take(RUNNING, alive=0)
    fake.now = 2.0
    fake.take(RUNNING, alive=1)
    fake.now = 4.0
    assert fake.take(RUNNING, alive=0) == []
    # Nor is one whose server was away in the meantime.
    fake.follower.fail(ConnectionError("gone"))
    fake.now = 8.0
    assert fake.take(RUNNING, alive=0) == []
    assert not fake.follower.over


def test_patience_with_a_server_that_is_away_has_an_end():
    fake = Fake()
    fake.take(RUNNING)
    fake.follower.fail(ConnectionError("gone"))
    fake.now = 9.0
    assert fake.take({}) == []
    fake.now = 11.0
    with pytest.raises(UnknownJobError):
        fake.take({})
    with pytest.raises(RedisUnavailableError, match="gone"):
        fake.follower.fail(ConnectionError("gone"))


def test_events_are_told_once_also_when_they_were_written_twice():
    fake = Fake()
    fake.take(RUNNING)
    events = [(f"{i}-0", {"seq": seq}) for i, seq in enumerate(("4", "5", "4", "5", "6"))]
    assert [one.seq for one in fake.take(RUNNING, events=events)] == [5, 6]


def test_a_new_run_of_the_same_id_is_followed_too():
    fake = Fake()
    fake.take(RUNNING)
    events = [("9-0", {"seq": "1"}), ("9-1", {"seq": "2"})]
    later = RUNNING | {"started_at": "7.5", "seq": "2"}
    assert [one.seq for one in fake.take(later, events=events)] == [1, 2]


def test_the_command_line_shows_a_run_until_it_ends(redis_server, start, capsys):
    stage = Patient()
    start(stage)
    threading.Timer(0.5, stage.gate.set).start()
    assert main(["watch", "monday", "--redis", redis_server.url]) == 0
    output = capsys.readouterr()
    assert "Patient finished" in output.err
    assert "monday finished in" in output.err
    assert output.out.startswith("monday: finished after")


@pytest.mark.parametrize(("status", "alive"), [("failed", False), ("running", False)])
def test_the_command_line_tells_failed_and_lost_runs_apart(redis_server, capsys, status, alive):
    outcome = "failed: ArithmeticError: no luck" if status == "failed" else ""
    fields = RUNNING | {"status": status, "outcome": outcome}
    redis_server.client().hset(KEY, mapping=fields)
    assert main(["watch", "monday", "--redis", redis_server.url]) == 1
    words = outcome or "lost"
    assert capsys.readouterr().out == f"monday: {words} after 0.00 s, no solution\n"


def test_the_command_line_steers_and_lists(redis_server, start, capsys, monkeypatch):
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    stage = Patient()
    thread = start(stage)
    assert main(["jobs"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["job", "status", "progress", "at"]
    assert row.startswith("monday  running")
    assert main(["watch", "monday", "--stop"]) == 0
    assert capsys.readouterr().out == "monday: stop taken up\n"
    thread.join(5)
    main(["jobs"])
    assert "stopped by a command" in capsys.readouterr().out


def test_what_others_wrote_there_does_not_harm_who_reads_it(redis_server, capsys):
    fields = {
        "job_id": "a\x1b[2Jb",
        "status": "finished",
        "outcome": "finished",
        "message": "x\ny\x07",
        "progress": "inf",
        "done": "9" * 5000,
        "seq": "nan",
        "stages": '[1, {"name": "ga", "ended_by": "time"}, {"name": 3}]',
        "logs": "{",
    }
    redis_server.client().hset(KEY, mapping=fields)
    assert main(["jobs", "--redis", redis_server.url]) == 0
    assert main(["watch", "monday", "--redis", redis_server.url]) == 0
    output = capsys.readouterr()
    assert not {"\x1b", "\x07"} & set(output.out + output.err)
    assert len(output.out.splitlines()) == 3


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("watch tuesday --redis {url}", "no run 'tuesday'"),
        ("watch tuesday --redis redis://:s3cret@127.0.0.1:1", "is a server running there"),
        ("fit --redis redis://:s3cret@127.0.0.1:1", "is a server running there"),
        ("jobs --redis redis://:s3cret@127.0.0.1:1", "is a server running there"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    redis_server, capsys, tmp_path, monkeypatch, command, words
):
    monkeypatch.chdir(tmp_path)
    assert main(command.format(url=redis_server.url).split()) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error
    assert "s3cret" not in error
    assert not (tmp_path / "runs").exists()


LONG = "Genetic algorithm of the second kind"


def test_a_watcher_has_keys_and_is_told_so_in_the_last_line(redis_server, start, terminal):
    stages = [Patient("first"), Patient("second")]
    stages[0].label = LONG
    start(*stages)
    one = terminal([PROGRAM, "watch", "monday", "--redis", redis_server.url])
    one.wait_for(lambda: LONG in one.text and "ETA" in one.text)
    assert one.lines[-1] == "p pause, r resume, s skip the stage, q quit watching"
    one.type(b"p")
    one.wait_for(lambda: "paused" in one.lines[0])
    assert "ETA" not in one.lines[0]
    assert one.lines[-1].startswith("asked to pause (p pause, ")
    one.type(b"r")
    one.wait_for(lambda: "ETA" in one.lines[0])
    one.type(b"s")
    one.wait_for(lambda: re.search("skipped by a command", one.text))
    # Names stay whole, units lose what can be done without.
    assert max(map(len, one.lines)) <= 80
    assert LONG in one.text
    one.type(b"x")
    one.type(b"Q")
    assert one.finish() == 0
    assert one.lines[-1] == (
        "schoolbell: monday goes on, only the watching has ended; --stop ends the run"
    )
    assert list_jobs(redis_server.url)[0].status == "running"


def test_ctrl_c_ends_the_watching_alone(redis_server, start, terminal):
    start(Patient())
    one = terminal([PROGRAM, "watch", "monday", "--redis", redis_server.url])
    one.wait_for(lambda: "q quit" in one.text)
    one.type(b"\x03")
    assert one.finish() == 130
    assert "monday goes on, only the watching has ended" in one.text
    assert "q quit" not in one.text
    assert list_jobs(redis_server.url)[0].status == "running"


def test_in_a_small_terminal_the_run_is_watched_in_one_line(redis_server, start, terminal):
    stage = Patient()
    start(stage)
    one = terminal([PROGRAM, "watch", "monday", "--redis", redis_server.url], 30, 6)
    one.wait_for(lambda: "cost" in one.text)
    one.type(b"p")
    one.wait_for(lambda: "paused" in one.text)
    assert len(one.lines) == 1
    assert one.lines[0].split("%")[0].split()[-2] == "paused"
    one.type(b"r")
    one.wait_for(lambda: "paused" not in one.text)


def test_without_a_keyboard_there_are_no_keys(redis_server, start, terminal):
    stage = Patient()
    start(stage)
    command = [PROGRAM, "watch", "monday", "--redis", redis_server.url]
    one = terminal(command, stdin=subprocess.DEVNULL)
    one.wait_for(lambda: "ETA" in one.text)
    assert "q quit" not in one.text
    stage.gate.set()
    assert one.finish() == 0
    assert "monday: finished after" in one.text
