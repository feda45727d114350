"""Pickles that earlier versions have made still load.

``made_before.pickle`` holds public objects as they were before modules were put into folders.
"""

import os
import pickletools
import subprocess
import sys
from pathlib import Path

MADE_BEFORE = Path(__file__).with_name("made_before.pickle")

READ = """
import pickle, sys

with open(sys.argv[1], "rb") as file:
    held = pickle.load(file)
import schoolbell.callbacks
from schoolbell.stages.timetable import evaluate

run = held["run"]
assert run.status == "finished" and run.history.rows[-1]["cost"] == 13, run
assert (run.cost, run.violations) == (13, 0) and run.cost == evaluate(run.solution).cost
assert held["evaluation"].cost == run.cost and held["solution"] == run.solution
for one in held["callbacks"]:
    assert type(one) is getattr(schoolbell.callbacks, type(one).__name__)
assert str(held["errors"][0]) == "a:1: found b, expected c"
assert [stage.name for stage in held["pipeline"].stages][0] == "load"
assert held["agent"].actions and held["formulation"].name == "UD2"
"""


def test_pickles_made_before_load_and_hold_what_they_held(wheel, tmp_path):
    subprocess.run(
        [sys.executable, "-c", READ, MADE_BEFORE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(wheel)},
        check=True,
    )


def test_they_name_modules_that_have_moved():
    named = {argument for _, argument, _ in pickletools.genops(MADE_BEFORE.read_bytes())}
    assert {"schoolbell.callbacks.history", "schoolbell.stages.cp_sat"} <= named
