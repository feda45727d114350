"""What `Pipeline` takes, refuses and returns."""

import asyncio
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from schoolbell.callbacks import Callback, EarlyStopping, History, LambdaCallback, ProgbarLogger
from schoolbell.runner import Pipeline
from schoolbell.stages import (
    CPSAT,
    Batch,
    Finalize,
    GeneticAlgorithm,
    InputError,
    LouvainClustering,
    RLRepair,
    Stage,
)


class Steps(Stage):
    def __init__(self, name="steps", steps=2, share=1.0):
        self.name, self.steps, self.share = name, steps, share

    def run(self, state, budget):
        self.state = state
        for step in range(self.steps):
            yield Batch(step + 1, self.steps)


def test_what_a_stage_lacks_is_told_before_any_stage_works():
    class Lacking(Steps):
        def check(self):
            raise LookupError("no such file")

    begun = []
    note = LambdaCallback(on_pipeline_begin=lambda logs: begun.append("pipeline"))
    pipeline = Pipeline([Steps("first"), Lacking("second")])
    with pytest.raises(LookupError, match="no such file"):
        pipeline.fit(callbacks=note, verbose=False)
    assert begun == []


def test_a_pipeline_needs_stages_of_different_names():
    with pytest.raises(ValueError, match="at least one stage"):
        Pipeline([])
    with pytest.raises(ValueError, match="two stages are called 'steps'"):
        Pipeline([Steps(), Steps()])


@pytest.mark.parametrize("stage", [object(), Steps, "load"])
def test_a_pipeline_takes_nothing_but_stages(stage):
    with pytest.raises(TypeError, match="must be an instance of"):
        Pipeline([stage])


@pytest.mark.parametrize("share", [0, -1, float("nan"), float("inf")])
def test_a_share_must_be_positive(share):
    with pytest.raises(ValueError, match="share of stage 'steps' must be a positive number"):
        Pipeline([Steps(share=share)])


def test_a_metric_may_not_hide_a_core_column():
    class Rival(Steps):
        metrics = ("cost",)

    with pytest.raises(ValueError, match="has a metric 'cost'"):
        Pipeline([Rival()])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed must be"),
        ({"seed": 1.5}, "seed must be"),
        ({"time_limit": 0}, "time_limit must be"),
        ({"time_limit": float("nan")}, "time_limit must be"),
        ({"workers": 0}, "workers must be"),
        ({"started": time.monotonic() + 1e9}, "started must be"),
        ({"callback_errors": "ignore"}, "errors must be"),
        ({"verbose": "loud"}, "style must be"),
    ],
)
def test_fit_refuses_impossible_options(options, message):
    with pytest.raises(ValueError, match=message):
        Pipeline([Steps()]).fit(**{"verbose": False, **options})


@pytest.mark.parametrize("callback", [Callback, print, "csv"])
def test_fit_takes_nothing_but_callbacks(callback):
    with pytest.raises(TypeError, match="must be an instance of"):
        Pipeline([Steps()]).fit(callbacks=[callback], verbose=False)


def test_stages_find_what_fit_was_given():
    stage = Steps()
    Pipeline([stage]).fit("problem", seed=7, workers=3, initial="start", verbose=False)
    state = stage.state
    assert (state.problem, state.seed, state.workers, state.initial) == ("problem", 7, 3, "start")


def test_callbacks_know_the_run_before_it_begins():
    class Curious(Callback):
        def on_pipeline_begin(self, logs=None):
            self.seen = dict(self.params)
            self.progress = self.pipeline.progress

    class Measured(Steps):
        unit, label, metrics = "meter", "Long way", ("speed",)
        tunable = ("steps",)

    callback = Curious()
    pipeline = Pipeline([Steps("first_steps"), Measured("b", share=3)], name="Walk")
    run = pipeline.fit(
        callbacks=callback, seed=3, time_limit=9, workers=2, job_id="job", verbose=False
    )
    assert callback.progress < 0.001
    assert callback.seen.pop("parameters") == pipeline.get_params() != {}
    assert callback.seen.pop("stages") == [
        {"name": "first_steps", "label": "First steps", "unit": "batch", "metrics": (),
         "start": 0.0, "end": 0.25, "tunable": None},
        {"name": "b", "label": "Long way", "unit": "meter", "metrics": ("speed",),
         "start": 0.25, "end": 1.0, "tunable": ("steps",)},
    ]  # fmt: skip
    assert callback.seen == {
        "pipeline": "Walk", "job_id": "job", "seed": 3, "time_limit": 9, "workers": 2,
        "goal": "min", "callbacks": [{"name": "Curious", "parameters": {}}],
    }  # fmt: skip
    assert run.job_id == "job"


