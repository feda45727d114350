"""Loops as runs."""

import asyncio
import contextlib
import io
import signal
import subprocess
import sys
import threading
import time

import pytest
from schoolbell.callbacks import (
    BackupAndRestore,
    Callback,
    EarlyStopping,
    LambdaCallback,
    ProgbarLogger,
    Timer,
)
from schoolbell.runner import Pipeline, track
from schoolbell.runner.loops.in_flight import UnknownError, error_in_flight
from schoolbell.stages import as_stage

# Whether Python tells which exception ends a loop.
TELLS = sys.version_info >= (3, 12)


class Log(Callback):
    """Notes which hooks are called, and in which thread."""

    def __init__(self):
        super().__init__()
        self.calls, self.threads = [], set()

    def _note(self, *call):
        self.calls.append(call)
        self.threads.add(threading.current_thread())

    def on_pipeline_begin(self, logs=None):
        self._note("begin")

    def on_batch_end(self, batch, logs=None):
        self._note("batch", logs["done"])

    def on_solution(self, solution, logs=None):
        self._note("solution", solution)

    def on_exception(self, exception):
        self._note("exception", type(exception))

    def on_pipeline_end(self, logs=None):
        self._note("end", logs["status"])


def quiet(items, *callbacks, **options):
    return track(items, list(callbacks), verbose=False, **options)


def test_a_loop_gets_the_items_and_callbacks_get_the_batches():
    log, seen = Log(), []
    for x in (t := quiet([1, 2, 3], log)):
        seen.append(x)
        t.log(cost=10 - x, solution=x, lr=0.1 * x)
    assert seen == [1, 2, 3]
    assert log.calls == [
        ("begin",),
        ("batch", 1),
        ("solution", 1),
        ("batch", 2),
        ("solution", 2),
        ("batch", 3),
        ("solution", 3),
        ("end", "finished"),
    ]
    assert log.threads == {threading.current_thread()}
    assert (t.run.cost, t.run.solution, t.run.status) == (7, 3, "finished")
    assert t.run.history["lr"] == pytest.approx([0.1, 0.2, 0.3])
    assert t.run.history["total"] == [3, 3, 3]


def test_nothing_happens_before_the_loop_and_it_runs_once():
    log = Log()
    t = quiet([1], log)
    assert (log.calls, t.run, len(t)) == ([], None, 1)
    with pytest.raises(RuntimeError, match="log is for the body"):
        t.log(cost=1)
    assert list(t) == [1]
    with pytest.raises(RuntimeError, match="call track again"):
        list(t)
    with pytest.raises(RuntimeError, match="log is for the body"):
        t.log(cost=1)


def test_items_may_come_from_a_generator_of_unknown_or_told_length():
    t = quiet(x for x in range(3))
    assert list(t) == [0, 1, 2]
    assert t.run.history["total"] == [None] * 3
    with pytest.raises(TypeError, match="is not known"):
        len(t)
    t = quiet((x for x in range(3)), total=3, unit="row", name="rows")
    assert list(t) == [0, 1, 2]
    assert (t.run.stages[0].name, t.run.stages[0].unit, t.run.stages[0].total) == ("rows", "row", 3)
    assert list(quiet([])) == []


def test_more_items_than_were_told_are_warned_of():
    with pytest.warns(RuntimeWarning, match="more items than total=2"):
        t = quiet(range(4), total=2)
        assert list(t) == [0, 1, 2, 3]
    assert t.run.history["total"] == [2, 2, None, None]


@pytest.mark.parametrize("wrong", [3, None])
def test_what_cannot_be_iterated_is_refused(wrong):
    with pytest.raises(TypeError, match="something to iterate"):
        track(wrong)


def test_unknown_options_are_refused_before_anything_runs():
    with pytest.raises(TypeError, match="no argument 'sed'; did you mean 'seed'"):
        track([1], sed=3)
    with pytest.raises(ValueError, match="callbacks must be"):
        track([1], callbacks=3)


def test_a_break_stops_the_run_and_what_was_logged_before_it_counts():
    log = Log()
    for x in (t := quiet(range(10), log)):
        if x == 2:
            break
    assert log.calls[-2:] == [("batch", 2), ("end", "stopped")]
    assert (t.run.status, t.run.stopped_by) == ("stopped", "program")
    for x in (t := quiet(range(10))):
        t.log(loss=x)
        if x == 2:
            break
    assert t.run.history["loss"] == [0, 1, 2]


def test_a_return_within_the_loop_is_a_break():
    log = Log()

    def first():
        for x in quiet(range(10), log):
            return x + 0.5
        return None

    assert first() == 0.5
    assert log.calls[-1] == ("end", "stopped")


