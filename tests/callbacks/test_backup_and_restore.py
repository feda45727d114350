"""What is saved of a run, and how it goes on."""

import json
import warnings
from dataclasses import asdict

import numpy as np
import pytest
from schoolbell.callbacks import BackupAndRestore, Callback, EarlyStopping, LambdaCallback
from schoolbell.runner import BackupError, Pipeline
from schoolbell.stages import Batch, Stage
from schoolbell.stages.timetable.array_file import read_arrays, write_arrays


class Walk(Stage):
    """A random walk whose lowest point is the solution; it keeps its state."""

    metrics = ("height",)

    def __init__(self, name="walk", steps=6):
        self.name, self.steps = name, steps
        self._walk = None
        self._loaded = None

    def run(self, state, budget):
        loaded, self._loaded = self._loaded, None
        rng = np.random.default_rng(state.seed_sequence(self.name))
        self._walk = walk = {"done": 0, "heights": np.full(3, 50.0)}
        if loaded is not None:
            walk |= {"done": loaded["done"], "heights": loaded["heights"].copy()}
            rng.bit_generator.state = loaded["rng"]
        self._rng = rng
        while walk["done"] < self.steps and not budget.should_end:
            walk["heights"] += rng.normal(size=3)
            walk["done"] += 1
            lowest = float(walk["heights"].min())
            state.offer([lowest, walk["done"]], lowest, 0)
            setattr(state, f"left_by_{self.name}", walk["heights"].copy())
            yield Batch(walk["done"], self.steps, {"height": float(walk["heights"].mean())})

    def state_dict(self):
        walk = self._walk
        return {
            "done": walk["done"],
            "heights": walk["heights"].copy(),
            "rng": self._rng.bit_generator.state,
        }

    def load_state_dict(self, state):
        if state["heights"].shape != (3,):
            raise ValueError("three heights are needed")
        self._loaded = state


class Stateless(Walk):
    """The same, but it begins again."""

    def state_dict(self):
        return {}


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


def stages():
    return [Walk("one", 4), Stateless("two", 3), Walk("three", 5)]


def rows(run):
    return [{name: row[name] for name in row if name != "elapsed"} for row in run.history]


def outcome(run):
    records = [
        {k: v for k, v in asdict(one).items() if k not in ("seconds", "began")}
        for one in run.stages
    ]
    left = {k: v.tolist() for k, v in vars(run.state).items() if k.startswith("left_by")}
    return run.solution, run.cost, run.status, rows(run), records, left


def fit(folder=None, callbacks=(), seed=3, make=stages, **options):
    backup = [BackupAndRestore(folder, save_freq=1, interval=None)] if folder else []
    return Pipeline(make()).fit(
        callbacks=[*backup, *callbacks], seed=seed, verbose=False, **options
    )


def die(folder, batches, **options):
    with pytest.raises(Exception, match="DieAfter"):
        fit(folder, [DieAfter(batches)], **options)


@pytest.mark.parametrize("batches", range(12))
def test_a_run_that_ended_after_any_batch_goes_on_as_if_it_had_not(tmp_path, batches):
    die(tmp_path, batches)
    assert outcome(fit(tmp_path)) == outcome(fit())


def test_a_run_may_be_lost_again_and_again(tmp_path):
    for _ in range(4):
        die(tmp_path, 3)
    assert outcome(fit(tmp_path)) == outcome(fit())


def test_hooks_of_stages_that_had_ended_are_not_called_again(tmp_path):
    die(tmp_path, 8)
    calls = []
    note = LambdaCallback(
        on_stage_begin=lambda stage, logs: calls.append(stage),
        on_batch_end=lambda batch, logs: calls.append(batch),
    )
    fit(tmp_path, [note])
    # The stage that has state goes on where it was.
    assert calls == ["three", 1, 2, 3, 4]


def test_callbacks_that_count_go_on_counting(tmp_path):
    def watcher():
        return EarlyStopping("cost", patience=3, scope="pipeline")

    with pytest.raises(Exception, match="DieAfter"):
        fit(tmp_path, [watcher(), DieAfter(2)], seed=11)
    assert rows(fit(tmp_path, [watcher()], seed=11)) == rows(fit(None, [watcher()], seed=11))


def test_the_time_already_spent_counts(tmp_path):
    class Slow(Walk):
        def run(self, state, budget):
            self.seen = budget.elapsed
            yield from super().run(state, budget)

    stage = Slow("one", 4)
    die(tmp_path, 2, make=lambda: [Slow("one", 4)], time_limit=1000)
    tree = arrays_of(tmp_path)[1]
    tree["elapsed"], tree["place"]["spent"] = 400.0, 300.0
    write_tree(tmp_path, tree)
    run = fit(tmp_path, make=lambda: [stage], time_limit=1000)
    assert 400 < run.seconds < 500
    assert 300 <= stage.seen < 400


def arrays_of(folder):
    arrays = read_arrays(folder / "backup.npz", "schoolbell backup", 1)
    return arrays, json.loads(arrays["tree"].tobytes())


def write_tree(folder, tree, version=1, **more):
    arrays, _ = arrays_of(folder)
    arrays["tree"] = np.frombuffer(json.dumps(tree).encode(), np.uint8)
    write_arrays(folder / "backup.npz", "schoolbell backup", version, arrays | more)


