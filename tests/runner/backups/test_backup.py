"""Backups with parts that no run leaves: refused as backups, wherever that is noticed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from schoolbell.callbacks import AdjustOnPlateau, BackupAndRestore, Callback, EarlyStopping
from schoolbell.runner import BackupError, Pipeline, timetabling_pipeline
from schoolbell.runner.backups.backup_file import read_backup, write_backup
from schoolbell.stages import CPSAT, Finalize, GeneticAlgorithm, Load, LouvainClustering
from schoolbell.stages.timetable import generate

pytestmark = pytest.mark.usefixtures("quick_bound")

UNITS = {
    "clustering": {"min_size": 10, "max_size": 40},
    "cp_sat": {"effort": 0.005},
    "ga": {"generations": 3, "founder_moves": 500, "child_moves": 200},
    "rl": {"episodes": 60, "patience": 60},
}


class StopIn(Callback):
    """Ends the run, as a command does, after the first batch of a stage."""

    def __init__(self, stage):
        super().__init__()
        self.stage = stage

    def on_batch_end(self, batch, logs=None):
        if logs["stage"] == self.stage:
            self.pipeline.stop(by="command")


def fit(folder, *callbacks):
    watching = [
        BackupAndRestore(folder, save_freq=None, interval=None),
        EarlyStopping("cost", patience=10_000, scope="pipeline"),
        AdjustOnPlateau("kempe", factor=0.9, patience=10_000, stage="ga"),
    ]
    return timetabling_pipeline(**UNITS).fit(
        generate(25, seed=1), callbacks=[*watching, *callbacks], workers=1, verbose=False
    )


@pytest.fixture(scope="module")
def backups(tmp_path_factory):
    """A backup of the run after a batch of each stage that goes on within itself."""
    trees = {}
    for stage in ("cp_sat", "ga", "rl"):
        folder = tmp_path_factory.mktemp(stage)
        assert fit(folder, StopIn(stage)).status == "stopped"
        trees[stage] = read_backup(folder / "backup.npz")
    return trees


def changed(tree, path, change):
    """Return a copy of a tree with another value at a path, made of the one that is there."""
    if not path:
        return change(tree) if callable(change) else change
    name, *rest = path
    if isinstance(tree, dict):
        return {**tree, name: changed(tree.get(name), rest, change)}
    parts = [changed(one, rest, change) if k == name else one for k, one in enumerate(tree)]
    return type(tree)(parts)


def with_entry(value):
    def put(array):
        array = array.copy()
        array.reshape(-1)[0] = value
        return array

    return put


NAN = float("nan")
CHANGES = [
    ("cp_sat", "place state turn", -3),
    ("cp_sat", "place state turn", []),
    ("cp_sat", "place state periods", lambda array: array[None]),
    ("cp_sat", "place state rooms", with_entry(10_000)),
    ("cp_sat", "place state results", True),
    ("cp_sat", "place state scarce", [np.arange(3)]),
    ("ga", "place state period", with_entry(1000)),
    ("ga", "place state room", with_entry(-9)),
    ("ga", "place state sizes", lambda array: array * 10**6),
    ("ga", "place state rng has_uint32", None),
    ("ga", "place state clusters", lambda array: array + 10**6),
    ("rl", "place state environment best_room", with_entry(10**9)),
    ("rl", "place state environment room", lambda array: array.astype(float)),
    ("rl", "place state environment attempts", lambda array: array[:-1]),
    ("rl", "place state agent values", lambda array: array.astype(str)[:1]),
    ("rl", "place state rng state state", {}),
    ("rl", "place state total", {}),
    ("rl", "place state total", -1),
    ("rl", "place state done", -5),
    ("ga", "index", 1.5),
    ("ga", "elapsed", -1),
    ("ga", "elapsed", 10**400),
    ("ga", "place spent", NAN),
    ("ga", "place batch", True),
    ("ga", "place last", ([1], 5, {})),
    ("ga", "state data cost", 0),
    ("ga", "state data violations", "none"),
    ("ga", "state data version", {}),
    ("ga", "state data overtime", float("inf")),
    ("ga", "state solution periods", with_entry(-2)),
    ("ga", "state data offer", "x"),
    ("ga", "tracker done", None),
    ("ga", "tracker segment end", ""),
    ("ga", "tracker segment total", np.arange(3)),
    ("ga", "tracker segment total", {}),
    ("ga", "tracker past load", "soon"),
    ("ga", "tracker units done", NAN),
    ("ga", "records", [{"name": "load"}]),
    ("ga", "tuned", [{"population": -1}] * 6),
    ("ga", "callbacks", [("History", {"rows": [1]})]),
    ("ga", "callbacks", 7),
]


@pytest.mark.parametrize(("stage", "path", "change"), CHANGES)
def test_a_backup_with_an_impossible_part_is_refused(backups, tmp_path, stage, path, change):
    tree = changed(backups[stage], path.split(), change)
    write_backup(tmp_path / "backup.npz", tree)
    with pytest.raises(BackupError):
        fit(tmp_path)


@pytest.mark.parametrize(
    ("callback", "path", "value"),
    [
        ("History", ["rows", 0, "cost"], []),
        ("History", ["rows", 0, "elapsed"], None),
        ("History", ["_stride"], 0),
        ("History", ["_last"], 3),
        ("EarlyStopping", ["wait"], "long"),
        ("AdjustOnPlateau", ["best"], [1]),
    ],
)
def test_a_backup_with_an_impossible_state_of_a_callback_is_refused(
    backups, tmp_path, callback, path, value
):
    tree = backups["ga"]
    position = [name for name, _ in tree["callbacks"]].index(callback)
    path = ["callbacks", position, 1, *path]
    write_backup(tmp_path / "backup.npz", changed(tree, path, value))
    with pytest.raises(BackupError):
        fit(tmp_path)


def test_the_backups_themselves_go_on(backups, tmp_path):
    for stage, tree in backups.items():
        folder = tmp_path / stage
        folder.mkdir()
        write_backup(folder / "backup.npz", tree)
        assert fit(folder).status == "finished"


def test_a_backup_made_before_modules_moved_is_taken_up(tmp_path):
    # Of a run that was stopped after three batches of its genetic algorithm.
    shutil.copy(Path(__file__).with_name("made_before.npz"), tmp_path / "backup.npz")
    classes = [stage["class"] for stage in read_backup(tmp_path / "backup.npz")["run"]["stages"]]
    assert classes[2] == "schoolbell.stages.cp_sat.CPSAT"
    stages = [
        Load(),
        LouvainClustering(),
        CPSAT(effort=0.01, whole_effort=0.01),
        GeneticAlgorithm(generations=6, population=4),
        Finalize(),
    ]
    backup = BackupAndRestore(tmp_path)
    watching = [EarlyStopping(patience=100), backup]
    run = Pipeline(stages).fit(generate(6, seed=1), seed=1, verbose=0, callbacks=watching)
    assert backup.resumed
    assert (run.status, run.cost, run.violations) == ("finished", 13, 0)
