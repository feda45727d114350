"""No file is ever half-written: on a full disk, and when the process is killed."""

import json
import random
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pandas as pd
import pytest
from schoolbell.stages.timetable import Solution, generate

PROGRAM = Path(sys.executable).with_name("schoolbell")


def limited(bytes_a_file):
    """Return what makes a process find the disk full when a file has so many bytes."""

    def limit():
        # Python ignores the signal that comes with it, so that writing fails.
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))

    return limit


def run_script(script, folder, limit=None):
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", textwrap.dedent(script)],
        cwd=folder,
        capture_output=True,
        text=True,
        preexec_fn=limit,
        check=False,
    )


LOGGERS = """
    from pathlib import Path
    from schoolbell.callbacks import CSVLogger, SolutionCheckpoint
    from schoolbell.runner import Pipeline
    from schoolbell.runner.config.config_file import ConfigFile
    from schoolbell.stages import Batch, Stage
    from schoolbell.stages.files.atomic import write_atomically

    class Text(str):
        def write(self, path):
            write_atomically(path, self)

    class Growing(Stage):
        metrics = ("size",)

        def run(self, state, budget):
            for i in range(1, 401):
                state.offer(Text("line\\n" * 20 * i + "end"), -i, 0)
                yield Batch(i, 400, {"size": i})

    callbacks = [
        CSVLogger("log.csv"),
        SolutionCheckpoint("best/{batch}.sol", save_freq=40),
        ConfigFile(Path("run.json"), {"padding": "x" * 9_000}),
        *more,
    ]
    run = Pipeline([Growing()]).fit(callbacks=callbacks, verbose=False)
    print(run.status, run.cost)
"""
TENSORBOARD = "from schoolbell.callbacks import TensorBoard; more = [TensorBoard('logs')]\n"


@pytest.fixture(scope="module")
def on_a_full_disk(tmp_path_factory):
    """What a run with loggers says, and the folder of its files, none of over 8,000 bytes."""
    pytest.importorskip("tensorboardX")
    folder = tmp_path_factory.mktemp("full")
    script = TENSORBOARD + textwrap.dedent(LOGGERS)
    return run_script(script, folder, limited(8_000)), folder


def test_a_run_goes_on_when_the_loggers_disk_is_full_and_tells_what_is_missing(on_a_full_disk):
    done, folder = on_a_full_disk
    assert done.stdout == "finished -400\n", done.stderr
    # Rows are whole, and no more than there was room for.
    text = (folder / "log.csv").read_text()
    assert 0 < len(text) <= 8_000
    assert text.endswith("\n")
    assert pd.read_csv(folder / "log.csv")["done"].tolist() == list(range(1, text.count("\n")))
    # Up to 79 lines of 20 x 5 bytes fit.
    assert [path.name for path in (folder / "best").iterdir()] == ["39.sol"]
    assert (folder / "best" / "39.sol").read_text().endswith("end")
    assert not (folder / "run.json").exists()
    assert not list(folder.rglob(".*"))
    warned = [line for line in done.stderr.splitlines() if "RuntimeWarning" in line]
    told = {
        "log.csv": ("trying again", "lines of log.csv could not be written"),
        "best": ("trying again", "9 solutions could not be written, the last of them best/399.sol"),
        "run.json": ("run.json could not be written",),
        "logs": ("File too large", "could not be written to logs"),
    }
    for name, parts in told.items():
        about = [line for line in warned if name in line]
        assert len(about) == len(parts), (name, warned)
        assert all(part in line for part, line in zip(parts, about, strict=True)), about


def test_the_event_file_of_a_full_disk_is_readable(on_a_full_disk):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    (path,) = (on_a_full_disk[1] / "logs").iterdir()
    events = list(reader.LegacyEventFileLoader(str(path)).Load())
    assert len(events) > 50
    # All that is in the file was read: its last record is whole.
    assert sum(12 + one.ByteSize() + 4 for one in events) == path.stat().st_size


def test_fit_tells_its_result_and_which_files_are_missing_when_the_disk_is_full(tmp_path):
    generate(20, seed=3).write(tmp_path / "small.ectt")
    settings = "ga.generations=0 ga.population=2 ga.founder_moves=300 cp_sat.rounds=0 rl.episodes=0"
    options = [part for one in settings.split() for part in ("--set", one)]
    command = [PROGRAM, "fit", "small.ectt", "--quiet", *options]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=limited(6_000),
        check=False,
    )
    assert done.returncode == 1
    (folder,) = (tmp_path / "runs").iterdir()
    assert "Total" in done.stdout
    assert "timetable.html (missing)" in done.stdout
    assert "timetable.html: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    files = {path.name for path in folder.iterdir()}
    assert files >= {"solution.sol", "log.csv", "run.json"}
    assert "timetable.html" not in files
    instance = generate(20, seed=3)
    assert len(Solution.read(folder / "solution.sol", instance)) == instance.n_lectures
    assert json.loads((folder / "run.json").read_text())["outcome"]["status"] == "failed"


def test_no_file_is_half_written_or_left_over_when_the_process_is_killed(tmp_path):
    script = """
        import itertools, sys
        from pathlib import Path
        from schoolbell.stages.files.atomic import write_atomically
        for i in itertools.count():
            write_atomically(f"{i % 3}.txt", "line\\n" * 300_000 + "end")
            if i == 3:
                print("now", flush=True)
    """
    rng = random.Random(4)
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)], cwd=folder, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for path in folder.iterdir():
            assert path.read_text().endswith("end"), path
