"""What a run leaves behind can be copied, pickled, and brought back from another process."""

import copy
import importlib
import inspect
import io
import pickle
import pkgutil
import re
import subprocess
import sys
import textwrap
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import schoolbell.callbacks
import schoolbell.runner
import schoolbell.stages
from schoolbell.callbacks import (
    AdjustOnPlateau,
    BackupAndRestore,
    BatchScheduler,
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    MLflowLogger,
    Notify,
    ProgbarLogger,
    RedisLogger,
    RemoteMonitor,
    SolutionCheckpoint,
    SystemMonitor,
    TensorBoard,
    TerminateOnNaN,
    TerminateOnTarget,
    Timer,
)
from schoolbell.runner import Pipeline, Run, timetabling_pipeline
from schoolbell.runner.config.config_file import ConfigFile
from schoolbell.stages import Batch, Budget, MapBatches, Stage, TrainAgent
from schoolbell.stages.timetable import evaluate, generate

pytestmark = pytest.mark.usefixtures("quick_bound")

UNITS = {
    "clustering": {"min_size": 10, "max_size": 40},
    "cp_sat": {"effort": 0.005},
    "ga": {"generations": 1, "founder_moves": 500, "child_moves": 200},
    "rl": {"episodes": 60, "patience": 60},
}


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


def nameless(value):
    """What an object shows of itself, without addresses."""
    return re.sub(r" at 0x\w+", "", repr(value))


WAYS = pytest.mark.parametrize("again", [through_pickle, copy.deepcopy])


class Text(str):
    """A solution that can be written."""

    def write(self, path):
        Path(path).write_text(self)


class Search(Stage):
    name, unit, metrics, brief = "search", "round", ("speed",), True

    def __init__(self, rate=1.0, steps=4, odd=None):
        self.rate, self.steps, self.odd = rate, steps, odd

    def run(self, state, budget):
        state.left = np.arange(3)
        for done in range(1, self.steps + 1):
            state.offer(Text(done), 10 - done)
            yield Batch(done, self.steps, {"speed": self.rate})


def faster(batch):
    return 1.0 + batch


def note(batch, logs):
    NOTED.append(batch)


NOTED = []


class Taker(BaseHTTPRequestHandler):
    """Takes every post."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


@cache
def web_server():
    """The address of a web server that takes every post, as long as the tests run."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


#: Callbacks that are made in another way than their parameters tell, and of some with options.
MADE = [
    lambda folder: AdjustOnPlateau("rate", factor=0.5, patience=100, stage="search"),
    lambda folder: BackupAndRestore(folder / "backup", save_freq=1),
    lambda folder: BatchScheduler("rate", faster, stage="search"),
    lambda folder: EarlyStopping("cost", patience=100),
    lambda folder: LambdaCallback(on_batch_end=note),
    lambda folder: Notify("json://127.0.0.1", on="failure"),
    lambda folder: ProgbarLogger("plain", sys.stderr),
    lambda folder: ProgbarLogger("rich", io.StringIO()),
    lambda folder: RedisLogger(announce=False),
    lambda folder: RemoteMonitor(web_server(), headers={"X-Key": "secret"}),
    lambda folder: SolutionCheckpoint(folder / "{batch}.txt"),
    lambda folder: SolutionCheckpoint(folder / "a.txt", "speed", mode="max", save_freq=2),
    lambda folder: TensorBoard(folder / "board"),
    lambda folder: TerminateOnTarget(cost=-5),
    lambda folder: Timer("10:00", stages="search"),
    lambda folder: ConfigFile(folder / "run.json", {"instance": "small"}),
]
PUBLIC = [getattr(schoolbell.callbacks, name) for name in schoolbell.callbacks.__all__]
CLASSES = [one for one in PUBLIC if inspect.isclass(one) and issubclass(one, Callback)]


def made_as_its_parameters_tell(kind, folder):
    """Make a callback with a path where one must be given, and with 1 for numbers."""
    given = {
        name: folder / name if "Path" in str(parameter.annotation) else 1
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.default is parameter.empty
    }
    return kind(**given)


def fit(*callbacks, stage=None, **options):
    pipeline = Pipeline([Search() if stage is None else stage])
    return pipeline.fit(callbacks=list(callbacks), verbose=False, **options)


@WAYS
def test_a_logger_of_mlflow_is_copied_with_its_parameters(again):
    logger = MLflowLogger("sqlite:///runs.db", "tuning")
    assert again(logger).get_params() == logger.get_params()


