"""The order in which hooks fire, and what they get, for every way a run can end."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from schoolbell.callbacks import Callback, CallbackError, CSVLogger, LambdaCallback
from schoolbell.callbacks.callback_list import HOOKS
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

CORE = ["stage", "unit", "done", "total", "progress", "elapsed", "cost", "violations"]


class Steps(Stage):
    """Finds a better solution in every step."""

    unit = "step"
    metrics = ("gain",)

    def __init__(self, name="a", steps=2, share=1.0):
        self.name, self.steps, self.share = name, steps, share
        self.closed = False

    def run(self, state, budget):
        try:
            for step in range(self.steps):
                state.offer(f"{self.name}{step}", 100 - state.version, 0)
                yield Batch(step + 1, self.steps, {"gain": 1.0})
        finally:
            self.closed = True


class Failing(Steps):
    def run(self, state, budget):
        yield Batch(1, 2)
        raise ZeroDivisionError("no luck")


def recorder(calls, **actions):
    """A callback that notes each hook with its first argument, then does what it is told."""

    def hook(name):
        def note(*args):
            calls.append(name[3:] if len(args) < 2 else f"{name[3:]} {args[0]}")
            if name in actions:
                actions[name](*args)

        return note

    return LambdaCallback(**{name: hook(name) for name in HOOKS})


def fit(stages, calls, errors="raise", callbacks=(), **actions):
    pipeline = Pipeline(stages)
    watchers = [recorder(calls, **{k: lambda *a, f=f: f(pipeline, *a) for k, f in actions.items()})]
    run = pipeline.fit(callbacks=[*watchers, *callbacks], verbose=False, callback_errors=errors)
    return run, pipeline


def test_hooks_of_a_run_that_finishes_fire_in_their_order():
    calls = []
    run, _ = fit([Steps("a", 2), Steps("b", 1)], calls)
    assert calls == [
        "pipeline_begin",
        "stage_begin a",
        "batch_begin 0", "batch_end 0", "solution a0",
        "batch_begin 1", "batch_end 1", "solution a1",
        "stage_end a",
        "stage_begin b",
        "batch_begin 0", "batch_end 0", "solution b0",
        "stage_end b",
        "pipeline_end",
    ]  # fmt: skip
    assert (run.status, run.stopped_by, run.solution) == ("finished", None, "b0")


def test_callbacks_are_called_in_the_order_given():
    calls = []
    callbacks = [LambdaCallback(on_batch_end=lambda *_, i=i: calls.append(i)) for i in (1, 2)]
    Pipeline([Steps(steps=2)]).fit(callbacks=callbacks, verbose=False)
    assert calls == [1, 2, 1, 2]


def test_every_batch_has_the_core_logs_and_the_declared_metrics():
    class Sparse(Steps):
        metrics = ("gain", "loss")

        def run(self, state, budget):
            yield Batch(1, 2)
            state.offer("x", 7, 1)
            yield Batch(2, 2, {"loss": 3.0})

    seen = []
    Pipeline([Sparse("s")]).fit(
        callbacks=LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs)), verbose=False
    )
    assert [list(logs) for logs in seen] == [[*CORE, "gain", "loss"]] * 2
    elapsed = [logs.pop("elapsed") for logs in seen]
    assert 0 <= elapsed[0] <= elapsed[1]
    common = {"stage": "s", "unit": "step", "total": 2, "gain": None}
    first = {"done": 1, "progress": 0.5, "cost": None, "violations": None, "loss": None}
    second = {"done": 2, "progress": 1.0, "cost": 7, "violations": 1, "loss": 3.0}
    assert seen == [common | first, common | second]


def test_logs_of_the_other_hooks():
    logs = {}
    keep = {
        name: lambda *args, name=name: logs.setdefault(name, args[-1])
        for name in HOOKS
        if name != "on_exception"
    }
    Pipeline([Steps("a", 3, share=1), Steps("b", share=3)]).fit(
        callbacks=LambdaCallback(**keep), verbose=False, time_limit=100
    )
    best = {"cost", "violations", "progress", "elapsed"}
    assert set(logs["on_pipeline_begin"]) == best
    begin = logs["on_stage_begin"]
    assert set(begin) == best | {"stage", "unit", "share", "budget"}
    assert (begin["share"], begin["budget"]) == (0.25, pytest.approx(25, abs=1))
    assert logs["on_batch_begin"] == {"stage": "a", "unit": "step", "done": 0, "total": None}
    assert set(logs["on_solution"]) == {*CORE, "batch"}
    assert logs["on_solution"]["cost"] == 100
    end = logs["on_stage_end"]
    assert set(end) == {*CORE, "gain", "batches", "seconds", "ended_by", "stopped_by"}
    assert (end["done"], end["total"], end["batches"], end["progress"]) == (3, 3, 3, 0.25)
    assert end["ended_by"] == "finished"
    last = logs["on_pipeline_end"]
    assert set(last) == best | {"status", "stopped_by", "stage", "error"}
    assert (last["status"], last["stage"], last["error"], last["progress"]) == (
        "finished", "b", None, 1.0,
    )  # fmt: skip


def test_logs_that_a_callback_keeps_are_never_changed_later():
    kept = []
    Pipeline([Steps(steps=3)]).fit(
        callbacks=LambdaCallback(on_batch_end=lambda batch, logs: kept.append(logs)), verbose=False
    )
    assert [logs["done"] for logs in kept] == [1, 2, 3]


def test_a_stop_ends_the_run_after_the_unit_in_hand():
    calls = []
    stage = Steps("a", 3)
    run, _ = fit(
        [stage, Steps("b")],
        calls,
        on_batch_end=lambda pipeline, batch, logs: batch == 1 and pipeline.stop(by="patience"),
    )
    assert calls[-5:] == ["batch_begin 1", "batch_end 1", "solution a1", "stage_end a",
                          "pipeline_end"]  # fmt: skip
    assert (run.status, run.stopped_by, run.solution) == ("stopped", "patience", "a1")
    assert stage.closed
    assert [stage.ended_by for stage in run.stages] == ["stopped"]


def test_a_stop_before_the_first_stage_runs_none():
    calls = []
    run, _ = fit([Steps()], calls, on_pipeline_begin=lambda pipeline, logs: pipeline.stop())
    assert calls == ["pipeline_begin", "pipeline_end"]
    assert (run.status, run.stopped_by) == ("stopped", "LambdaCallback")


def test_a_skip_goes_on_with_the_next_stage():
    calls = []
    stage = Steps("a", 3)
    run, _ = fit(
        [stage, Steps("b", 1)],
        calls,
        on_batch_end=lambda pipeline, batch, logs: logs["stage"] == "a" and pipeline.skip_stage(),
    )
    assert calls == [
        "pipeline_begin",
        "stage_begin a", "batch_begin 0", "batch_end 0", "solution a0", "stage_end a",
        "stage_begin b", "batch_begin 0", "batch_end 0", "solution b0", "stage_end b",
        "pipeline_end",
    ]  # fmt: skip
    assert stage.closed
    assert run.status == "finished"
    assert [stage.ended_by for stage in run.stages] == ["skipped", "finished"]


def test_whoever_ends_a_stage_or_the_run_is_named_without_saying_so():
    class Bored(Callback):
        def on_batch_end(self, batch, logs=None):
            self.pipeline.skip_stage()

    class MoreBored(Bored):
        def on_batch_end(self, batch, logs=None):
            if logs["stage"] == "b":
                super().on_batch_end(batch, logs)

    class Done(Callback):
        def on_stage_begin(self, stage, logs=None):
            if stage == "c":
                self.pipeline.stop()

    ends = []
    last = LambdaCallback(on_stage_end=lambda stage, logs: ends.append(logs["stopped_by"]))
    pipeline = Pipeline([Steps("a"), Steps("b"), Steps("c"), Steps("d")])
    # Another one with the very hook must not be taken for it.
    run = pipeline.fit(callbacks=[MoreBored(), Done(), last, MoreBored()], verbose=False)
    assert ends == [None, "MoreBored", "Done"]
    assert [one.stopped_by for one in run.stages] == ends
    words = ["finished", "ended by MoreBored", "stopped by Done"]
    assert [one.ended for one in run.stages] == words
    assert (run.stopped_by, run.outcome) == ("Done", "stopped by Done")


def test_the_program_that_stops_a_run_from_another_thread_is_named_so():
    stage = Gated()
    pipeline = Pipeline([stage])
    fit = Background(pipeline)
    stage.permits.release()
    assert fit.first.wait(10)
    pipeline.stop()
    stage.permits.release()
    fit.thread.join(10)
    assert pipeline.run.outcome == "stopped by the program"


def test_a_stage_with_all_its_units_done_has_finished_however_late():
    class Late(Stage):
        name = "late"

        def run(self, state, budget):
            for done in range(3):
                while done == 2 and not budget.should_end:
                    threading.Event().wait(0.01)
                yield Batch(done + 1, 3)

    run = Pipeline([Late()]).fit(verbose=False, time_limit=0.2)
    assert run.stages[0].ended_by == "finished"


def test_all_who_tell_how_long_a_run_took_tell_the_same():
    told = []

    class Slow(Callback):
        def on_pipeline_end(self, logs=None):
            threading.Event().wait(0.05)
            told.extend([logs["elapsed"], self.pipeline.tracker.snapshot().elapsed])

    run = Pipeline([Steps()]).fit(callbacks=[Slow(), Slow()], verbose=False)
    assert set(told) == {run.seconds}


def test_a_skip_when_a_stage_begins_leaves_it_out():
    calls = []
    fit(
        [Steps("a"), Steps("b", 1)],
        calls,
        on_stage_begin=lambda pipeline, stage, logs: stage == "a" and pipeline.skip_stage(),
    )
    assert calls[:5] == ["pipeline_begin", "stage_begin a", "stage_end a", "stage_begin b",
                         "batch_begin 0"]  # fmt: skip


def test_an_exception_in_a_stage_is_raised_again_after_the_hooks():
    calls, ends = [], []
    pipeline = Pipeline([Steps("a", 1), Failing("bad"), Steps("c")])
    callback = recorder(calls, on_exception=ends.append, on_pipeline_end=ends.append)
    with pytest.raises(ZeroDivisionError) as caught:
        pipeline.fit(callbacks=callback, verbose=False)
    assert caught.value.__notes__ == ["raised by stage 'bad' after batch 0"]
    assert calls[-5:] == ["batch_begin 0", "batch_end 0", "batch_begin 1", "exception",
                          "pipeline_end"]  # fmt: skip
    assert ends[0] is caught.value
    assert (ends[1]["status"], ends[1]["error"]) == ("failed", "ZeroDivisionError: no luck")
    run = pipeline.run
    assert run is not None
    assert (run.status, run.solution, run.exception) == ("failed", "a0", caught.value)
    assert [stage.ended_by for stage in run.stages] == ["finished", "failed"]


@pytest.mark.parametrize("hook", [name for name in HOOKS if name not in ("on_exception",)])
def test_an_exception_in_a_callback_ends_the_run_with_its_name(hook):
    class Clumsy(Callback):
        pass

    def fail(*args):
        raise KeyError("oops")

    setattr(Clumsy, hook, fail)
    calls = []
    pipeline = Pipeline([Steps(steps=2)])
    with pytest.raises(CallbackError, match=rf"callback Clumsy failed in {hook}: KeyError") as info:
        pipeline.fit(callbacks=[Clumsy(), recorder(calls)], verbose=False)
    assert isinstance(info.value.__cause__, KeyError)
    assert (info.value.callback, info.value.hook) == ("Clumsy", hook)
    assert calls[-1] == "pipeline_end"
    assert calls.count("pipeline_end") == 1
    assert ("exception" in calls) == (hook != "on_pipeline_end")
    assert pipeline.run is not None
    assert pipeline.run.status == "failed"


def test_every_callback_hears_of_the_end_when_several_of_them_fail():
    class Bad(Callback):
        def on_exception(self, exception):
            raise OSError("first")

        def on_pipeline_end(self, logs=None):
            raise OSError("last")

    calls = []
    with pytest.raises(ZeroDivisionError) as caught:
        Pipeline([Failing()]).fit(callbacks=[Bad(), Bad(), recorder(calls)], verbose=False)
    assert calls[-2:] == ["exception", "pipeline_end"]
    assert len([note for note in caught.value.__notes__ if "callback Bad failed" in note]) == 2


def test_a_failing_callback_is_switched_off_when_errors_are_warned_of():
    class Clumsy(Callback):
        count = 0

        def on_batch_end(self, batch, logs=None):
            self.count += 1
            raise KeyError("oops")

        def on_pipeline_end(self, logs=None):
            raise AssertionError("it should be switched off")

    clumsy, before, after = Clumsy(), [], []
    with pytest.warns(RuntimeWarning, match="Clumsy failed in on_batch_end: .*switched") as warned:
        run = Pipeline([Steps(steps=3)]).fit(
            callbacks=[recorder(before), clumsy, recorder(after)],
            verbose=False,
            callback_errors="warn",
        )
    assert (run.status, clumsy.count, len(warned)) == ("finished", 1, 1)
    assert before == after
    assert before.count("batch_end 1") == 1


def test_a_keyboard_interrupt_in_a_stage_returns_the_best_so_far():
    class Interrupted(Steps):
        def run(self, state, budget):
            try:
                state.offer("best", 1, 0)
                yield Batch(1, 2)
                state.offer("better", 0, 0)
                raise KeyboardInterrupt
            finally:
                self.closed = True

    calls, stage = [], Interrupted("a")
    run, _ = fit([stage, Steps("b")], calls)
    assert (run.status, run.solution) == ("interrupted", "better")
    assert calls[-4:] == ["batch_begin 1", "solution better", "stage_end a", "pipeline_end"]
    assert stage.closed


@pytest.mark.parametrize("hook", [name for name in HOOKS if name != "on_exception"])
def test_a_keyboard_interrupt_in_a_hook_ends_the_run_in_order(hook):
    def interrupt(*args):
        raise KeyboardInterrupt

    calls, stage = [], Steps("a", 2)
    callbacks = [LambdaCallback(**{hook: interrupt}), recorder(calls)]
    run = Pipeline([stage, Steps("b")]).fit(callbacks=callbacks, verbose=False)
    assert run.status == "interrupted"
    assert calls[-1] == "pipeline_end"
    assert "exception" not in calls
    if hook not in ("on_pipeline_end", "on_stage_end"):
        assert calls.count("stage_begin b") == 0
        ended = ["stage_end a"] if hook != "on_pipeline_begin" else []
        assert [call for call in calls if call.startswith("stage_end")] == ended


def test_a_second_keyboard_interrupt_while_closing_is_raised():
    class Stubborn(Steps):
        def run(self, state, budget):
            try:
                yield Batch(1, 2)
            finally:
                raise KeyboardInterrupt

    def interrupt(*args):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pipeline([Stubborn()]).fit(callbacks=LambdaCallback(on_batch_end=interrupt), verbose=False)


SCRIPT = """
    import sys, time
    from schoolbell.callbacks import LambdaCallback
    from schoolbell.callbacks.callback_list import HOOKS
    from schoolbell.runner import Pipeline
    from schoolbell.stages import Batch, Stage

    class Endless(Stage):
        name = "endless"
        def run(self, state, budget):
            state.offer("best", 3, 0)
            yield Batch(1)
            try:
                while True:
                    print("waiting", flush=True)
                    time.sleep(60)
                    yield None
            finally:
                print("closed", flush=True)

    def say(name):
        return lambda *args: print(name, flush=True)

    names = [name for name in HOOKS if "batch" not in name]
    run = Pipeline([Endless()]).fit(
        callbacks=LambdaCallback(**{name: say(name) for name in names}), verbose=STYLE
    )
    print(run.status, run.solution, run.cost)