@pytest.mark.parametrize(
    "wrap", [lambda one: one, enumerate, lambda one: zip(one, range(99), strict=False)]
)
def test_an_exception_in_the_body_fails_the_run_before_it_arrives(wrap):
    log = Log()
    t = quiet(range(10), log)
    with pytest.raises(ZeroDivisionError) as caught:
        for _ in wrap(t):
            if t.run.history["done"]:
                raise ZeroDivisionError("in the body")
    assert log.calls[-2:] == [("exception", type(t.run.exception)), ("end", "failed")]
    if TELLS:
        assert t.run.exception is caught.value
    assert caught.traceback[-1].path.name == "test_track.py"
    assert len(caught.traceback) == 1


def test_an_exception_that_was_caught_in_the_body_before_is_not_mistaken_for_the_one():
    caught = []

    def work(x):
        raise (KeyError if x else ValueError)(x)

    t = quiet(range(4))
    with pytest.raises(KeyError):
        for x in t:
            try:
                work(0)
            except ValueError as error:
                caught.append(error)
            if x == 2:
                work(x)
    assert isinstance(t.run.exception, KeyError if TELLS else UnknownError)
    for _ in (t := quiet(range(4))):
        try:
            work(0)
        except ValueError as error:
            caught.append(error)
        break
    assert t.run.status == "stopped"


def test_an_exception_of_the_iterable_fails_the_run():
    def items():
        yield 1
        raise ZeroDivisionError("in the iterable")

    log = Log()
    with pytest.raises(ZeroDivisionError, match="in the iterable"):
        list(quiet(items(), log))
    assert log.calls[-1] == ("end", "failed")


def test_an_exception_of_a_callback_arrives_where_the_loop_stands():
    def fail(batch, logs):
        raise ZeroDivisionError

    with pytest.raises(Exception, match="LambdaCallback"):
        list(quiet(range(3), LambdaCallback(on_batch_end=fail)))


def test_a_generator_that_is_closed_in_the_midst_of_its_loop_breaks_it():
    log = Log()

    def doubled():
        for x in quiet(range(5), log):
            yield 2 * x

    stream = doubled()
    assert next(stream) == 0
    stream.close()
    assert log.calls[-1] == ("end", "stopped")


def test_sys_exit_in_the_body_stops_the_run():
    log = Log()
    with pytest.raises(SystemExit):
        for _ in quiet(range(5), log):
            sys.exit(3)
    assert log.calls[-1] == ("end", "stopped" if TELLS else "failed")


@pytest.fixture
def default_ctrl_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_in_the_body_interrupts_the_run_and_goes_on_its_way(default_ctrl_c):
    log = Log()
    t = quiet(range(5), log)
    with pytest.raises(KeyboardInterrupt):
        for x in t:
            if x == 2:
                signal.raise_signal(signal.SIGINT)
    assert t.run.status == "interrupted"
    assert log.calls[-2:] == [("batch", 2), ("end", "interrupted")]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_in_a_hook_interrupts_the_run_and_arrives_in_the_loop(default_ctrl_c):
    t = quiet(
        range(5),
        LambdaCallback(on_batch_end=lambda b, logs: b == 1 and signal.raise_signal(signal.SIGINT)),
    )
    seen = []
    with pytest.raises(KeyboardInterrupt):
        for x in t:
            seen.append(x)
    assert (seen, t.run.status) == ([0, 1], "interrupted")


def test_ctrl_c_that_the_body_swallows_ends_the_loop_all_the_same(default_ctrl_c):
    t = quiet(range(5))
    seen = []
    with pytest.raises(KeyboardInterrupt):
        for x in t:
            seen.append(x)
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    assert (seen, t.run.status) == ([0], "interrupted")


def test_a_stop_ends_the_loop_after_the_item_in_hand():
    seen = []
    for x in (t := quiet(range(100), EarlyStopping("cost", patience=3, scope="pipeline"))):
        t.log(cost=5)
        seen.append(x)
    assert (t.run.status, t.run.stopped_by) == ("stopped", "EarlyStopping")
    assert len(seen) == 4


@pytest.mark.parametrize("by", ["time_limit", "timer"])
def test_the_end_of_the_time_ends_the_loop(by):
    began = time.monotonic()
    options = {"time_limit": 0.2} if by == "time_limit" else {"callbacks": [Timer(0.2)]}
    for _ in (t := track(iter(int, 1), verbose=False, **options)):
        time.sleep(0.001)
    assert 0.2 <= time.monotonic() - began < 1.0
    assert t.run.stages[0].ended_by == ("time" if by == "time_limit" else "stopped")


def test_a_pause_holds_the_loop():
    resumed, t = [], quiet(range(3))
    for x in t:
        if x == 1:
            t.pipeline.pause()
            threading.Timer(0.05, lambda: (resumed.append(True), t.pipeline.resume())).start()
        if x == 2:
            assert resumed
    assert t.run.status == "finished"


def die_at(folder, item, **options):
    seen = []
    callback = BackupAndRestore(folder, save_freq=1, interval=None)
    with pytest.raises(ZeroDivisionError):
        for x in (t := track(range(8), callback, verbose=False, **options)):
            if x == item:
                raise ZeroDivisionError
            t.saved["sum"] = t.saved.get("sum", 0) + x
            seen.append(x)
            t.log(cost=-t.saved["sum"], solution=[x])
    return seen


