"""What stages and callbacks may leave in a backup: nothing of it ends its thread, or the run."""

import threading
import warnings

import numpy as np
import pytest
from schoolbell.callbacks import BackupAndRestore, Callback
from schoolbell.runner import BackupError, Pipeline, timetabling_pipeline
from schoolbell.runner.backups.backup_file import read_backup
from schoolbell.runner.backups.backup_writer import BackupWriter
from schoolbell.stages import Batch, Stage
from schoolbell.stages.timetable import generate


class Keeps(Stage):
    """Keeps what it was told to, and takes back whatever a backup has of it."""

    name = "keeps"
    metrics = ("odd",)

    def __init__(self, steps=3):
        self.steps = steps
        self.kept, self.odd, self.taken = {}, None, None

    def run(self, state, budget):
        for done in range(1 + (self.taken or {}).get("done", 0), self.steps + 1):
            self.done = done
            state.offer([done], -done)
            yield Batch(done, self.steps, {"odd": self.odd})

    def state_dict(self):
        return {"done": self.done, **self.kept}

    def load_state_dict(self, state):
        self.taken = state


class Counts(Callback):
    """Counts batches and saves the count, and what else it was told to."""

    def __init__(self):
        super().__init__()
        self.count, self.kept, self.taken = 0, {}, None

    def on_batch_end(self, batch, logs=None):
        self.count += 1

    def state_dict(self):
        return {"count": self.count, **self.kept}

    def load_state_dict(self, state):
        self.taken = state


