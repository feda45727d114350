"""Streams that are closed, full, or poor in characters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from schoolbell.runner.cli.main import main
from schoolbell.runner.cli.output import usable_streams
from schoolbell.stages.timetable import Course, Formulation, Instance, Room, Solution
from schoolbell.stages.timetable.search.compile_kernels import compile_kernels

PROGRAM = Path(sys.executable).with_name("schoolbell")
FILES = {"solution.sol", "timetable.html", "timetable.csv", "log.csv", "run.json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an instance, a solution of it and the log of a run."""
    folder = tmp_path_factory.mktemp("Übung")
    # Its best timetable is soon proved to be the best: no run takes longer than that.
    courses = (Course("algebra", "noether", 2, 2, 40), Course("logic", "tarski", 1, 1, 9))
    instance = Instance("pair", 2, 2, courses, (Room("hall", 30), Room("loft", 9)))
    instance.write(folder / "Prüfung.ectt")
    # Here, where no time is too long for it.
    compile_kernels(Formulation.UD2)
    run("fit Prüfung.ectt --time-limit 5 --csv log.csv --out week.sol", folder)
    return folder


def run(command, folder, redirect="", **env):
    """Run a command line of the program in a shell; return its status, stdout and stderr."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        ["bash", "-c", f"exec {PROGRAM} {command} {redirect}"],
        cwd=folder,
        env=known | env,
        capture_output=True,
        timeout=120,
    )
    out, error = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    assert "Traceback" not in error
    assert "Exception ignored" not in error
    return done.returncode, out, error


COMMANDS = {
    "help": "--help",
    "generate": "generate --courses 30",
    "generate much": "generate --courses 400",
    "validate": "validate Prüfung.ectt week.sol --details",
    "replay": "replay log.csv --quiet --csv again.csv",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_cannot_be_printed_is_told_in_one_line_and_status_1(folder, command):
    status, _, error = run(COMMANDS[command], folder, ">/dev/full")
    assert (status, error) == (1, "schoolbell: cannot write: No space left on device\n")


def test_unbuffered_output_that_cannot_be_printed_is_told_too(folder):
    status, _, error = run(COMMANDS["generate"], folder, ">/dev/full", PYTHONUNBUFFERED="1")
    assert (status, error) == (1, "schoolbell: cannot write: No space left on device\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_without_streams_every_command_does_its_work(folder, command):
    (folder / "again.csv").unlink(missing_ok=True)
    assert run(COMMANDS[command], folder, ">&- 2>&- <&-") == (0, "", "")
    assert command != "replay" or (folder / "again.csv").exists()


@pytest.mark.parametrize("redirect", ["2>&-", "2>/dev/full"])
def test_what_goes_wrong_is_told_by_the_status_where_nobody_can_be_told(folder, redirect):
    assert run("validate absent.ectt week.sol", folder, redirect) == (2, "", "")


@pytest.mark.parametrize(
    ("redirect", "status"),
    [(">&- 2>&-", 0), ("2>/dev/full", 0), (">/dev/full 2>/dev/full", 1)],
)
def test_fit_writes_its_files_whatever_the_streams(folder, tmp_path, redirect, status):
    found = run(f"fit {folder}/Prüfung.ectt --time-limit 5", tmp_path, redirect)
    assert found[0] == status
    (made,) = (tmp_path / "runs").iterdir()
    assert {path.name for path in made.iterdir()} == FILES
    instance = Instance.read(folder / "Prüfung.ectt")
    assert len(Solution.read(made / "solution.sol", instance)) == instance.n_lectures


def test_progress_is_never_among_the_results(folder):
    told = run("replay log.csv", folder, "2>&-")
    assert told[0] == 0
    assert "%" not in told[1]
    assert told[1].startswith("Run ")


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "Pr\\xfcfung.ectt"),
        ({"PYTHONIOENCODING": "cp1252"}, "Pr�fung.ectt"),
        # A C locale whose bytes Python hands through.
        (
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            "Prüfung.ectt",
        ),
    ],
    ids=["ascii", "cp1252", "C"],
)
def test_fit_goes_on_where_its_paths_cannot_be_printed(folder, tmp_path, env, name):
    status, out, error = run(f"fit {folder}/Prüfung.ectt --time-limit 5", tmp_path, **env)
    assert status == 0, error
    lines = out.splitlines()
    assert next(line for line in lines if line.startswith("instance")).endswith(name)
    assert lines[-1].startswith("run ")
    (made,) = (tmp_path / "runs").iterdir()
    assert {path.name for path in made.iterdir()} == FILES


def test_streams_are_as_they_were_afterwards(monkeypatch, capsys):
    errors = sys.stdout.errors
    main(["generate", "--courses", "30"])
    assert sys.stdout.errors == errors
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with usable_streams():
        print("to nobody")
        print("to nobody", file=sys.stderr)
    assert sys.stdout is None
    assert sys.stderr is None
    assert main(["generate", "--courses", "30"]) == 0