@pytest.mark.parametrize("item", [1, 5])
def test_a_loop_that_resumes_skips_what_was_done(tmp_path, item):
    before = die_at(tmp_path, item, resume=True)
    seen = []
    callback = BackupAndRestore(tmp_path, save_freq=1, interval=None)
    for x in (t := track(range(8), callback, verbose=False, resume=True)):
        t.saved["sum"] += x
        seen.append(x)
        t.log(cost=-t.saved["sum"], solution=[x])
    assert before + seen == list(range(8))
    assert (t.run.cost, t.run.solution, t.saved["sum"]) == (-28, [7], 28)
    assert t.run.history["done"] == list(range(1, 9))


def test_a_loop_that_does_not_resume_is_said_to_begin_again(tmp_path):
    with pytest.warns(RuntimeWarning, match="'loop' keeps no state"):
        die_at(tmp_path, 3)
    with pytest.warns(RuntimeWarning, match="'loop' keeps no state"):
        assert die_at(tmp_path, 3) == [0, 1, 2]
    with pytest.raises(ValueError, match="needs a BackupAndRestore"):
        track(range(3), resume=True)


def test_loops_may_stand_within_loops_and_within_stages():
    logs = [Log(), Log()]
    for _ in quiet(range(2), logs[0]):
        for _ in quiet(range(3), logs[1]):
            pass
    assert [len(log.calls) for log in logs] == [4, 10]
    inner = []

    def work(report):
        for x in quiet(range(3)):
            inner.append(x)
        report()

    Pipeline([as_stage(work)]).fit(verbose=False)
    assert inner == [0, 1, 2]


def test_the_bar_is_that_of_a_run():
    out = io.StringIO()
    for _ in track(range(3), ProgbarLogger("plain", out), name="rows", unit="row"):
        pass
    assert "3/3 rows" in out.getvalue()


async def letters():
    for letter in "abcd":
        await asyncio.sleep(0)
        yield letter


def test_asynchronous_iterables_are_tracked_too():
    log, seen = Log(), []

    async def main():
        async for x in (t := quiet(letters(), log, total=4)):
            seen.append(x)
            t.log(cost=-len(seen))
        return t.run

    run = asyncio.run(main())
    assert seen == list("abcd")
    assert (run.status, run.cost, run.history["done"]) == ("finished", -4, [1, 2, 3, 4])
    assert log.calls[-1] == ("end", "finished")


@pytest.mark.parametrize("way", ["break", "error", "cancel"])
def test_an_asynchronous_loop_that_is_left_ends_its_run(way):
    log, at_work = Log(), []

    async def main():
        t = quiet(letters(), log)
        at_work.append(t)
        async for x in t:
            if x == "b":
                if way == "break":
                    break
                if way == "error":
                    raise ZeroDivisionError
                await asyncio.sleep(60)

    async def cancelled():
        task = asyncio.ensure_future(main())
        while len(log.calls) < 2:
            await asyncio.sleep(0)
        task.cancel()
        await task

    errors = {"error": ZeroDivisionError, "cancel": asyncio.CancelledError}
    with pytest.raises(errors[way]) if way in errors else contextlib.nullcontext():
        asyncio.run(cancelled() if way == "cancel" else main())
    (t,) = at_work
    outcome = {"break": "program", "cancel": "cancelled"}.get(way)
    assert (t.run.status, t.run.stopped_by) == ("stopped" if outcome else "failed", outcome)
    assert log.calls[-1] == ("end", t.run.status)


def test_an_exception_in_flight_is_found_only_where_there_is_one():
    seen = []

    class Watched:
        def __iter__(self):
            try:
                yield from range(5)
            finally:
                seen.append(error_in_flight(sys._getframe().f_back))

    for _ in Watched():
        break
    with contextlib.suppress(ZeroDivisionError):
        for _ in Watched():
            raise ZeroDivisionError
    with contextlib.suppress(KeyError):
        for x in Watched():
            try:
                raise ZeroDivisionError
            except ZeroDivisionError:
                {}.pop(x)
    assert seen[0] is None
    if TELLS:
        assert [type(one) for one in seen[1:]] == [ZeroDivisionError, KeyError]
    else:
        assert None not in seen[1:]


SCRIPT = """
import os, signal, sys, time
from schoolbell.callbacks import CSVLogger
from schoolbell.runner import track
signal.signal(signal.SIGINT, signal.default_int_handler)
for x in track(range(10_000), CSVLogger(sys.argv[1]), verbose=False):
    if x == 3:
        print("busy", flush=True)
    if x >= 3:
        time.sleep(0.01)
"""


def test_a_program_ends_by_ctrl_c_with_its_files_written(tmp_path):
    command = [sys.executable, "-c", SCRIPT, tmp_path / "log.csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode in (-signal.SIGINT, 130)
    assert told.decode().strip().endswith("KeyboardInterrupt")
    assert len((tmp_path / "log.csv").read_text().splitlines()) >= 4