def test_the_backup_is_gone_after_a_good_end(tmp_path):
    fit(tmp_path)
    assert list(tmp_path.iterdir()) == []
    fit(None, [BackupAndRestore(tmp_path, delete_checkpoint=False)])
    assert [path.name for path in tmp_path.iterdir()] == ["backup.npz"]


def test_a_run_that_a_command_stopped_goes_on_within_its_stage(tmp_path):
    pipeline = Pipeline(stages())
    stop = LambdaCallback(
        on_batch_end=lambda batch, logs: logs["done"] == 2 and pipeline.stop("command")
    )
    run = pipeline.fit(
        callbacks=[BackupAndRestore(tmp_path, interval=None), stop], seed=3, verbose=False
    )
    assert run.status == "stopped"
    assert (run.history.rows[-1]["stage"], run.history.rows[-1]["done"]) == ("one", 2)
    assert outcome(fit(tmp_path)) == outcome(fit())


def test_what_a_kill_left_half_written_is_removed(tmp_path):
    (tmp_path / ".backup.npz.12ab.part").write_bytes(b"half")
    fit(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "its seed is 3, not 4"),
        ({"time_limit": 60}, "its time limit is None, not 60"),
        ({"problem": "another"}, "its problem is another one"),
        ({"make": lambda: stages()[:2]}, "its stages are one, two, three, not one, two"),
        ({"make": lambda: [Walk("one", 9), *stages()[1:]]}, "its one.steps is 4, not 9"),
        ({"make": lambda: [Stateless("one", 4), *stages()[1:]]}, "its stage 'one' is a"),
    ],
)
def test_a_backup_of_another_run_is_refused_and_kept(tmp_path, change, message):
    die(tmp_path, 5)
    before = (tmp_path / "backup.npz").read_bytes()
    with pytest.raises(BackupError, match=message):
        fit(tmp_path, **change)
    assert (tmp_path / "backup.npz").read_bytes() == before


def test_a_backup_of_another_version_is_refused(tmp_path):
    die(tmp_path, 5)
    write_tree(tmp_path, arrays_of(tmp_path)[1], version=2)
    with pytest.raises(BackupError, match="version 2"):
        fit(tmp_path)


@pytest.mark.parametrize(
    "senseless",
    [
        {"index": 7},
        {"index": "one"},
        {"state": {"data": {"offer": 1}, "objects": [], "solution": None}},
        {"state": {"data": {}, "objects": ["engine"], "solution": None}},
        {"place": {}},
        {"callbacks": [["History", {"rows": []}]]},
        {"tracker": {}},
        {"records": [{"name": "one"}]},
        {"tuned": [{"steps": 4}]},
        {"more": 1},
    ],
)
def test_a_backup_that_makes_no_sense_is_refused(tmp_path, senseless):
    die(tmp_path, 5)
    write_tree(tmp_path, arrays_of(tmp_path)[1] | senseless)
    with pytest.raises(BackupError, match=r"backup\.npz"):
        fit(tmp_path)


def test_a_full_disk_is_warned_of_once_and_the_run_goes_on(tmp_path):
    backup = BackupAndRestore(tmp_path / "folder", save_freq=1, interval=None)

    def vanish(stage, logs):
        backup.path.unlink(missing_ok=True)
        backup.path.parent.rmdir()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = fit(None, [backup, LambdaCallback(on_pipeline_begin=lambda logs: vanish("", logs))])
    assert outcome(run) == outcome(fit())
    assert [str(one.message)[:10] for one in caught] == ["the backup"]


def test_what_cannot_be_saved_is_warned_of_and_the_run_goes_on(tmp_path):
    class Odd(Walk):
        def run(self, state, budget):
            state.engine = object()
            yield from super().run(state, budget)

    with pytest.warns(RuntimeWarning, match="engine on the state cannot be saved"):
        fit(tmp_path, make=lambda: [Odd("one"), Walk("two")])


@pytest.mark.parametrize("arguments", [{"save_freq": 0}, {"save_freq": "batch"}, {"interval": -1}])
def test_impossible_arguments_are_refused(tmp_path, arguments):
    with pytest.raises(ValueError, match="must be"):
        BackupAndRestore(tmp_path, **arguments)


class Odd(Stage):
    """Finds one solution, of a cost that is hard to compare."""

    name, brief = "odd", True

    def __init__(self, cost):
        self.cost = cost

    def run(self, state, budget):
        state.offer("odd", self.cost)
        yield Batch(1, 1)


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_a_run_whose_best_cost_is_odd_goes_on(tmp_path, cost):
    def go(*callbacks):
        backup = BackupAndRestore(tmp_path, interval=None)
        stages = [Odd(cost), Walk("two", 3)]
        return Pipeline(stages).fit(callbacks=[backup, *callbacks], verbose=False)

    with pytest.raises(Exception, match="DieAfter"):
        go(DieAfter(1))
    assert (tmp_path / "backup.npz").exists()
    run = go()
    assert [stage.name for stage in run.stages] == ["odd", "two"]
    assert repr(run.stages[0].cost) == repr(cost)
    assert len(run.history) == 4
