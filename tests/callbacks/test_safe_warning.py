"""Warnings of loggers, where warnings are errors."""

import json
import subprocess
import sys
import warnings

import pytest
from schoolbell.callbacks.safe_warning import warn_safely

# A process of its own in which warnings are errors, and for each target that fails a run.
RUNS = """
import contextlib, errno, io, json, os, tempfile, time
from pathlib import Path
from schoolbell.callbacks import *
from schoolbell.callbacks.background import pending_file
from schoolbell.callbacks.background.feed import Feed
from schoolbell.callbacks.remote.embedded_redis import EmbeddedRedis
from schoolbell.callbacks.background.ticker import Ticker
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

Feed.last_seconds = 0.1
Ticker.stop.__defaults__ = (0.5,)
NO_ROOM = OSError(errno.ENOSPC, "No space left on device")

class Found:
    def write(self, path):
        raise NO_ROOM

    def plot(self, ax):
        raise ZeroDivisionError

class Steps(Stage):
    metrics = ("gain", "odd")

    def __init__(self, before=lambda: None, solution=Found):
        self.before, self.solution = before, solution

    def run(self, state, budget):
        for step in range(3):
            state.offer(self.solution(), 9 - step, 0)
            self.before()
            yield Batch(step + 1, 3)

class Odd(Steps):
    def run(self, state, budget):
        for batch in super().run(state, budget):
            batch.logs = {"odd": [batch.done]}
            yield batch

class Keeping(Steps):
    def state_dict(self):
        return {"step": 1}

class FullDisk:
    def __getattr__(self, name):
        return self._write if name == "write" else getattr(os, name)

    def _write(self, file, data):
        raise NO_ROOM

class Broken:
    encoding = "utf-8"

    def write(self, text):
        raise OSError("no terminal")

class Failing(Callback):
    def on_batch_end(self, batch, logs=None):
        raise ValueError("mine")

def remover(folder):
    folder.mkdir(exist_ok=True)
    return lambda: folder.rmdir() if folder.exists() else None

def failing(logger, stop=lambda: None):
    def wait():
        stop()
        while not logger._feed._failed:
            time.sleep(0.01)

    return wait

def cases(folder):
    pending_file.os = FullDisk()
    yield "csv", Steps(), CSVLogger(folder / "log.csv"), {}
    yield "board", Steps(solution=str), TensorBoard(folder / "board"), {}
    pending_file.os = os
    yield "picture", Steps(), TensorBoard(folder / "pictures"), {}
    server = EmbeddedRedis.start()
    logger = RedisLogger(server.url, interval=0.05, announce=False)
    yield "redis", Steps(failing(logger, server.stop)), logger, {}
    logger = RemoteMonitor("http://127.0.0.1:9", interval=0.01)
    yield "remote", Steps(failing(logger)), logger, {}
    yield "display", Steps(), ProgbarLogger("plain", Broken()), {}
    yield "solution", Steps(), SolutionCheckpoint(folder / "x.sol"), {}
    yield "monitor", Steps(), EarlyStopping("gain", mode="max"), {}
    yield "callback", Steps(), Failing(), {"callback_errors": "warn"}
    yield "metric", Odd(), [], {}
    backup = BackupAndRestore(folder / "backup", save_freq=1)
    yield "backup", Keeping(remover(folder / "backup"), str), backup, {}
    gone = remover(folder / "gone")
    yield "timings", Steps(gone), [], {"timings": folder / "gone" / "times.json"}

def told(stage, callback, options):
    with contextlib.redirect_stderr(io.StringIO()) as err:
        run = Pipeline([stage]).fit(callbacks=callback, verbose=False, **options)
    return run.status, run.cost, err.getvalue()

with tempfile.TemporaryDirectory() as folder:
    results = {name: told(*case) for name, *case in cases(Path(folder))}
print(json.dumps(results))
"""
WORDS = {
    "csv": "No space left on device; trying again",
    "board": "No space left on device",
    "picture": "no pictures in TensorBoard: ZeroDivisionError",
    "redis": "writing to Redis at",
    "remote": "posting to http://127.0.0.1:9 failed",
    "display": "the progress display failed: OSError: no terminal",
    "solution": "solutions could not be written",
    "monitor": "EarlyStopping watched 'gain' in vain",
    "callback": "ValueError: mine; it is switched off",
    "metric": "metric 'odd' of stage 'stage' is of type list",
    "backup": "the run goes on, and an older backup stays as it is",
    "timings": "the timings could not be written",
}


@pytest.fixture(scope="module")
def results():
    command = [sys.executable, "-W", "error", "-c", RUNS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("target", WORDS)
def test_where_warnings_are_errors_a_target_that_fails_ends_no_run(results, target):
    status, cost, told = results[target]
    assert (status, cost) == ("finished", 7)
    assert WORDS[target] in told
    assert "RuntimeWarning: " in told
    assert "Traceback" not in told


def test_a_warning_is_given_as_usual_and_tells_where_it_came_from():
    with pytest.warns(RuntimeWarning, match="the disk is full") as caught:
        warn_safely("the disk is full")
    assert caught[0].filename == __file__


def test_a_warning_that_would_raise_is_printed(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_safely("the disk is full")
    assert "RuntimeWarning: the disk is full" in capsys.readouterr().err


def test_a_warning_without_a_place_to_go_is_dropped(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_safely("the disk is full")