def test_a_stage_that_does_not_keep_its_parameters_runs_all_the_same():
    class Secretive(Steps):
        def __init__(self, steps):
            super().__init__()
            self.name, self._hidden = "secretive", steps
            del self.steps

        def run(self, state, budget):
            yield Batch(self._hidden, self._hidden)

    run = Pipeline([Secretive(2)]).fit(verbose=False)
    assert run.stages[0].done == 2


def test_workers_are_the_processors_that_this_process_may_use():
    stage = Steps()
    Pipeline([stage]).fit(verbose=False)
    assert stage.state.workers == len(os.sched_getaffinity(0))


def test_an_executor_that_was_given_is_used_and_left_running():
    class Working(Steps):
        def run(self, state, budget):
            self.executor = state.executor
            yield Batch(state.executor.submit(int, "1").result(), 1)

    stage = Working()
    with ThreadPoolExecutor(1) as executor:
        Pipeline([stage]).fit(executor=executor, verbose=False)
        assert stage.executor is executor
        assert executor.submit(int, "2").result() == 2


def test_the_default_executor_is_shut_down():
    stage = Steps()
    Pipeline([stage]).fit(verbose=False)
    with pytest.raises(RuntimeError, match="after shutdown"):
        stage.state.executor.submit(int)


@pytest.mark.parametrize("verbose", ["auto", True, 1, "plain"])
def test_outside_a_terminal_progress_is_shown_as_plain_lines_on_stderr(verbose, capsys):
    Pipeline([Steps()]).fit(verbose=verbose)
    out, err = capsys.readouterr()
    assert "[100.0 %] Run finished" in err
    assert out == ""


@pytest.mark.parametrize("verbose", [False, 0])
def test_nothing_is_shown_unless_asked_for(verbose, capsys):
    Pipeline([Steps()]).fit(verbose=verbose)
    assert capsys.readouterr() == ("", "")


def test_a_progress_display_of_the_users_is_enough(capsys):
    Pipeline([Steps()]).fit(callbacks=[ProgbarLogger("plain")])
    assert capsys.readouterr().err.count("Run finished") == 1


def test_time_spent_before_the_call_counts(clock):
    class Watchful(Steps):
        def run(self, state, budget):
            self.seconds = budget.seconds
            yield Batch(1, 1)

    stage = Watchful()
    run = Pipeline([stage]).fit(time_limit=10, started=clock.now - 6, verbose=False)
    assert stage.seconds == pytest.approx(4)
    assert run.seconds == pytest.approx(6)


def test_one_pipeline_runs_once_at_a_time():
    pipeline = Pipeline([Steps()])
    refused = []

    def again(logs):
        with pytest.raises(RuntimeError, match="running already") as caught:
            pipeline.fit(verbose=False)
        refused.append(caught.value)

    pipeline.fit(callbacks=LambdaCallback(on_pipeline_begin=again), verbose=False)
    assert len(refused) == 1
    assert pipeline.fit(verbose=False).status == "finished"


class Bare(Callback):
    """Does without the constructor of its base, and is like any other."""

    def __init__(self):
        self.begun, self.hook = 0, lambda: None

    def __eq__(self, other):
        return True

    __hash__ = None

    def on_pipeline_begin(self, logs=None):
        self.begun += 1

    def on_batch_end(self, batch, logs=None):
        self.hook()


def test_a_callback_that_watches_a_run_is_refused_by_another_before_anything_runs():
    callback, other, stage = Bare(), Bare(), Steps(steps=1)
    began = []

    class Checked(Steps):
        def run(self, state, budget):
            began.append(self)
            yield from super().run(state, budget)

    def nested():
        with pytest.raises(RuntimeError, match="this Bare watches a run that goes on"):
            Pipeline([Checked()]).fit(callbacks=[other, callback], verbose=False)

    callback.hook = nested
    Pipeline([stage]).fit(callbacks=callback, verbose=False)
    assert (callback.begun, other.begun, began) == (1, 0, [])
    # The other one was not kept by the fit that was refused.
    assert Pipeline([stage]).fit(callbacks=[other], verbose=False).status == "finished"


