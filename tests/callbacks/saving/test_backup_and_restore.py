"""What is saved of a run, and how it goes on."""

import io
import json
import re
import warnings
from dataclasses import asdict

import numpy as np
import pytest
from schoolbell.callbacks import (
    BackupAndRestore,
    Callback,
    EarlyStopping,
    LambdaCallback,
    ProgbarLogger,
    RedisLogger,
    RemoteMonitor,
)
from schoolbell.runner import BackupError, Pipeline, replay
from schoolbell.stages import Batch, Stage
from schoolbell.stages.files.array_file import read_arrays, write_arrays

from ..remote.test_remote_monitor import Server


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


class Point:
    """A solution that is no plain data."""

    def __init__(self, height):
        self.height = height


class Fall(Walk):
    """Offers one point and no better one; says only when it runs how backups hold points."""

    name = "fall"

    def run(self, state, budget):
        state.pack_solutions(vars, lambda packed: Point(**packed))
        for batch in super().run(state, budget):
            state.offer(Point(-100), -100.0, 0)
            yield batch


class FallAgain(Fall):
    def restore(self, state, budget):
        state.pack_solutions(vars, lambda packed: Point(**packed))
        yield


@pytest.mark.parametrize("batches", [2, 5, 7])
@pytest.mark.parametrize("stage", [Fall, FallAgain])
def test_a_solution_that_a_stage_packs_is_itself_again_after_a_resume(tmp_path, batches, stage):
    def make():
        return [Walk("one", 4), stage("fall", 4)]

    die(tmp_path, batches, make=make)
    # Killed once more before the stage that knows how to unpack has begun.
    with pytest.raises(Exception, match="DieAfter"):
        fit(tmp_path, [DieAfter(0)], make=make)
    run = fit(tmp_path, make=make)
    assert (type(run.solution), run.solution.height, run.cost) == (Point, -100, -100)


def test_a_packed_solution_that_nobody_can_unpack_any_more_is_refused(tmp_path):
    for stage in (Fall, FallAgain):
        backup = BackupAndRestore(tmp_path, interval=None, delete_checkpoint=False)

        def finished(stage=stage, backup=backup):
            return Pipeline([stage("fall", 4)]).fit(callbacks=backup, seed=3, verbose=False)

        finished()
        if stage is Fall:
            with pytest.raises(BackupError, match="no stage's `restore` has said so again"):
                finished()
            backup.path.unlink()
        else:
            assert finished().solution.height == -100


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


def test_callbacks_of_a_resumed_run_know_how_the_stages_before_went(tmp_path):
    class Curious(Callback):
        def on_pipeline_begin(self, logs=None):
            self.seen = dict(self.params)

    first, second = Curious(), Curious()
    die(tmp_path, 8)
    # Whether it stands before or behind the one that restores.
    backup = BackupAndRestore(tmp_path, interval=None)
    run = Pipeline(stages()).fit(callbacks=[first, backup, second], seed=3, verbose=False)
    for callback in (first, second):
        assert callback.seen["resumed"] is True
        restored = {one["name"]: one["restored"] for one in callback.seen["stages"]}
        assert restored["three"] is None
        assert restored["two"]["ended_by"] == "finished"
        assert restored["one"] == {
            name: getattr(run.stages[0], name)
            for name in ("done", "total", "seconds", "cost", "violations", "ended_by")
        }


@pytest.mark.parametrize("style", ["plain", "tqdm", "rich"])
def test_a_display_shows_stages_that_a_resumed_run_did_not_repeat_as_restored(tmp_path, style):
    die(tmp_path, 8)
    stream = io.StringIO()
    fit(tmp_path, [ProgbarLogger(style, stream)])
    text = stream.getvalue()
    for name in ("One", "Two"):
        assert re.search(rf"{name}[^\n]*restored", text), text
    assert not re.search(r"Three[^\n]*restored", text)