@WAYS
@pytest.mark.parametrize("make", MADE)
def test_a_callback_watches_as_well_when_it_was_copied_before_and_after_a_run(
    tmp_path, make, again, request, monkeypatch
):
    unused = make(tmp_path)
    if isinstance(unused, RedisLogger):
        monkeypatch.setenv("REDIS_URL", request.getfixturevalue("redis_server").url)
    check_copies(unused, again)


@WAYS
def test_so_does_any_other_callback_of_the_package(tmp_path, again):
    # A database of MLflow takes seconds to make.
    known = {type(make(tmp_path)) for make in MADE} | {Callback, MLflowLogger}
    others = [one for one in CLASSES if one not in known]
    assert {CSVLogger, History, SystemMonitor, TerminateOnNaN} <= set(others)
    for kind in others:
        check_copies(made_as_its_parameters_tell(kind, tmp_path), again)


def check_copies(unused, again):
    """See that a callback watches runs, and its copies too."""
    for callback in (again(unused), unused):
        assert fit(callback).status == "finished"
        used = again(callback)
        assert nameless(used) == nameless(callback)
        assert "pipeline" not in vars(used)
        assert used.params["job_id"] == callback.params["job_id"]
        # The one that was copied is as it was, and the copy can watch another run.
        assert callback.pipeline.run is not None
        assert fit(used).status == "finished"


def test_a_copied_callback_keeps_what_it_has_found_out(tmp_path):
    stopping, checkpoint = EarlyStopping("cost"), SolutionCheckpoint(tmp_path / "best.txt")
    history = History()
    fit(stopping, checkpoint, history)
    for again in (through_pickle, copy.deepcopy):
        assert again(stopping).best == stopping.best == 6
        assert again(checkpoint).written == checkpoint.written == tmp_path / "best.txt"
        assert again(history).rows == history.rows
        assert len(history) == 4


def test_a_copied_checkpoint_watches_batches_of_its_own(tmp_path):
    one = SolutionCheckpoint(tmp_path / "{done}.txt", monitor="speed", mode="max", save_freq=2)
    for again in (through_pickle, copy.deepcopy, copy.copy):
        assert again(one).on_batch_end.__self__ is not one
    fit(copy.copy(one))
    assert {path.name for path in tmp_path.iterdir()} == {"2.txt", "4.txt"}


def test_a_display_keeps_the_stream_that_it_can_keep(tmp_path):
    with (tmp_path / "progress").open("w") as file:
        for stream in (file, sys.stdout, None):
            assert copy.deepcopy(ProgbarLogger("plain", stream)).stream is stream
        assert through_pickle(ProgbarLogger("plain", file)).stream is None
        assert through_pickle(ProgbarLogger("plain", sys.stdout)).stream is sys.stdout
        assert through_pickle(ProgbarLogger("plain", sys.stderr)).stream is sys.stderr


def test_a_list_of_callbacks_can_be_copied(tmp_path):
    watching = CallbackList([EarlyStopping("cost"), History()])
    for again in (through_pickle, copy.deepcopy):
        assert len(again(watching)) == 2


def test_no_secret_of_a_run_gets_into_its_pickle():
    root = web_server().replace("://", "://user:pa55word@")
    run = fit(RemoteMonitor(root, headers={"X-Key": "h1dden"}))
    for secret in (b"pa55word", b"h1dden"):
        assert secret not in pickle.dumps(run)


def test_functions_without_a_name_go_through_cloudpickle_and_a_deep_copy():
    cloudpickle = pytest.importorskip("cloudpickle")
    seen = []
    for again in (lambda one: pickle.loads(cloudpickle.dumps(one)), copy.deepcopy):
        callback = LambdaCallback(on_stage_end=lambda stage, logs: seen.append(stage))
        fit(callback)
        fit(again(callback))
    assert seen.count("search") >= 3


def page(run):
    """The run as a notebook shows it, without the random names of what opens and closes."""
    return re.sub(r'name="\w{8}', "", run._repr_html_())


def check_same(run, other):
    assert type(other) is Run
    assert (other.solution, other.cost, other.violations) == (
        run.solution,
        run.cost,
        run.violations,
    )
    assert (other.status, other.seconds, other.job_id) == (run.status, run.seconds, run.job_id)
    assert other.summary() == run.summary()
    assert page(other) == page(run)
    assert other.history.to_frame().equals(run.history.to_frame())
    assert other.history.curve() == run.history.curve()
    assert other.history.plot() is not None
    assert other.stages == run.stages