def test_a_callback_that_watches_a_run_is_refused_in_another_thread():
    watching, over = threading.Event(), threading.Event()

    class Waiting(Steps):
        def run(self, state, budget):
            watching.set()
            assert over.wait(20)
            yield from super().run(state, budget)

    stop = EarlyStopping("cost")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: Pipeline([Waiting()]).fit(callbacks=stop, verbose=False))
        assert watching.wait(20)
        try:
            with pytest.raises(RuntimeError, match="this EarlyStopping watches a run"):
                Pipeline([Steps()]).fit(callbacks=stop, verbose=False)
        finally:
            over.set()
        assert first.result().status == "finished"
    assert Pipeline([Steps()]).fit(callbacks=stop, verbose=False).status == "finished"


@pytest.mark.parametrize(
    "failure", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit], ids=lambda one: ""
)
@pytest.mark.parametrize("hook", ["on_pipeline_begin", "on_batch_end", "on_pipeline_end"])
def test_a_callback_is_free_again_however_a_run_has_ended(hook, failure):
    failures = [failure(), failure()]

    def fail(*_):
        if failures:
            raise failures.pop()

    callback = LambdaCallback(**{hook: fail})
    for _ in range(3):
        with suppress(BaseException):
            Pipeline([Steps()]).fit(callbacks=callback, verbose=False)
    assert Pipeline([Steps()]).fit(callbacks=callback, verbose=False).status == "finished"


def test_a_callback_stands_once_among_the_callbacks():
    callback = Bare()
    with pytest.raises(ValueError, match="one Bare is among the callbacks twice"):
        Pipeline([Steps()]).fit(callbacks=[callback, Bare(), callback], verbose=False)
    assert callback.begun == 0


def test_callbacks_serve_several_fits():
    history = History()
    pipeline = Pipeline([Steps(steps=3)])
    for _ in range(2):
        run = pipeline.fit(callbacks=[history], verbose=False)
        assert history["done"] == run.history["done"] == [1, 2, 3]


def test_requests_to_a_pipeline_that_does_not_run_do_nothing():
    pipeline = Pipeline([Steps()])
    for _ in range(2):
        pipeline.stop()
        pipeline.skip_stage()
        pipeline.pause()
        pipeline.resume()
        assert pipeline.fit(verbose=False).stages[0].ended_by == "finished"


def test_there_is_nothing_to_track_before_a_run():
    pipeline = Pipeline([Steps()])
    assert pipeline.progress == 0
    with pytest.raises(RuntimeError, match="has not run"):
        _ = pipeline.tracker
    pipeline.fit(verbose=False)
    assert pipeline.progress == 1


def test_parameters_of_stages_are_read_and_set_through_the_pipeline():
    pipeline = Pipeline([Steps("a"), Steps("b", steps=5)])
    assert pipeline.get_params()["b__steps"] == 5
    assert pipeline.set_params(a__steps=8, b__share=2.0) is pipeline
    assert (pipeline.stages[0].steps, pipeline.stages[1].share) == (8, 2.0)
    assert pipeline.stages[1].steps == 5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("c__steps", "no parameter 'c__steps': .* one of a, b"),
        ("steps", "no parameter 'steps'"),
        ("a__speed", "stage 'a' has no parameter 'speed'; it has name, steps, share"),
    ],
)
def test_unknown_parameters_are_refused_and_then_none_is_set(name, message):
    pipeline = Pipeline([Steps("a"), Steps("b")])
    with pytest.raises(ValueError, match=message):
        pipeline.set_params(a__steps=9, **{name: 1})
    assert pipeline.get_params()["a__steps"] == 2


def test_the_same_stages_run_in_asyncio():
    pipeline = Pipeline([Steps(steps=3)])

    async def main():
        threads = []
        run = await pipeline.afit(
            "problem",
            verbose=False,
            callbacks=LambdaCallback(
                on_batch_end=lambda *_: threads.append(threading.current_thread())
            ),
        )
        assert threading.current_thread() not in threads
        return run

    run = asyncio.run(main())
    assert (run.status, run.history["done"]) == ("finished", [1, 2, 3])


