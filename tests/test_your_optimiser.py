"""The optimisers of docs/extend/your_optimiser.md: how they end and go on after a kill."""

import os
import random
import re
import signal
import threading
import time
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
# What has to be installed for a section, where it is no wonder if it is not.
LIBRARY = re.compile(r"^(?:import|from) (\w+)", re.M)


def stage_of(title, units):
    """The stage of a section of the page, to do so many units."""
    block = BLOCKS[title]
    for library in re.findall(LIBRARY, block):
        pytest.importorskip(library, reason=f"{library} is not installed: schoolbell[peers]")
    names = {"UNITS": units, "__name__": "page"}
    exec(compile(block[: block.index("\nrun = ")], str(PAGE), "exec"), names)
    return names["stage"]


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


@pytest.fixture
def default_ctrl_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def delay_of(title, way, seconds):
    end = EndIt(way, seconds)
    callbacks, options = [end], {}
    if way == "timer":
        callbacks.append(Timer(seconds))
    elif way == "time_limit":
        # With the grace of a stage that is to end by itself.
        options["time_limit"] = seconds
    Pipeline([stage_of(title, ENDLESS)]).fit(callbacks=callbacks, verbose=False, **options)
    return time.monotonic() - end.moment


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("title", BLOCKS)
def test_each_ends_within_half_a_second(title, way, default_ctrl_c):
    # A machine that is busy may be late once, not each time.
    bound = 0.75 if way == "time_limit" else 0.5
    delays = []
    for attempt in range(4):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*is left behind.*")
            delays.append(delay_of(title, way, 0.1 * 2**attempt))
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


def fit(stage, folder=None, *callbacks):
    backup = [] if folder is None else [BackupAndRestore(folder, save_freq=1, interval=None)]
    return Pipeline([stage]).fit(callbacks=[*backup, *callbacks], seed=4, verbose=False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the killed process is a fork of this one")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("title", KEEPING)
def test_one_that_is_killed_goes_on_as_if_it_had_not_been(title, tmp_path):
    whole = fit(stage_of(title, 12))
    chance = random.Random(title)
    for _ in range(3):
        child = os.fork()
        if child == 0:
            try:
                fit(stage_of(title, 12), tmp_path, Die(chance.randint(1, 6)))
            finally:
                os._exit(1)
        chance.random()
        os.waitpid(child, 0)
    resumed = fit(stage_of(title, 12), tmp_path)
    assert repr(resumed.solution) == repr(whole.solution)
    assert resumed.cost == whole.cost
    assert resumed.history["done"] == whole.history["done"]
    assert resumed.history["cost"] == whole.history["cost"]