@WAYS
def test_a_run_shows_the_same_when_it_was_copied(again):
    run = fit()
    other = again(run)
    check_same(run, other)
    assert other.state.solution is other.solution
    assert other.state.left.tolist() == [0, 1, 2]
    check_same(run, again(other))


@WAYS
def test_all_that_making_a_timetable_leaves_can_be_copied(again):
    problem = generate(20, seed=1)
    pipeline = timetabling_pipeline(**UNITS)
    assert repr(again(pipeline)) == repr(pipeline)
    run = pipeline.fit(problem, verbose=False)
    other = again(run)
    check_same(run, other)
    assert other.state.evaluation.details() == run.state.evaluation.details()
    assert not set(vars(run.state)) - set(vars(other.state)) - {"executor"}
    evaluation = evaluate(run.solution)
    assert str(again(evaluation)) == str(evaluation)
    assert again(evaluation) == evaluation
    with pytest.raises(TypeError):
        again(evaluation).hard["Lectures"] = 0
    for stage in (*pipeline.stages, TrainAgent(), MapBatches(sum, [1])):
        assert repr(again(stage)) == repr(stage)
    pipeline = again(pipeline)
    check_same(run, pipeline.run)
    # It can be fitted, and gives the same.
    assert pipeline.fit(problem, verbose=False).solution == run.solution


@WAYS
def test_a_pipeline_can_be_copied_while_it_runs(again):
    copies = []

    def take(batch, logs):
        copies.append((again(pipeline), again(callback), again(pipeline.run)))

    callback = LambdaCallback(on_stage_end=None)
    pipeline = Pipeline([Search()])
    pipeline.fit(callbacks=[callback, LambdaCallback(on_batch_end=take)], verbose=False)
    assert [run.state.cost for _, _, run in copies] == [9, 8, 7, 6]
    assert copies[0][0].fit(verbose=False).cost == 6
    with pytest.raises(RuntimeError, match="nothing to track"):
        _ = again(pipeline).tracker


class Odd(Search):
    """Leaves what cannot be pickled, and some of it not copied either."""

    def run(self, state, budget):
        state.lock = threading.Lock()
        state.stream = (step for step in range(3))
        state.local = lambda: 5
        state.plain = [1, 2]
        state.present = lambda solution: f"shown {solution}"
        state.offer("found", 1)
        yield Batch(1, 1, {"speed": threading.Lock()})


def test_what_cannot_be_pickled_is_left_out_and_missed_by_name():
    run = fit(stage=Odd(), initial=threading.Lock())
    pickled, copied = through_pickle(run), copy.deepcopy(run)
    for other, lost in ((pickled, ("lock", "stream", "local")), (copied, ("lock", "stream"))):
        assert (other.solution, other.cost, other.state.plain) == ("found", 1, [1, 2])
        assert other.state.initial is None
        for name in (*lost, "executor"):
            with pytest.raises(AttributeError, match=f"no {name!r} any more: it could not be"):
                getattr(other.state, name)
        assert "lock" in other.history["speed"][0]
    assert "found" in pickled._repr_html_()
    assert "shown found" in copied._repr_html_()
    assert copied.state.local() == 5
    # What is left out once is missed still when it is pickled again.
    with pytest.raises(AttributeError, match="any more"):
        _ = through_pickle(pickled).state.lock
    # The run itself has it all.
    assert run.state.local() == 5


def test_a_budget_that_somebody_has_kept_has_the_time_that_is_left():
    for again in (through_pickle, copy.deepcopy):
        budget = again(Budget(100.0, ending=lambda: False, spent=40.0))
        assert 59 < budget.remaining <= 60
        assert not budget.should_end
        budget.end()
        assert again(budget).should_end


class Unlucky(Exception):
    """An exception that cannot be made of what it was pickled as."""

    def __init__(self, what, why):
        super().__init__(f"{what}: {why}")


class Fails(Search):
    def run(self, state, budget):
        state.offer("found", 1)
        yield Batch(1, 2)
        raise Unlucky("dice", "six")


@WAYS
def test_a_run_that_failed_can_be_copied_whatever_it_failed_with(again):
    pipeline = Pipeline([Fails()])
    with pytest.raises(Unlucky):
        pipeline.fit(verbose=False)
    run = again(pipeline.run)
    assert (run.status, run.solution) == ("failed", "found")
    assert "Unlucky: dice: six" in run.summary()
    assert any("raised by stage 'search' after batch 0" in one for one in run.exception.__notes__)