def test_an_exception_in_asyncio_is_raised():
    class Failing(Steps):
        def run(self, state, budget):
            raise ZeroDivisionError
            yield

    with pytest.raises(ZeroDivisionError):
        asyncio.run(Pipeline([Failing()]).afit(verbose=False))


def test_cancelling_in_asyncio_stops_the_run_and_keeps_the_best():
    class Endless(Steps):
        def run(self, state, budget):
            state.offer("best", 1, 0)
            while True:
                time.sleep(0.001)
                yield None

    pipeline = Pipeline([Endless()])

    async def main():
        began = asyncio.Event()
        loop = asyncio.get_running_loop()
        callback = LambdaCallback(on_solution=lambda *_: loop.call_soon_threadsafe(began.set))
        task = asyncio.create_task(pipeline.afit(callbacks=callback, verbose=False))
        await asyncio.wait_for(began.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    run = pipeline.run
    assert run is not None
    assert (run.status, run.stopped_by, run.solution) == ("stopped", "cancelled", "best")


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no signals to spare")
def test_a_signal_that_cancels_stops_a_run_that_nothing_else_wakes():
    class Long(Steps):
        def run(self, state, budget):
            state.offer("best", 1, 0)
            for _ in range(1000):
                time.sleep(0.01)
                yield None

    pipeline = Pipeline([Long()])
    callback = LambdaCallback(on_solution=lambda *_: os.kill(os.getpid(), signal.SIGUSR1))

    async def main():
        task = asyncio.create_task(pipeline.afit(callbacks=callback, verbose=False))
        # As ipykernel does on an interrupt; asyncio's own handlers would wake the loop.
        before = signal.signal(signal.SIGUSR1, lambda *_: task.cancel())
        try:
            with pytest.raises(asyncio.CancelledError):
                await task
        finally:
            signal.signal(signal.SIGUSR1, before)

    asyncio.run(main())
    run = pipeline.run
    assert run is not None
    assert (run.stopped_by, run.solution) == ("cancelled", "best")


class Leaving(Stage):
    """Leaves what it is told to, and needs what it is told to."""

    def __init__(self, name, needs=(), leaves=()):
        self.name, self.needs, self.leaves = name, tuple(needs), tuple(leaves)

    def run(self, state, budget):
        for name in self.needs:
            getattr(state, name)
        for name in self.leaves:
            setattr(state, name, 1)
        yield Batch(1, 1)


def test_stages_that_do_not_fit_together_are_refused_with_names_before_any_has_run():
    first, second = Leaving("first", leaves=["graph"]), Leaving("second", needs=["graph"])
    assert Pipeline([first, second]).fit(verbose=False).status == "finished"
    for stages, words in (
        ([second, first], "stage 'second' needs 'graph'.*put stage 'first', which does, before it"),
        ([first, Leaving("third", needs=["grph"])], "'grph'.*leave 'graph'; did you mean 'graph'"),
        ([second], "'second' needs 'graph'.*they leave nothing"),
        ([Leaving("fourth", needs=["problem"])], "'fourth' needs 'problem'.*give it to fit"),
        ([Leaving("fifth", needs=["initial"])], "'fifth' needs 'initial'.*give it to fit"),
    ):
        pipeline = Pipeline(stages)
        with pytest.raises(InputError, match=words):
            pipeline.fit(verbose=False)
        assert pipeline.run is None
    for name in ("problem", "initial"):
        stage = Leaving("given", needs=[name])
        assert Pipeline([stage]).fit(**{name: "it"}, verbose=False).status == "finished"


@pytest.mark.parametrize("engine", [LouvainClustering, CPSAT, GeneticAlgorithm, RLRepair])
def test_an_engine_is_refused_before_it_runs_where_nothing_makes_a_problem_for_it(engine):
    pipeline = Pipeline([Leaving("first"), engine()])
    with pytest.raises(TypeError, match=f"{engine.__name__} needs a problem with .*, got dict"):
        pipeline.fit({}, verbose=False)
    assert pipeline.run is None
    with pytest.raises(InputError, match="'finalize' needs 'formulation'"):
        Pipeline([Finalize()]).fit({}, verbose=False)


def test_what_a_stage_needs_and_leaves_must_be_names():
    for what in ("needs", "leaves"):
        stage = Leaving("one")
        setattr(stage, what, "graph")
        with pytest.raises(TypeError, match=f"{what} of stage 'one' must be names, got 'graph'"):
            Pipeline([stage])
