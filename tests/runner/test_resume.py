"""The six stages: the same seed gives the same answer, also after kills."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from schoolbell.callbacks import BackupAndRestore, Callback, CSVLogger, TensorBoard
from schoolbell.runner import timetabling_pipeline
from schoolbell.stages.timetable import generate

# Without a time limit the lower bound would take longer than all stages of these runs.
PROGRAM = """
from schoolbell.runner.cli.main import program
from schoolbell.stages.timetable.steps import load

load.BOUND_EFFORT = 0.01
program()
"""
pytestmark = pytest.mark.usefixtures("quick_bound")

UNITS = {
    "clustering": {"min_size": 10, "max_size": 40, "chunk_size": 200},
    "cp_sat": {"effort": 0.004},
    "ga": {"generations": 2, "founder_moves": 400, "child_moves": 200},
    "rl": {"episodes": 100, "patience": 100},
}


class Dying(Exception):
    pass


class DieAfter(Callback):
    """Ends the run as a kill would, after so many batches."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left < 0:
            raise Dying


@pytest.fixture(scope="module")
def problem():
    return generate(40, seed=2)


def fit(problem, callbacks=(), workers=2, **options):
    return timetabling_pipeline(**UNITS).fit(
        problem, callbacks=list(callbacks), seed=5, workers=workers, verbose=False, **options
    )


def outcome(run):
    """The solution, bit for bit, and the history without the seconds."""
    arrays = [getattr(run.solution, name).tolist() for name in ("courses", "periods", "rooms")]
    rows = [{name: row[name] for name in row if name != "elapsed"} for row in run.history]
    return arrays, rows


@pytest.fixture(scope="module")
def expected(problem):
    run = fit(problem)
    assert [one.name for one in run.stages if one.done] == [
        "load", "clustering", "cp_sat", "ga", "rl", "finalize",
    ]  # fmt: skip
    return outcome(run)


def test_any_number_of_workers_gives_the_same_answer(problem, expected):
    assert outcome(fit(problem, workers=1)) == expected
    assert outcome(fit(problem, workers=3)) == expected


def test_processes_give_the_same_answer_as_threads(problem, expected):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        assert outcome(fit(problem, executor=executor)) == expected


def test_callbacks_do_not_change_the_answer(problem, expected, tmp_path):
    callbacks = [
        CSVLogger(tmp_path / "log.csv"),
        TensorBoard(tmp_path / "board"),
        BackupAndRestore(tmp_path / "backup", save_freq=1, interval=None),
    ]
    assert outcome(fit(problem, callbacks)) == expected


def test_a_run_that_ended_in_any_stage_goes_on_as_if_it_had_not(problem, expected, tmp_path):
    rows = expected[1]
    # In each stage: before its second batch and before its last.
    places = {0}
    for stage in ("clustering", "cp_sat", "ga", "rl", "finalize"):
        own = [number for number, row in enumerate(rows) if row["stage"] == stage]
        places |= {own[min(1, len(own) - 1)], own[-1]}
    for batches in sorted(places):
        folder = tmp_path / str(batches)

        def backup(folder=folder):
            return BackupAndRestore(folder, save_freq=1, interval=None)

        with pytest.raises(Exception, match="DieAfter"):
            fit(problem, [backup(), DieAfter(batches)])
        assert outcome(fit(problem, [backup()])) == expected, f"after {batches} batches"


def test_the_same_command_goes_on_after_a_kill(problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    problem.write("week.ectt")
    command = [sys.executable, "-c", PROGRAM, "fit", "week.ectt", "--seed", "5", "--quiet"]
    for stage, parameters in UNITS.items():
        for name, value in parameters.items():
            command += ["--set", f"{stage}.{name}={value}"]
    # Long enough to be killed on the way.
    command += ["--set", "ga.generations=40", "--out", "killed.sol"]
    backup = Path("saved/backup.npz")
    with subprocess.Popen([*command, "--backup", "saved"], stdout=subprocess.DEVNULL) as process:
        while not backup.exists():
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    subprocess.run([*command, "--backup", "saved"], check=True, stdout=subprocess.DEVNULL)
    assert not backup.exists()
    run = timetabling_pipeline(**(UNITS | {"ga": UNITS["ga"] | {"generations": 40}})).fit(
        problem, seed=5, verbose=False
    )
    assert Path("killed.sol").read_text() == run.solution.dumps()
