"""The optimisers of docs/extend/your_optimiser.md: how they end and go on after a kill.

Each runs in a process of its own, a fork of this one, which only imports the libraries.
"""

import ast
import importlib
import os
import pickle
import random
import re
import select
import signal
import threading
import time
import traceback
import warnings
from pathlib import Path

import pytest
from schoolbell.callbacks import BackupAndRestore, Callback, Timer
from schoolbell.runner import Pipeline

PAGE = Path(__file__).resolve().parents[1] / "docs" / "extend" / "your_optimiser.md"
SECTION = re.compile(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```$", re.M | re.S)
BLOCKS = {
    title: block
    for title, block in re.findall(SECTION, PAGE.read_text(encoding="utf-8"))
    if "@as_stage" in block
}
ENDLESS = 10**7
WAYS = ("stop", "timer", "time_limit", "ctrl_c")
KEEPING = [title for title, block in BLOCKS.items() if "report.saved" in block]
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="each runs in a fork of this process")
# Far more than any of them takes; one that hangs is killed then.
LONGEST = 20.0


def import_libraries(title):
    """Import here what each fork would import for itself; skip where it is not installed."""
    for node in ast.parse(BLOCKS[title]).body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        else:
            continue
        for name in names:
            root = name.partition(".")[0]
            pytest.importorskip(root, reason=f"{root} is not installed: schoolbell[peers]")
            importlib.import_module(name)


def stage_of(title, units):
    """The stage of a section of the page, to do so many units."""
    block = BLOCKS[title]
    names = {"UNITS": units, "__name__": "page"}
    exec(compile(block[: block.index("\nrun = ")], str(PAGE), "exec"), names)
    return names["stage"]


class DiedError(Exception):
    """The process that was to answer has ended without an answer, or has hung."""


def in_a_fork(function, *arguments):
    """Return what a function returns in a fork of this process, which no fault of it reaches."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        # Of threads that the fork has not: those of libraries, which wait for work.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                answer = True, function(*arguments)
            except BaseException:
                answer = False, traceback.format_exc()
            with os.fdopen(write, "wb") as stream:
                pickle.dump(answer, stream)
        finally:
            os._exit(0)
    os.close(write)
    answer = b""
    try:
        with os.fdopen(read, "rb") as stream:
            # Its end closes the pipe too.
            ready, _, _ = select.select([stream], [], [], LONGEST)
            answer = stream.read() if ready else b""
    finally:
        if not answer:
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not answer:
        raise DiedError(f"exit status {status}" if ready else f"no answer within {LONGEST:g} s")
    done, value = pickle.loads(answer)
    assert done, value
    return value


def test_the_page_has_what_it_promises():
    asked = "pymoo Optuna scikit-learn PyVRP CP-SAT routing SciPy DEAP cma Nevergrad function "
    asked += "subprocess coroutine"
    text = " ".join(BLOCKS)
    assert not [word for word in asked.split() if word not in text]


@pytest.mark.parametrize("title", BLOCKS)
def test_a_stage_takes_ten_lines(title):
    block = BLOCKS[title]
    lines = block[block.index("@as_stage") : block.index("\nrun = ")].splitlines()
    assert len([line for line in lines if line.strip()]) <= 10


class EndIt(Callback):
    """Ends the run in some way a moment after its first unit, and remembers when."""

    def __init__(self, way, seconds):
        super().__init__()
        self.way, self.seconds, self.moment = way, seconds, None

    def on_pipeline_begin(self, logs=None):
        if self.way in ("timer", "time_limit"):
            self.moment = time.monotonic() + self.seconds

    def on_batch_end(self, batch, logs=None):
        if self.moment is None:
            self.moment = time.monotonic() + 0.02
            threading.Timer(0.02, self._act).start()

    def _act(self):
        if self.way == "stop":
            self.pipeline.stop("command")
        else:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def delay_of(title, way, seconds):
    end = EndIt(way, seconds)
    callbacks, options = [end], {}
    if way == "timer":
        callbacks.append(Timer(seconds))
    elif way == "time_limit":
        # With the grace of a stage that is to end by itself.
        options["time_limit"] = seconds
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is left behind.*")
        Pipeline([stage_of(title, ENDLESS)]).fit(callbacks=callbacks, verbose=False, **options)
    return time.monotonic() - end.moment


@forking
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("title", BLOCKS)
def test_each_ends_within_half_a_second(title, way):
    import_libraries(title)
    # A machine that is busy may be late once, not each time.
    bound = 0.75 if way == "time_limit" else 0.5
    delays = []
    for attempt in range(4):
        delays.append(in_a_fork(delay_of, title, way, 0.1 * 2**attempt))
        if delays[-1] < bound:
            return
    pytest.fail(f"it took {delays} seconds to end")


class Die(Callback):
    """Kills the process after so many units."""

    def __init__(self, units):
        super().__init__()
        self.left = units

    def on_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def result_of(title, folder=None, dies_after=None):
    """Run a section's stage for twelve units, and return what it has come to."""
    callbacks = []
    if folder is not None:
        callbacks.append(BackupAndRestore(folder, save_freq=1, interval=None))
    if dies_after is not None:
        callbacks.append(Die(dies_after))
    run = Pipeline([stage_of(title, 12)]).fit(callbacks=callbacks, seed=4, verbose=False)
    return repr(run.solution), run.cost, list(run.history["done"]), list(run.history["cost"])


@forking
@pytest.mark.parametrize("title", KEEPING)
def test_one_that_is_killed_goes_on_as_if_it_had_not_been(title, tmp_path):
    import_libraries(title)
    chance = random.Random(title)
    # Each kill comes before the last unit, however far the former ones have let it come.
    for most in (5, 5, 1):
        with pytest.raises(DiedError, match=f"exit status -{signal.SIGKILL:d}"):
            in_a_fork(result_of, title, tmp_path, chance.randint(1, most))
    assert in_a_fork(result_of, title, tmp_path) == in_a_fork(result_of, title)


def told_at_the_beginning(title, folder):
    """What warnings a run of a section's stage has given before its first unit."""
    told = []

    class Listen(Callback):
        def on_stage_begin(self, stage, logs=None):
            told.extend(str(one.message) for one in caught)
            self.pipeline.stop()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        callbacks = [BackupAndRestore(folder), Listen()]
        Pipeline([stage_of(title, 12)]).fit(callbacks=callbacks, verbose=False)
    return told


@forking
@pytest.mark.parametrize("title", BLOCKS)
def test_one_that_keeps_no_state_says_at_the_beginning_that_it_begins_again(title, tmp_path):
    import_libraries(title)
    told = in_a_fork(told_at_the_beginning, title, tmp_path)
    again = [one for one in told if "begin" in one and "again" in one]
    assert bool(again) == (title not in KEEPING), told
