"""Whatever a stage reports, every logger takes it."""

import json
import warnings
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from math import inf, isnan, nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from schoolbell.callbacks import (
    BackupAndRestore,
    CSVLogger,
    LambdaCallback,
    ProgbarLogger,
    RedisLogger,
    RemoteMonitor,
    TensorBoard,
)
from schoolbell.callbacks.plain_value import LONGEST_TEXT, plain_row, plain_value
from schoolbell.runner import Pipeline, replay
from schoolbell.stages import Batch, Stage

from .recording.test_tensor_board import points
from .remote.test_remote_monitor import Server


class Mute:
    """Raises whatever is asked of it."""

    def __repr__(self):
        raise RuntimeError("no words")

    __str__ = __repr__

    def __float__(self):
        raise OSError("no number")


class Half:
    def __float__(self):
        return 0.5


class Level(IntEnum):
    HIGH = 3


NUMBERS = [
    (1, 1), (True, 1), (2.5, 2.5), (-inf, -inf), (np.float32(1.5), 1.5), (np.int64(3), 3),
    (np.bool_(True), 1), (np.array(2.5), 2.5), (np.array(7), 7), (Decimal("1.5"), 1.5),
    (Fraction(1, 4), 0.25), (Half(), 0.5), (Level.HIGH, 3), (10**20, 10**20),
]  # fmt: skip
OTHERS = [
    (np.array([1.5, 2]), "[1.5 2. ]"), ([1, 2], "[1, 2]"), ((1, 2), "(1, 2)"),
    ({"a": 1}, "{'a': 1}"), (b"ab\xff", r"b'ab\xff'"), (1 + 2j, "(1+2j)"),
    (datetime(2020, 1, 2), "2020-01-02 00:00:00"), (np.datetime64("2020-01-02"), "2020-01-02"),
    (Mute(), "<Mute>"), (Decimal("1e400"), "1E+400"), (10**5000, "<int>"),
    (np.zeros((3, 2)), "[[0. 0.] [0. 0.] [0. 0.]]"),
]  # fmt: skip
TEXTS = [
    ("plain", "plain"), ("a,b;\"c\"'d'", "a,b;\"c\"'d'"), ("two\r\nlines", "two\nlines"),
    ("\0\x1b[2J", r"\x00\x1b[2J"), ("half \udc80", r"half \udc80"), ("1_000", "1_000"),
    ("x" * 10_000_000, "x" * (LONGEST_TEXT - 1) + "…"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "plain"), [*NUMBERS, *OTHERS, *TEXTS], ids=lambda one: "")
def test_a_value_becomes_a_number_or_a_short_text(value, plain):
    found = plain_value(value)
    assert found == plain
    assert isinstance(found, str) == isinstance(plain, str)
    json.dumps(found).encode()


def test_nothing_stays_nothing_and_no_number_stays_one():
    assert plain_value(None) is None
    assert isnan(plain_value(np.float64("nan")))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
        | st.complex_numbers() | st.decimals() | st.fractions() | st.datetimes(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    )
)  # fmt: skip
def test_anything_becomes_what_a_logger_can_write(value):
    plain = plain_value(value)
    assert plain is None or isinstance(plain, bool | int | float | str)
    assert len(str(plain).encode()) <= 4 * LONGEST_TEXT + 20
    # What is plain stays what it is.
    assert plain_value(plain) == plain or plain != plain


def test_a_row_is_independent_of_what_it_was_made_of():
    shared = [1]
    row = plain_row({"cost": 3, "sizes": shared})
    shared.append(2)
    assert row == {"cost": 3, "sizes": "[1]"}


ODD = 'the, "odd"\none \udc80'