def exceptions():
    found = {}
    for package in (schoolbell.callbacks, schoolbell.stages, schoolbell.runner):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if module.name.endswith("__main__"):
                continue
            for one in vars(importlib.import_module(module.name)).values():
                own = inspect.isclass(one) and one.__module__.startswith("schoolbell.")
                if own and issubclass(one, Exception):
                    found[one.__name__] = one
    return found


ARGUMENTS = {
    "CallbackError": ("CSVLogger", "on_batch_end", Unlucky("a", "b")),
    "BackupError": ("a/backup.npz", "it is damaged"),
    "FormatError": ("a.ctt", 3, "x", "y"),
    "InstanceError": ("x", "y", None),
    "CheckError": ({"detail": "what went wrong"},),
    "Problem": (404, "what went wrong"),
}


def exception_of(kind):
    known = (ARGUMENTS.get(one.__name__) for one in kind.__mro__)
    return kind(*next((one for one in known if one), ("what went wrong",)))


@pytest.mark.parametrize("name", sorted(exceptions()))
def test_an_exception_can_be_made_as_tblib_makes_it_of_a_pickle(name):
    """Dask has all exceptions of a process pickled by tblib, whoever pickles them."""
    error = exception_of(exceptions()[name])
    assert type(type(error).__new__(type(error), *error.args)) is type(error)


@WAYS
@pytest.mark.parametrize("name", sorted(exceptions()))
def test_an_exception_of_the_package_comes_through(again, name):
    error = exception_of(exceptions()[name])
    error.add_note("where")
    other = again(error)
    assert (type(other), str(other), other.__notes__) == (type(error), str(error), ["where"])
    assert {**vars(other)} == {**vars(error)}


@pytest.mark.parametrize("name", sorted(exceptions()))
def test_an_exception_of_the_package_can_be_made_before_it_is_filled(name):
    # As tblib does, which Dask loads, for every exception that is pickled.
    kind = exceptions()[name]
    assert type(kind.__new__(kind)) is kind


def test_runs_come_back_from_other_processes(tmp_path):
    """As a program of its own, whose functions other processes can import."""
    (tmp_path / "sweep.py").write_text(
        textwrap.dedent("""
        import threading
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        from schoolbell.callbacks import Callback, CallbackError, CSVLogger, EarlyStopping, Timer
        from schoolbell.runner import Pipeline, timetabling_pipeline
        from schoolbell.stages import Batch, Stage
        from schoolbell.stages.timetable import generate
        from schoolbell.stages.timetable.steps import load

        load.BOUND_EFFORT = 0.01

        class Search(Stage):
            name = "search"
            def run(self, state, budget):
                state.lock = threading.Lock()
                for done in range(3):
                    state.offer(done, state.seed - done)
                    yield Batch(done + 1, 3)

        class Raises(Callback):
            def on_stage_end(self, stage, logs=None):
                raise KeyError("no such thing")

        def fit(pipeline, seed, callbacks):
            return pipeline.fit(seed=seed, callbacks=callbacks, verbose=False), callbacks

        def timetable(seed):
            pipeline = timetabling_pipeline(clustering=None, cp_sat__effort=0.01, ga=None, rl=None)
            return pipeline.fit(generate(12, seed=seed), verbose=False)

        if __name__ == "__main__":
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                pipeline = Pipeline([Search()])
                pipeline.fit(verbose=False)
                watching = [CSVLogger("log.csv"), EarlyStopping("cost", patience=9), Timer(900)]
                done = [pool.submit(fit, pipeline, seed, watching) for seed in (10, 20)]
                for one in done:
                    run, callbacks = one.result()
                    print(run.cost, run.status, len(run.history.to_frame()), callbacks[1].best)
                try:
                    pool.submit(fit, pipeline, 1, [Raises()]).result()
                except CallbackError as error:
                    print(error, error.callback, error.hook)
                run = pool.submit(timetable, 1).result()
                print(run.violations, len(run.solution) > 0, run.summary().splitlines()[1])
        """)
    )
    done = subprocess.run(
        [sys.executable, "sweep.py"], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == ["8 finished 3 8", "18 finished 3 18"], done.stderr
    assert lines[2] == (
        "callback Raises failed in on_stage_end: KeyError: 'no such thing' Raises on_stage_end"
    )
    assert lines[3].startswith("0 True cost ")
