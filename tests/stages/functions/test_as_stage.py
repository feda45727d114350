"""Functions, coroutines and generators as stages."""

import asyncio
import copy
import ctypes
import os
import pickle
import signal
import threading
import time
import traceback
import warnings
from functools import partial

import numpy as np
import pytest
from schoolbell.callbacks import BackupAndRestore, Callback, LambdaCallback, Timer
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, InputError, Pulse, Report, Stage, StageEnded, as_stage


def fit(stage, **options):
    return Pipeline([stage]).fit(**({"verbose": False} | options))


@as_stage(unit="guess", metrics=("tried",))
def guess(report):
    for x in range(5):
        report(total=5, cost=(x - 3) ** 2, solution=[x], tried=x)


def test_a_function_s_reports_are_the_batches_of_its_stage():
    run = fit(guess)
    assert (run.solution, run.cost, run.violations, run.status) == ([3], 0, None, "finished")
    assert run.history["done"] == [1, 2, 3, 4, 5]
    assert run.history["total"] == [5] * 5
    assert run.history["tried"] == [0, 1, 2, 3, 4]
    assert run.stages[0].name == "guess"
    assert run.stages[0].unit == "guess"


def test_it_is_a_decorator_with_and_without_arguments_and_a_call():
    def work(report):
        report(3, 3)

    assert as_stage(work).name == "work"
    assert as_stage(name="other")(work).name == "other"
    stage = as_stage(partial(work), unit="thing", share=2.0)
    assert (stage.name, stage.unit, stage.share) == ("work", "thing", 2.0)
    assert as_stage(lambda report: None).name == "function"
    assert fit(stage).history["done"] == [3]
    assert isinstance(stage, Stage)
    told = []
    guess(lambda *args, **values: told.append(values["tried"]))
    assert told == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("wrong", [3, "tune", guess])
def test_what_is_no_function_is_refused(wrong):
    with pytest.raises(TypeError, match=r"callable with one argument|a stage already"):
        as_stage(wrong)


def test_a_function_that_takes_no_report_is_refused():
    with pytest.raises(TypeError, match="one argument, a report"):
        as_stage(lambda: None)
    with pytest.raises(TypeError, match="one argument, a report"):
        as_stage(lambda report, more: None)


def test_metrics_are_those_of_the_first_report_and_a_wrong_one_ends_the_run():
    def work(report):
        report(a=1)
        report(b=2)

    with pytest.raises(ValueError, match="reports 'b' in batch 1"):
        fit(as_stage(work))


def test_what_functions_need_and_leave_is_checked_before_any_of_them_works():
    worked = []

    @as_stage(leaves=["graph"])
    def draw(report):
        report.state.graph = [1, 2]
        report(1, 1)

    @as_stage(needs=("graph",))
    def count(report):
        worked.append(len(report.state.graph))
        report(1, 1)

    assert (draw.leaves, count.needs, count.leaves) == (("graph",), ("graph",), ())
    with pytest.raises(InputError, match=r"'count' needs 'graph'.*put stage 'draw'"):
        Pipeline([count, draw]).fit(verbose=False)
    assert worked == []
    Pipeline([draw, count]).fit(verbose=False)
    assert worked == [2]
    with pytest.raises(TypeError, match="needs of stage 'count' must be names, got 'graph'"):
        Pipeline([as_stage(count.function, needs="graph")])


def test_the_state_and_the_problem_are_there():
    def work(report):
        report.state.found = report.state.problem + 1
        report()

    run = Pipeline([as_stage(work)]).fit(4, verbose=False)
    assert run.state.found == 5


def test_a_solution_that_the_function_goes_on_changing_is_copied():
    def work(report):
        x = np.zeros(3)
        for k in range(3):
            x[:] = k
            report(cost=k, solution=x)

    assert fit(as_stage(work)).solution.tolist() == [0, 0, 0]


def test_a_solution_that_cannot_be_copied_is_kept_itself():
    lock = threading.Lock()
    assert fit(as_stage(lambda report: report(cost=1, solution=lock))).solution is lock


def test_violations_come_first_and_a_cost_may_come_alone():
    def work(report):
        report(cost=1, violations=2)
        report(cost=5, violations=0)

    run = fit(as_stage(work))
    assert (run.cost, run.violations, run.solution) == (5, 0, None)
    with pytest.raises(TypeError, match="a report of solution needs"):
        fit(as_stage(lambda report: report(solution=3)))