"""


def interrupted_process(style):
    script = textwrap.dedent(SCRIPT).replace("STYLE", repr(style))
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    while not lines or lines[-1] != "waiting":
        line = process.stdout.readline()
        assert line, "it ended before it could be interrupted"
        lines.append(line.strip())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    return process.returncode, [*lines, *out.splitlines()], err


@pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to a process on Windows")
@pytest.mark.parametrize("style", [False, "plain", "rich"])
def test_ctrl_c_in_a_real_process_returns_the_best_so_far(style):
    code, lines, err = interrupted_process(style)
    assert lines == [
        "on_pipeline_begin",
        "on_stage_begin",
        "on_solution",
        "waiting",
        "closed",
        "on_stage_end",
        "on_pipeline_end",
        "interrupted best 3",
    ]
    assert code == 0
    assert "Traceback" not in err
    assert ("interrupted" in err) == bool(style)


class Gated(Stage):
    """Yields a unit for each permit."""

    def __init__(self, name="gated", steps=100):
        self.name, self.steps = name, steps
        self.permits = threading.Semaphore(0)

    def run(self, state, budget):
        for step in range(self.steps):
            while not self.permits.acquire(timeout=0.01):
                yield None
            yield Batch(step + 1, self.steps)


class Background:
    """A fit in a thread, with the event that its first unit is done."""

    def __init__(self, pipeline, **options):
        self.first = threading.Event()
        self.batches = 0
        callback = LambdaCallback(on_batch_end=self.note)
        self.thread = threading.Thread(
            target=pipeline.fit, kwargs={"callbacks": callback, "verbose": False, **options}
        )
        self.thread.start()

    def note(self, batch, logs):
        self.batches += 1
        self.first.set()


def test_another_thread_can_stop_a_run():
    stage = Gated()
    pipeline = Pipeline([stage])
    fit = Background(pipeline)
    stage.permits.release()
    assert fit.first.wait(10)
    pipeline.stop(by="command")
    fit.thread.join(10)
    assert pipeline.run is not None
    assert (pipeline.run.status, pipeline.run.stopped_by) == ("stopped", "command")
    assert fit.batches == 1


def test_another_thread_can_skip_a_stage():
    stage, after = Gated("first"), Gated("second", steps=1)
    after.permits.release()
    pipeline = Pipeline([stage, after])
    fit = Background(pipeline)
    stage.permits.release()
    assert fit.first.wait(10)
    pipeline.skip_stage()
    fit.thread.join(10)
    assert pipeline.run is not None
    assert [one.ended_by for one in pipeline.run.stages] == ["skipped", "finished"]


def wait_for(condition):
    """Wait for what no event tells."""
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it never came true")


def test_a_pause_holds_the_run_its_clock_and_its_progress_until_it_is_resumed():
    stage = Gated(steps=3)
    pipeline = Pipeline([stage])
    fit = Background(pipeline, time_limit=60)
    stage.permits.release()
    assert fit.first.wait(10)
    pipeline.pause()
    wait_for(lambda: pipeline.tracker.status == "paused")
    stage.permits.release(2)
    before = pipeline.tracker.snapshot()
    # Nothing is to happen now: only time can show that.
    fit.thread.join(0.2)
    after = pipeline.tracker.snapshot()
    assert fit.batches == 1
    assert (after.elapsed, after.progress) == (before.elapsed, before.progress)
    pipeline.resume()
    fit.thread.join(10)
    assert pipeline.run is not None
    assert (pipeline.run.status, fit.batches) == ("finished", 3)


def test_a_paused_run_can_be_stopped():
    stage = Gated()
    pipeline = Pipeline([stage])
    fit = Background(pipeline)
    stage.permits.release()
    assert fit.first.wait(10)
    pipeline.pause()
    wait_for(lambda: pipeline.tracker.status == "paused")
    pipeline.stop()
    fit.thread.join(10)
    assert pipeline.run is not None
    assert pipeline.run.status == "stopped"


def test_a_stage_ends_when_its_budget_says_so_and_leaves_time_to_the_next(clock):
    class Watchful(Stage):
        def __init__(self, name, share):
            self.name, self.share = name, share

        def run(self, state, budget):
            self.seconds = budget.seconds
            while not budget.should_end:
                clock.now += 1.0
                yield None

    class Quick(Watchful):
        def run(self, state, budget):
            self.seconds = budget.seconds
            yield Batch(1, 1)

    first, second, third = Watchful("a", 1), Quick("b", 2), Watchful("c", 1)
    run = Pipeline([first, second, third]).fit(time_limit=40, verbose=False)
    assert (first.seconds, second.seconds, third.seconds) == pytest.approx((10, 20, 30))
    assert run.seconds == pytest.approx(40)
    assert (run.status, [one.ended_by for one in run.stages]) == (
        "finished", ["time", "finished", "time"],
    )  # fmt: skip


class Polled(Stage):
    """Starts a thread that polls the budget, and ends in some way or other."""

    name = "polled"
    only_improves = True

    def __init__(self, end):
        self.end = end
        self.done = threading.Event()
        self.called = []

    def run(self, state, budget):
        def poll():
            while not budget.should_end:
                waiting.wait(0.001)
            self.done.set()

        waiting = threading.Event()
        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        budget.on_end(lambda: self.called.append(threading.current_thread()))
        try:
            state.offer("best", 7, 0)
            yield Batch(1, 3)
            yield from self.end(self, state, budget)
        finally:
            # What the runner closes finds its threads ending.
            self.ending = budget.should_end


def ends_on_its_own(stage, state, budget):
    yield Batch(3, 3)


def raises(stage, state, budget):
    raise ZeroDivisionError
    yield


def is_interrupted(stage, state, budget):
    raise KeyboardInterrupt
    yield


def proves(stage, state, budget):
    state.prove(7)
    yield None
    raise AssertionError("nothing better is to be found")


def is_stopped(stage, state, budget):
    stage.pipeline.stop()
    yield None
    raise AssertionError("it was stopped")


def is_skipped(stage, state, budget):
    stage.pipeline.skip_stage()
    yield None
    raise AssertionError("it was skipped")


def is_closed(stage, state, budget):
    while True:
        yield None


@pytest.mark.parametrize(
    ("end", "ended_by"),
    [
        (ends_on_its_own, "finished"),
        (raises, "failed"),
        (is_interrupted, "interrupted"),
        (proves, "optimal"),
        (is_stopped, "stopped"),
        (is_skipped, "skipped"),
        (is_closed, "time"),
    ],
)
def test_however_a_stage_ends_its_threads_are_told(end, ended_by):
    stage = Polled(end)
    stage.pipeline = pipeline = Pipeline([stage])
    try:
        pipeline.fit(verbose=False, time_limit=0.05 if end is is_closed else None)
    except ZeroDivisionError:
        assert end is raises
    assert pipeline.run is not None
    assert pipeline.run.stages[0].ended_by == ended_by
    assert stage.done.wait(10)
    assert len(stage.called) == 1
    assert stage.ending or end in (ends_on_its_own, raises, is_interrupted)


def test_who_stops_a_run_from_another_thread_ends_what_its_stage_waits_for():
    solver = threading.Event()
    called = []

    class Solving(Stage):
        def run(self, state, budget):
            budget.on_end(lambda: called.append(threading.current_thread()))
            budget.on_end(solver.set)
            begun.set()
            # A solver that looks at nothing else.
            assert solver.wait(10)
            yield Batch(1, 2)
            yield Batch(2, 2)

    begun = threading.Event()
    pipeline = Pipeline([Solving()])
    other = threading.Thread(target=lambda: begun.wait(10) and pipeline.stop())
    other.start()
    run = pipeline.fit(verbose=False)
    assert (run.status, called) == ("stopped", [other])


def test_a_stage_may_have_a_share_of_the_time_other_than_of_the_progress(clock):
    class Noting(Stage):
        def __init__(self, name, time_share):
            self.name, self.share, self.time_share = name, 1.0, time_share

        def run(self, state, budget):
            self.seconds = budget.seconds
            yield Batch(1, 1)

    first, second = Noting("a", 3.0), Noting("b", None)
    pipeline = Pipeline([first, second])
    pipeline.fit(time_limit=4.0, verbose=False, shares="work")
    assert (first.seconds, second.seconds) == pytest.approx((3.0, 4.0))
    assert pipeline.tracker.bounds("a") == (0.0, 0.5)


@pytest.mark.parametrize("time_share", [0.0, -1.0, float("inf")])
def test_an_impossible_share_of_the_time_is_refused(time_share):
    class Greedy(Stage):
        def run(self, state, budget):
            yield Batch(1, 1)

    stage = Greedy()
    stage.time_share = time_share
    with pytest.raises(ValueError, match="time_share of stage 'stage'"):
        Pipeline([stage])


def test_a_stage_that_ignores_its_budget_is_closed_at_its_next_yield(clock):
    class Careless(Stage):
        name = "careless"

        def run(self, state, budget):
            done = 0
            while True:
                done += 1
                clock.now += 1.0
                yield Batch(done)

    run = Pipeline([Careless()]).fit(time_limit=10, verbose=False)
    assert run.status == "finished"
    assert run.stages[0].ended_by == "time"
    # A moment of grace is less than a unit.
    assert run.seconds == pytest.approx(11)


class Needed(Stage):
    """Takes longer than it may, and no other stage works without it."""

    name = "needed"
    skippable = False

    def __init__(self, stop=lambda: None):
        self.stop = stop
        self.told = []

    def run(self, state, budget):
        state.offer("found", 1, 0)
        while budget.elapsed < budget.seconds + 0.4:
            yield None
        self.stop()
        for step in range(3):
            self.told.append(step)
            yield Batch(step + 1, 3)


def test_a_stage_that_the_others_need_goes_to_its_end_though_its_time_is_over():
    stage = Needed()
    run = Pipeline([stage, Steps("after")]).fit(time_limit=0.1, verbose=False)
    assert stage.told == [0, 1, 2]
    assert run.status == "finished"
    assert run.stages[0].done == 3


def test_a_stage_that_goes_on_though_its_time_is_over_can_be_stopped():
    stage = Needed(stop=lambda: pipeline.stop())
    pipeline = Pipeline([stage])
    run = pipeline.fit(time_limit=0.1, verbose=False)
    assert (run.status, stage.told) == ("stopped", [0])


def test_overtime_that_a_stage_declares_is_not_counted(clock):
    class Compiling(Stage):
        name = "compiling"

        def run(self, state, budget):
            clock.now += 5.0
            state.overtime += 5.0
            yield Batch(1, 2)
            yield Batch(2, 2)

    class Next(Steps):
        def run(self, state, budget):
            self.seconds = budget.seconds
            yield Batch(1, 1)

    after = Next("after")
    run = Pipeline([Compiling(), after]).fit(time_limit=2, verbose=False)
    assert run.stages[0].done == 2
    assert after.seconds == pytest.approx(2.0)


def test_overtime_counts_among_the_time_that_is_left_as_soon_as_it_is_declared(clock):
    left = []

    class Compiling(Stage):
        name = "compiling"
        skippable = False

        def run(self, state, budget):
            for _ in range(3):
                state.overtime += 100
                yield None
                left.append(pipeline.tracker.eta())
            yield Batch(1, 1)

    pipeline = Pipeline([Compiling()])
    pipeline.fit(time_limit=50, verbose=False)
    assert left == pytest.approx([150, 250, 350])


def test_a_pulse_lets_the_run_stop_without_a_batch():
    class Pulsing(Stage):
        name = "pulsing"

        def run(self, state, budget):
            state.offer("found", 1, 0)
            while True:
                yield None

    calls = []
    fit([Pulsing()], calls, on_solution=lambda pipeline, solution, logs: pipeline.stop())
    assert calls == ["pipeline_begin", "stage_begin pulsing", "batch_begin 0", "solution found",
                     "stage_end pulsing", "pipeline_end"]  # fmt: skip


def test_a_unit_after_all_that_were_expected_still_has_its_beginning():
    class Overdone(Stage):
        name = "overdone"

        def run(self, state, budget):
            yield Batch(1, 1)
            yield Batch(2, 2)

    calls = []
    fit([Overdone()], calls)
    assert calls[2:6] == ["batch_begin 0", "batch_end 0", "batch_begin 1", "batch_end 1"]


@pytest.mark.parametrize(
    ("yielded", "message"),
    [
        (Batch(1, 1, {"surprise": 1.0}), "stage 'odd' reports 'surprise'"),
        ((1, 1), r"must yield Batch objects, Pulse objects or None, got \(1, 1\)"),
    ],
)
def test_a_stage_that_yields_something_unexpected_is_told_what_is_wrong(yielded, message):
    class Odd(Stage):
        name = "odd"

        def run(self, state, budget):
            yield yielded

    with pytest.raises((TypeError, ValueError), match=message):
        Pipeline([Odd()]).fit(verbose=False)


def test_a_run_that_is_no_generator_is_told_so():
    class Plain(Stage):
        name = "plain"

        def run(self, state, budget):
            return [Batch(1)]

    with pytest.raises(TypeError, match=r"run\(\) of stage 'plain' must be a generator"):
        Pipeline([Plain()]).fit(verbose=False)


class Offering(Stage):
    name = "offering"

    def __init__(self, *offers):
        self.offers = offers

    def run(self, state, budget):
        for done, offer in enumerate(self.offers, start=1):
            state.offer(*offer)
            yield Batch(done, len(self.offers))


def test_an_offer_that_is_no_number_names_the_stage_and_keeps_the_best():
    pipeline = Pipeline([Offering(("a", 5.0, 0), ("b", "cheap", 0))])
    with pytest.raises(TypeError, match="cost must be a real number, got 'cheap'") as caught:
        pipeline.fit(verbose=False)
    assert caught.value.__notes__ == ["raised by stage 'offering' after batch 0"]
    assert (pipeline.run.solution, pipeline.run.cost) == ("a", 5.0)


def test_a_run_of_odd_costs_ends_with_the_best_number(tmp_path):
    nan = float("nan")
    offers = [("a", nan, 0), ("b", np.array([7.5]), 0), ("c", nan, 0), ("d", 900, 0)]
    log = tmp_path / "log.csv"
    run = Pipeline([Offering(*offers)]).fit(callbacks=CSVLogger(log), verbose=False)
    assert (run.status, run.solution, run.cost) == ("finished", "b", 7.5)
    assert run.history["cost"][1:] == [7.5, 7.5, 7.5]
    assert [line.split(",")[7] for line in log.read_text().splitlines()[2:]] == ["7.5"] * 3