class Reporter(Stage):
    """Reports any values, and a good number with each of them."""

    name = "reporter"

    def __init__(self, values, metrics=(ODD, "good")):
        self.values, self.metrics = values, metrics

    def run(self, state, budget):
        for step, value in enumerate(self.values):
            state.offer(step, 100 - step, 0)
            yield Batch(step + 1, len(self.values), {ODD: value, "good": step})

    def state_dict(self):
        return {"steps": 1}


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.mark.parametrize("metrics", [(ODD, "good"), None])
def test_every_logger_takes_every_value(tmp_path, redis_server, server, capsys, metrics):
    values = [None, nan, *(value for value, _ in [*NUMBERS, *OTHERS, *TEXTS])]
    steps = list(range(len(values)))
    board, path = tmp_path / "board", tmp_path / "log.csv"
    loggers = [
        CSVLogger(path),
        TensorBoard(board),
        RedisLogger(redis_server.url, "monday", announce=False),
        RemoteMonitor(server.root, send_as_json=True),
        ProgbarLogger("plain"),
        BackupAndRestore(tmp_path, save_freq=1, delete_checkpoint=False),
    ]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = Pipeline([Reporter(values, metrics)]).fit(callbacks=loggers, verbose=False)
    assert run.status == "finished"
    (warning,) = (str(one.message) for one in caught)
    assert warning.startswith(f"metric {ODD!r} of stage 'reporter' is of type ndarray")

    plain = [plain_value(value) for value in values]
    frame = pd.read_csv(path, keep_default_na=False)
    shown = frame.columns[-2]
    assert frame["good"].tolist() == steps
    assert shown == 'the, "odd"\none \\udc80'
    texts = [one for one in plain if isinstance(one, str)]
    assert [one for one in frame[shown] if one in texts] == texts
    assert frame[shown].tolist()[:5] == ["", "nan", "1", "1", "2.5"]
    assert replay(path).history["good"] == steps
    again = replay(path).history[shown]
    assert again[2:] == [one + 0 if isinstance(one, bool) else one for one in plain[2:]]
    assert again[0] is None
    assert isnan(again[1])

    assert run.history["good"] == steps
    assert run.history[ODD][2:] == plain[2:]
    assert len(run.history.to_frame()) == len(steps)
    numbers = [(step, one) for step, one in enumerate(plain) if isinstance(one, int | float)]
    found = points(board, f"reporter/{shown}")
    assert [step for step, _ in found] == [step for step, _ in numbers]
    assert points(board, "reporter/good") == [(step, step) for step in steps]
    client = redis_server.client()
    newest = client.hgetall("schoolbell:job:monday")
    assert (newest["status"], newest["outcome"]) == ("finished", "finished")
    assert json.loads(newest["logs"])[shown] == plain[-1]
    assert replay("redis:monday", url=redis_server.url).history["good"][-1] == steps[-1]
    assert server.events[-1]["status"] == "finished"
    ended = next(event for event in server.events if event["event"] == "stage_end")
    assert (ended["logs"]["good"], ended["logs"][shown]) == (steps[-1], plain[-1])
    assert "finished" in capsys.readouterr().err


def test_a_logger_keeps_what_was_reported_though_the_stage_changes_it_later(tmp_path):
    class Reusing(Stage):
        metrics = ("sizes",)

        def run(self, state, budget):
            sizes = []
            for step in range(600):
                sizes.append(step)
                yield Batch(step + 1, 600, {"sizes": sizes})

    with pytest.warns(RuntimeWarning, match="is of type list"):
        run = Pipeline([Reusing()]).fit(callbacks=CSVLogger(tmp_path / "log.csv"), verbose=False)
    assert pd.read_csv(tmp_path / "log.csv")["sizes"].tolist()[:2] == ["[0]", "[0, 1]"]
    assert run.history["sizes"][:2] == ["[0]", "[0, 1]"]


def test_a_user_s_callback_gets_what_the_stage_has_reported():
    values, seen = [np.arange(3)], []
    note = LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs[ODD]))
    with pytest.warns(RuntimeWarning, match="is of type ndarray"):
        Pipeline([Reporter(values)]).fit(callbacks=note, verbose=False)
    assert seen[0] is values[0]


def test_a_parameter_or_an_error_that_cannot_show_itself_ends_nothing_else(tmp_path, redis_server):
    class Failure(Exception):
        __str__ = Mute.__str__

    class Failing(Stage):
        def __init__(self, odd):
            self.odd = odd

        def run(self, state, budget):
            state.offer("found", 1, 0)
            yield Batch(1)
            raise Failure

    pipeline = Pipeline([Failing(Mute())])
    loggers = [TensorBoard(tmp_path), RedisLogger(redis_server.url, "monday", announce=False)]
    with pytest.raises(Failure):
        pipeline.fit(callbacks=loggers, verbose=False)
    assert (pipeline.run.solution, pipeline.run.outcome) == ("found", "failed: Failure")
    assert redis_server.client().hget("schoolbell:job:monday", "outcome") == "failed: Failure"