def test_a_cost_alone_does_not_take_the_place_of_an_earlier_stage_s_solution():
    alone = as_stage(lambda report: report(cost=-1), name="alone")
    pipeline = Pipeline([guess, alone])
    with pytest.raises(ValueError, match="without its solution"):
        pipeline.fit(verbose=False)
    assert pipeline.run.solution == [3]


def test_more_units_than_were_expected_are_no_failure():
    def work(report):
        report(total=1)
        report()

    assert fit(as_stage(work)).history["total"] == [1, None]


def test_the_function_waits_for_the_runner_at_each_report():
    at_work = []

    def work(report):
        for number in range(5):
            at_work.append(number)
            report()

    seen = []
    fit(
        as_stage(work),
        callbacks=LambdaCallback(on_batch_end=lambda b, logs: seen.append(len(at_work))),
    )
    assert seen == [1, 2, 3, 4, 5]


def test_a_function_runs_in_a_thread_of_its_own_with_what_is_set_for_the_caller():
    seen = {}

    def work(report):
        seen["thread"], seen["errors"] = threading.current_thread(), np.geterr()["divide"]
        report()

    with np.errstate(divide="raise"):
        fit(as_stage(work))
    assert seen["thread"] is not threading.current_thread()
    assert seen["errors"] == "raise"


