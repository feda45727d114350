"""What an installation has to hold."""

from importlib.metadata import entry_points, requires, version
from importlib.resources import files

import pytest
from schoolbell.runner.cli.main import program


@pytest.mark.parametrize(
    ("package", "file"),
    [
        ("schoolbell.callbacks", "py.typed"),
        ("schoolbell.stages", "py.typed"),
        ("schoolbell.runner", "py.typed"),
        ("schoolbell.stages.timetable.views", "timetable.html"),
        ("schoolbell.stages.university.views", "university.html"),
        ("schoolbell.stages.views", "page.js"),
        ("schoolbell.stages.timetable.search.repairing", "repair_agent.npz"),
    ],
)
def test_files_beside_the_code_are_installed(package, file):
    assert files(package).joinpath(file).is_file()


def test_the_console_script_runs_the_command_line():
    (script,) = entry_points(group="console_scripts", name="schoolbell")
    assert script.load() is program


def test_the_metadata_is_installed():
    assert version("schoolbell")
    assert any(line.startswith("numba") for line in requires("schoolbell") or [])
