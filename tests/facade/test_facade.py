"""What ``import schoolbell`` gives, in each way of being installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LAZY = """
import sys
import schoolbell
from pathlib import Path

assert Path(schoolbell.__file__).is_relative_to({folder!r}), schoolbell.__file__
loaded = {{name for name in sys.modules if name.startswith("schoolbell.")}}
assert not loaded - {{"schoolbell.moved"}}, loaded
assert set(schoolbell.__all__) <= set(dir(schoolbell))
assert schoolbell.callbacks.Callback is schoolbell.Callback
assert not hasattr(schoolbell, "Pipelines")
from schoolbell import Batch, callbacks, runner, stages
from importlib.util import find_spec

for name in ("callbacks.history", "runner.pipeline", "stages.timetable.model.instance"):
    assert find_spec("schoolbell." + name), name
"""
FULL = """
import schoolbell

for name in schoolbell.__all__:
    assert getattr(schoolbell, name) is not None
from schoolbell import *
from schoolbell.stages.timetable import Instance, QLearner, RepairEnvironment, lower_bound

assert Pipeline.__module__ == "schoolbell.runner" and issubclass(stages.Load, Stage)
assert __version__[0].isdigit() and callable(timetabling_pipeline)
assert QLearner is stages.QLearner
"""


def run(code: str, folder: Path, *options: str, path: str = "") -> None:
    environment = os.environ | {"PYTHONPATH": path}
    subprocess.run([sys.executable, *options, "-c", code], cwd=folder, env=environment, check=True)


def test_a_wheel_gives_the_names_that_people_type(wheel, tmp_path):
    run(LAZY.format(folder=str(wheel)) + FULL, tmp_path, path=str(wheel))


def test_a_checkout_as_working_folder_does_not_hide_the_wheel(wheel, checkout):
    # As `python -m pytest` does it: the working folder comes first on the path.
    run(f"import sys; sys.path.insert(0, {str(checkout)!r})" + FULL, checkout, path=str(wheel))


@pytest.mark.parametrize("first", [True, False])
def test_an_editable_installation_gives_them_too(editable, checkout, tmp_path, first):
    # Without the site's packages, where the project may be installed in another way.
    here = f"import site, sys; site.addsitedir({str(editable)!r})\n"
    if first:
        here += f"sys.path.insert(0, {str(checkout)!r})\n"
    run(here + LAZY.format(folder=str(checkout)), checkout if first else tmp_path, "-S")