def test_reports_may_come_from_several_threads():
    def work(report):
        threads = [
            threading.Thread(target=lambda: [report(total=30) for _ in range(10)]) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert fit(as_stage(work)).history["done"] == list(range(1, 31))


def fails(report):
    report()
    raise ZeroDivisionError("of the function")


async def fails_later(report):
    report()
    await asyncio.sleep(0)
    raise ZeroDivisionError("of the function")


def fails_in_a_generator(report):
    report()
    yield
    raise ZeroDivisionError("of the function")


@pytest.mark.parametrize("function", [fails, fails_later, fails_in_a_generator])
def test_an_exception_of_the_function_arrives_with_its_traceback(function):
    with pytest.raises(ZeroDivisionError, match="of the function") as caught:
        fit(as_stage(function))
    text = "".join(traceback.format_exception(caught.value))
    assert f"in {function.__name__}\n    raise ZeroDivisionError" in text
    assert f"raised by stage {function.__name__!r} after batch 0" in caught.value.__notes__


ENDINGS = ["stop", "timer", "time_limit", "ctrl_c"]


def end_in(way, seconds, stage, begun):
    """Fit a stage and end it so many seconds after it has begun; return the run and the delay."""
    moment, pipeline = [], Pipeline([stage])

    def act():
        assert begun.wait(10)
        time.sleep(seconds)
        moment.append(time.monotonic())
        if way == "stop":
            pipeline.stop("command")
        else:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    options = {}
    if way == "timer":
        options["callbacks"] = Timer(0.3 + seconds)
        moment.append(time.monotonic() + 0.3 + seconds)
    elif way == "time_limit":
        options["time_limit"] = 0.3 + seconds
        moment.append(time.monotonic() + 0.3 + seconds)
    else:
        threading.Thread(target=act).start()
    run = pipeline.fit(verbose=False, **options)
    return run, time.monotonic() - moment[0]


@pytest.fixture
def ctrl_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("way", ENDINGS)
def test_the_next_report_ends_a_function_whose_stage_has_ended(way, ctrl_c):
    begun, raised = threading.Event(), []

    def work(report):
        try:
            while True:
                report(cost=1)
                begun.set()
                time.sleep(0.01)
        except BaseException as error:
            raised.append(type(error))
            raise

    run, delay = end_in(way, 0.05, as_stage(work), begun)
    assert raised == [StageEnded]
    assert delay < 0.5 + (0.25 if way == "time_limit" else 0)
    expected = {"ctrl_c": "interrupted", "time_limit": "finished"}.get(way, "stopped")
    assert (run.status, run.cost) == (expected, 1)


@pytest.mark.parametrize("way", ENDINGS)
def test_a_function_that_has_said_how_is_told_of_the_end_and_may_tidy_up(way, ctrl_c):
    begun, told, answers = threading.Event(), threading.Event(), []

    def work(report):
        report.on_end(told.set)
        begun.set()
        assert told.wait(10)
        answers.append(report(cost=7, solution="the last"))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run, delay = end_in(way, 0.0, as_stage(work), begun)
    assert answers == [True]
    assert delay < 0.5 + (0.25 if way == "time_limit" else 0)
    # What it reports at its end is not lost.
    assert (run.solution, run.cost) == ("the last", 7)


@pytest.mark.parametrize("way", ENDINGS)
def test_a_coroutine_is_cancelled_though_it_never_reports(way, ctrl_c):
    begun, cancelled = threading.Event(), []

    async def work(report):
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    _, delay = end_in(way, 0.0, as_stage(work), begun)
    assert cancelled == [True]
    assert delay < 0.5 + (0.25 if way == "time_limit" else 0)


def test_a_function_that_heeds_nothing_is_left_behind_with_a_warning():
    begun, release, late = threading.Event(), threading.Event(), []

    def work(report):
        report(cost=3)
        begun.set()
        release.wait(10)
        try:
            report(cost=0)
        except StageEnded:
            late.append("ended")

    with pytest.warns(RuntimeWarning, match="'work' has neither ended nor reported within 0.5 s"):
        run, delay = end_in("stop", 0.0, as_stage(work), begun)
    assert delay < 1.0
    release.set()
    deadline = time.monotonic() + 10
    while not late and time.monotonic() < deadline:
        time.sleep(0.001)
    # And nothing of what it reports then gets into a run that is over.
    assert (late, run.state.cost) == (["ended"], 3)


def test_a_function_for_the_end_is_not_called_when_the_function_has_ended_before():
    called = []
    fit(as_stage(lambda report: report.on_end(lambda: called.append(1)) and report()))
    assert not called


def test_what_fails_while_it_tidies_up_is_not_lost():
    begun = threading.Event()

    def work(report):
        try:
            while True:
                begun.set()
                report()
        finally:
            raise ZeroDivisionError("in the end")

    with pytest.raises(ZeroDivisionError, match="in the end"):
        end_in("stop", 0.0, as_stage(work), begun)


def test_a_generator_reports_or_yields_and_runs_in_the_runner_s_thread():
    seen = []

    def work(report):
        seen.append(threading.current_thread())
        report(total=4, cost=2)
        yield
        yield Batch(2, 4)
        yield Pulse(0.5)
        report(3, 4)
        report(4, 4)

    run = fit(as_stage(work))
    assert seen == [threading.current_thread()]
    assert (run.history["done"], run.cost) == ([1, 2, 3, 4], 2)


def test_a_generator_s_reports_raise_at_the_end_too():
    ended = []

    def work(report):
        try:
            while True:
                report()
                yield
        finally:
            ended.append(report.should_end)

    stop = LambdaCallback(on_batch_end=lambda batch, logs: batch == 2 and pipeline.stop())
    pipeline = Pipeline([as_stage(work)])
    run = pipeline.fit(callbacks=stop, verbose=False)
    assert (ended, run.status, run.stages[0].done) == ([True], "stopped", 3)


def test_asynchronous_generators_and_functions_that_return_one_are_driven():
    async def rows(report):
        for number in range(3):
            await asyncio.sleep(0)
            yield Batch(number + 1, 3, {"value": number})

    assert fit(as_stage(rows)).history["value"] == [0, 1, 2]
    assert fit(as_stage(lambda report: rows(report))).history["value"] == [0, 1, 2]
    made = as_stage(lambda report: (Batch(number + 1) for number in range(2)))
    assert fit(made).history["done"] == [1, 2]


def test_a_pause_holds_the_function_at_its_report():
    paused, reached = threading.Event(), []

    def work(report):
        for number in range(3):
            reached.append(number)
            report()

    class PauseAtFirst(Callback):
        def on_batch_end(self, batch, logs=None):
            if batch == 0:
                self.pipeline.pause()
                paused.set()

    pipeline = Pipeline([as_stage(work)])
    thread = threading.Thread(
        target=pipeline.fit, kwargs={"callbacks": PauseAtFirst(), "verbose": False}
    )
    thread.start()
    assert paused.wait(10)
    time.sleep(0.05)
    assert reached == [0]
    pipeline.resume()
    thread.join(10)
    assert reached == [0, 1, 2]


def walk(report, steps=8):
    saved = report.saved
    rng = np.random.default_rng(report.state.seed)
    rng = saved.setdefault("rng", rng)
    x = saved.setdefault("x", 0.0)
    for step in range(saved.get("step", 0), steps):
        x += rng.normal()
        saved.update(step=step + 1, x=x)
        report(step + 1, steps, cost=x, solution=[x])


def walk_in_a_generator(report):
    for _ in _reports_of(report):
        yield


def _reports_of(report):
    saved = report.saved
    for step in range(saved.get("step", 0), 8):
        saved["step"] = step + 1
        report(step + 1, 8, cost=-step, solution=[step])
        yield


async def walk_in_a_coroutine(report):
    walk(report)


class Dying(Exception):
    pass


def die_after(folder, batches, stage):
    def die(batch, logs):
        if batch == batches:
            raise Dying

    with pytest.raises(Exception, match="LambdaCallback"):
        fit(
            stage,
            callbacks=[
                BackupAndRestore(folder, save_freq=1, interval=None),
                LambdaCallback(on_batch_end=die),
            ],
            seed=5,
        )


@pytest.mark.parametrize("function", [walk, walk_in_a_generator, walk_in_a_coroutine])
@pytest.mark.parametrize("batches", [1, 4, 6])
def test_a_function_that_keeps_its_state_goes_on_where_it_was(tmp_path, function, batches):
    die_after(tmp_path, batches, as_stage(function, name="walk"))
    stage = as_stage(function, name="walk")
    callback = BackupAndRestore(tmp_path, save_freq=1, interval=None)
    resumed = fit(stage, callbacks=callback, seed=5)
    whole = fit(as_stage(function, name="walk"), seed=5)
    assert callback.resumed
    assert (resumed.solution, resumed.cost) == (whole.solution, whole.cost)
    assert resumed.history["done"] == whole.history["done"]


def test_what_was_kept_is_gone_in_a_new_run():
    seen = []

    def work(report):
        seen.append(dict(report.saved))
        report.saved["x"] = 1
        report()

    pipeline = Pipeline([as_stage(work)])
    pipeline.fit(verbose=False)
    pipeline.fit(verbose=False)
    assert seen == [{}, {}]


def test_a_function_that_keeps_nothing_is_said_to_begin_again(tmp_path):
    with pytest.warns(RuntimeWarning, match="keeps no state .*report.saved") as warned:
        fit(guess, callbacks=BackupAndRestore(tmp_path, save_freq=1, interval=None))
    assert len([one for one in warned if "report.saved" in str(one.message)]) == 1


def test_a_stage_under_a_function_s_name_can_be_pickled_and_copied(monkeypatch):
    assert pickle.loads(pickle.dumps(guess)) is guess
    other = copy.deepcopy(guess)
    assert other is not guess
    assert fit(other).solution == [3]
    named = as_stage(walk, name="other")
    assert pickle.loads(pickle.dumps(named)).name == "other"


def test_parameters_are_those_of_as_stage():
    assert guess.get_params()["unit"] == "guess"
    known = ["function", "unit", "metrics", "name", "share", "needs", "leaves"]
    assert sorted(guess.get_params()) == sorted(known)


def test_a_report_can_be_named_in_annotations():
    @as_stage
    def work(report: Report) -> None:
        report.pulse(0.5, "half of it", total=1)
        report()

    assert fit(work).history["done"] == [1]


@pytest.mark.parametrize("saved", [{"done": 3}, {"done": 1, "total": 2, "x": 0}])
def test_a_state_that_cannot_be_one_is_refused(saved):
    with pytest.raises(ValueError, match="expected done and total"):
        as_stage(walk).load_state_dict(saved)


@pytest.mark.skipif(os.name == "nt", reason="C's signal is found in another library there")
@pytest.mark.parametrize("when", ["at_work", "at_the_end"])
def test_ctrl_c_is_taken_back_from_a_library_that_has_taken_it(when):
    set_handler = ctypes.CDLL(None).signal
    set_handler.restype, set_handler.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
    default = int(signal.SIG_DFL)
    seen = []

    def take():
        """Put C's default in the place of Python's handler, and return what there was."""
        return set_handler(signal.SIGINT, default) or default

    def solve(report):
        take()
        if when == "at_work":
            assert pulsed.wait(5)

    pulsed = threading.Event()

    class Pulsed(Stage):
        name, unit = "pulsed", "step"

        def run(self, state, budget):
            for item in as_stage(solve).run(state, budget):
                if item is None:
                    seen.append(take())
                    signal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT))
                    pulsed.set()
                yield item
            # Before the run itself puts back what it has found.
            seen.append(take())
            signal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT))

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        python = take()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        fit(Pulsed())
    finally:
        signal.signal(signal.SIGINT, before)
    assert set(seen) == {python} != {default}


def test_where_no_violations_are_reported_there_are_none():
    run = Pipeline([as_stage(lambda report: report(1, 1, cost=3.0))]).fit(verbose=False)
    assert (run.cost, run.violations) == (3.0, None)