@pytest.mark.parametrize("batches", [2, 5, 9])
def test_what_a_web_server_is_told_counts_on_in_a_resumed_run(tmp_path, batches):
    server = Server()

    def monitor():
        return RemoteMonitor(server.root, send_as_json=True, interval=0.001)

    try:
        die_watched(tmp_path, batches, monitor())
        before = server.events
        fit(tmp_path, [monitor()])
        after = server.events[len(before) :]
    finally:
        server.close()
    assert after[0]["event"] == "pipeline_begin"
    assert after[0]["seq"] > before[-1]["seq"]
    assert [one["seq"] for one in after] == sorted({one["seq"] for one in after})
    assert after[0]["batch"] is None
    known = [one["batch"] for one in after if one["event"] == "snapshot"]
    assert None not in known
    assert [one["progress"] for one in after] == sorted(one["progress"] for one in after)


def die_watched(folder, batches, *callbacks, **options):
    with pytest.raises(Exception, match="DieAfter"):
        fit(folder, [*callbacks, DieAfter(batches)], **options)


@pytest.mark.parametrize("batches", [1, 2, 5, 9, 11])
def test_redis_keeps_a_resumed_run_as_one_that_was_never_lost(tmp_path, redis_server, batches):
    url, client = redis_server.url, redis_server.client()

    def logger():
        return RedisLogger(url, "monday", announce=False)

    die_watched(tmp_path, batches, logger())
    seq = int(client.hget("schoolbell:job:monday", "seq"))
    client.xadd("schoolbell:job:monday:commands", {"command": "stop"})
    run = fit(tmp_path, [logger()])
    assert run.status == "finished"
    events = [fields for _, fields in client.xrange("schoolbell:job:monday:events")]
    assert [int(one["seq"]) for one in events] == list(range(1, len(events) + 1))
    assert len(events) > seq
    ends = json.loads(client.hget("schoolbell:job:monday", "stages"))
    assert [one["ended_by"] for one in ends] == ["finished"] * 3
    assert [one["done"] for one in ends] == [4, 3, 5]
    # Replayed it is one run.
    calls = []
    note = LambdaCallback(
        on_pipeline_begin=lambda logs: calls.append("begin"),
        on_stage_begin=lambda stage, logs: calls.append(f"begin {stage}"),
        on_stage_end=lambda stage, logs: calls.append(f"end {stage}"),
        on_pipeline_end=lambda logs: calls.append(logs["status"]),
    )
    replayed = replay("redis:monday", note, url=url)
    stages_of = ["begin one", "end one", "begin two", "end two", "begin three", "end three"]
    assert calls == ["begin", *stages_of, "finished"]
    assert replayed.cost == run.cost
    keys = [(row["stage"], row["batch"]) for row in replayed.history]
    assert len(keys) == len(set(keys))


def test_a_server_that_has_lost_the_run_counts_on_from_the_backup(
    tmp_path, redis_server, monkeypatch
):
    state = {"seq": 40, "batch": 1, "logs": {"gain": 2}}
    monkeypatch.setattr(RedisLogger, "state_dict", lambda _: state)

    def logger():
        return RedisLogger(redis_server.url, "monday", announce=False)

    die_watched(tmp_path, 9, logger())
    redis_server.kill()
    redis_server.start()
    fit(tmp_path, [logger()])
    seqs = [
        int(fields["seq"])
        for _, fields in redis_server.client().xrange("schoolbell:job:monday:events")
    ]
    assert seqs == sorted(set(seqs))
    assert seqs[-1] > 40


@pytest.mark.parametrize("batches", [2, 5, 9])
def test_progress_in_the_history_is_that_of_the_work_whoever_reads(tmp_path, batches):
    class Poll(Callback):
        """Reads progress all the time, as a display does."""

        def on_stage_begin(self, stage, logs=None):
            self.pipeline.tracker.snapshot()

        def on_batch_end(self, batch, logs=None):
            self.pipeline.tracker.snapshot()

        on_stage_end = on_stage_begin

    class Growing(Walk):
        """Learns in the midst of its work how much there is."""

        def run(self, state, budget):
            for batch in super().run(state, budget):
                if batch.done < 3:
                    batch.total = (None, None, 2)[batch.done]
                yield batch

    def make():
        return [Growing("one", 4), Growing("two", 9), Growing("three", 5)]

    def progress(run):
        return [(row["stage"], row["progress"]) for row in run.history]

    plain = progress(fit(None, make=make))
    assert progress(fit(None, [Poll()], make=make)) == plain
    die(tmp_path, batches, make=make)
    assert progress(fit(tmp_path, [Poll()], make=make)) == plain