class StopAfter(Callback):
    """Ends the run as a command does, so that it can go on."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_batch_end(self, batch, logs=None):
        if batch + 1 == self.batches:
            self.pipeline.stop(by="command")


def fit(folder, stage, *callbacks):
    backup = BackupAndRestore(folder, save_freq=1, interval=None)
    return Pipeline([stage]).fit(callbacks=[backup, *callbacks], verbose=False)


def stop_and_go_on(folder, stage, callback=None):
    """Return a stage and a callback of the run that goes on after a stop."""
    watching = [] if callback is None else [callback]
    assert fit(folder, stage, *watching, StopAfter(2)).status == "stopped"
    later, again = Keeps(), Counts()
    assert fit(folder, later, *([again] if watching else [])).status == "finished"
    return later, again


def test_bytes_and_all_that_is_plain_come_back_exactly(tmp_path):
    stage = Keeps()
    stage.kept = {
        "blob": bytes(range(256)), "grown": bytearray(b"ab"), "nothing": b"", "set": {1, 2},
        "by number": {1: "a", (2, 3): [4.5]}, "huge": 10**6000, "odd": [float("inf"), 1j],
        "when": np.datetime64("2020-02-02"),
    }  # fmt: skip
    callback = Counts()
    callback.kept = {"blob": b"\0\xff"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        later, again = stop_and_go_on(tmp_path, stage, callback)
    assert later.taken == {"done": 2, **stage.kept}
    assert type(later.taken["grown"]) is bytearray
    assert again.taken == {"count": 2, "blob": b"\0\xff"}


def named(caught):
    return [str(one.message) for one in caught if "a backup cannot hold" in str(one.message)]


def test_an_object_of_a_stage_is_named_once_and_the_rest_is_saved(tmp_path):
    stage = Keeps()
    stage.kept = {"rng": np.random.default_rng(1), "inner": {"lock": threading.Lock(), "n": 5}}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        later, _ = stop_and_go_on(tmp_path, stage)
    (message,) = named(caught)
    assert "stage 'keeps': state.rng (a Generator)" in message
    assert "stage 'keeps': state.inner.lock (a lock)" in message
    assert later.taken == {"done": 2, "inner": {"n": 5}}


def test_an_object_of_a_callback_is_named_once_and_the_rest_is_saved(tmp_path):
    callback = Counts()
    callback.kept = {"thing": object(), "rows": [{"a": 1, "b": object()}] * 3}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, again = stop_and_go_on(tmp_path, Keeps(), callback)
    (message,) = named(caught)
    assert "callback Counts: state.thing (a object)" in message
    assert message.count("rows[…].b (a object)") == 1
    assert again.taken == {"count": 2, "rows": [{"a": 1}] * 3}


def endless():
    items = {}
    items["more"] = [items]
    return items


ODD = [object(), endless(), {object(): 1}, np.array([None]), lambda: 1, threading.Lock()]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
@pytest.mark.parametrize("where", ["stage", "callback", "metric"])
def test_nothing_ends_the_thread_that_writes(tmp_path, monkeypatch, odd, where):
    died = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    stage, callback = Keeps(), Counts()
    if where == "stage":
        stage.kept = {"odd": odd}
    elif where == "callback":
        callback.kept = {"odd": odd}
    else:
        stage.odd = odd
    # Of a metric the history, as every logger, keeps a short text.
    named = "loggers keep a short text" if where == "metric" else "a backup cannot hold"
    with pytest.warns(RuntimeWarning, match=named):
        stop_and_go_on(tmp_path, stage, callback)
    assert not died


def test_what_no_stage_should_return_is_told_and_the_run_is_saved_when_the_stage_has_ended(
    tmp_path,
):
    class Wrong(Keeps):
        def state_dict(self):
            return [1, 2]

    class Raises(Keeps):
        def state_dict(self):
            raise KeyError("population")

    for stage, words in ((Wrong(), "no dict"), (Raises(), "KeyError")):
        backup = BackupAndRestore(tmp_path, interval=0, delete_checkpoint=False)
        with pytest.warns(RuntimeWarning, match=f"state_dict failed: .*{words}"):
            Pipeline([stage]).fit(callbacks=backup, verbose=False)
        assert read_backup(backup.path)["index"] == 1
        backup.path.unlink()


def test_a_callback_whose_state_dict_raises_is_told_and_ends_nothing(tmp_path):
    class Raises(Counts):
        def state_dict(self):
            raise KeyError("count")

    with pytest.warns(RuntimeWarning, match="callback Raises: state .state_dict failed: KeyError"):
        assert fit(tmp_path, Keeps(), Raises()).status == "finished"


def test_what_was_left_out_is_named_where_the_stage_cannot_go_on_without(tmp_path):
    class Needs(Keeps):
        def load_state_dict(self, state):
            self.rng = state["rng"]

    stage = Needs()
    stage.kept = {"rng": np.random.default_rng(1)}
    with pytest.warns(RuntimeWarning, match="a backup cannot hold"):
        fit(tmp_path, stage, StopAfter(2))
    with pytest.raises(BackupError, match=r"state\.rng \(a Generator\).*cannot go on without"):
        fit(tmp_path, Needs())


def test_a_state_is_saved_as_it_was_when_the_unit_ended(tmp_path, monkeypatch):
    class Live(Keeps):
        def run(self, state, budget):
            for batch in super().run(state, budget):
                self.kept.setdefault("walk", []).append(batch.done)
                yield batch

    class LiveCallback(Counts):
        def on_batch_end(self, batch, logs=None):
            self.kept.setdefault("seen", []).append(batch)

    put = []
    monkeypatch.setattr(BackupWriter, "put", lambda self, path, backup: put.append(backup))
    fit(tmp_path, Live(), LiveCallback())
    assert [one.place.state.get("walk") for one in put] == [[1], [1, 2], [1, 2, 3]]
    seen = [dict(one.callbacks)["LiveCallback"]["seen"] for one in put]
    assert seen == [[0], [0, 1], [0, 1, 2]]


def test_where_warnings_are_errors_the_run_goes_on_and_the_words_are_printed(tmp_path, capsys):
    stage, callback = Keeps(), Counts()
    stage.kept, callback.kept = {"odd": object()}, {"odd": object()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(tmp_path, stage, callback).status == "finished"
    errors = capsys.readouterr().err
    assert "stage 'keeps': state.odd" in errors
    assert "callback Counts: state.odd" in errors


class Forgets(Stage):
    """Keeps no state."""

    def __init__(self, name):
        self.name = name

    def run(self, state, budget):
        yield Batch(1, 1)


class Brief(Forgets):
    brief = True


def begins_again(caught):
    return [str(one.message) for one in caught if "begins it again" in str(one.message)]


def test_stages_that_begin_again_after_a_kill_are_named_once_at_the_beginning(tmp_path):
    seen_by_then = []

    class Look(Callback):
        def on_pipeline_begin(self, logs=None):
            seen_by_then.extend(begins_again(caught))

    def go(*callbacks):
        stages = [Forgets("first"), Keeps(), Brief("tiny"), Forgets("last")]
        Pipeline(stages).fit(callbacks=callbacks, verbose=False)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        go(BackupAndRestore(tmp_path, save_freq=1), Look())
    assert seen_by_then == begins_again(caught)
    (message,) = seen_by_then
    assert "the stages 'first', 'last' keep no state" in message
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        go()


def test_of_a_run_that_goes_on_only_the_stages_to_come_are_named(tmp_path):
    def go(*callbacks):
        backup = BackupAndRestore(tmp_path, interval=None)
        stages = [Forgets("first"), Keeps(), Forgets("last")]
        Pipeline(stages).fit(callbacks=[backup, *callbacks], verbose=False)

    with pytest.warns(RuntimeWarning, match="'first', 'last' keep no state"):
        go(StopAfter(2))
    with pytest.warns(RuntimeWarning, match="the stage 'last' keeps no state"):
        go()


def test_of_the_stages_that_make_timetables_nothing_is_said(tmp_path):
    def stop(*callbacks, **options):
        watching = [BackupAndRestore(tmp_path), StopAfter(1)]
        timetabling_pipeline(**options).fit(generate(10), callbacks=watching, verbose=False)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stop()

    class Agent:
        def act(self, observation, epsilon, rng):
            return 0

        def learn(self, observation, action, reward, following, ended):
            pass

    (tmp_path / "backup.npz").unlink(missing_ok=True)
    with pytest.warns(RuntimeWarning, match="the stage 'rl' keeps no state"):
        stop(rl__agent=Agent())
