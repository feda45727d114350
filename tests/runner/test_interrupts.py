"""Ctrl-C: one ends the run within a second with the best so far, two end it at once."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from schoolbell.callbacks import LambdaCallback
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")

SCRIPT = """
    import signal
    import time
    from schoolbell.callbacks import LambdaCallback
    from schoolbell.runner import timetabling_pipeline
    from schoolbell.stages.timetable import generate

    # Whoever runs the tests in the background may have had the signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    pipeline = timetabling_pipeline(**OPTIONS)
    told = []

    def wait_for(event, logs):
        # Louvain's method begins after the first batch of its stage, the building of the graph.
        if logs["stage"] == STAGE and not told and (event == 0 or STAGE != "clustering"):
            told.append(event)
            print("busy", flush=True)

    run = pipeline.fit(
        generate(COURSES, seed=1),
        callbacks=LambdaCallback(
            on_stage_begin=wait_for,
            on_batch_end=wait_for,
            on_pipeline_end=lambda logs: print("closed", logs["stage"], flush=True),
        ),
        verbose=False,
    )
    print(run.status, run.solution is not None, flush=True)
"""

# Work of a minute at least: one solve of CP-SAT, the anneals of one generation, one Louvain,
# and the compilation of all kernels.
BUSY = {
    "load": (20, {}),
    "cp_sat": (400, {"clustering__max_size": 100_000, "cp_sat__effort": 1e6}),
    "ga": (60, {"cp_sat__effort": 1e-3, "ga__founder_moves": 10**9}),
    "clustering": (10_000, {"clustering__chunk_size": 10**9}),
}


@pytest.fixture(autouse=True)
def ctrl_c_raises():
    """Have Ctrl-C raise as in a terminal, even where it was ignored when the tests began."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def busy_process(stage, cache):
    """A process within one long unit of a stage; to load, it has an empty cache of kernels."""
    courses, options = BUSY[stage]
    script = textwrap.dedent(SCRIPT).replace("STAGE", repr(stage))
    script = script.replace("OPTIONS", repr(options)).replace("COURSES", str(courses))
    environment = {"NUMBA_CACHE_DIR": str(cache)} if stage == "load" else {}
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "busy\n"
    if stage == "load":
        # The first compiled kernel is there, and numba is at work on the next one.
        while not list(cache.rglob("*.nbc")):
            time.sleep(0.01)
    else:
        # There is no event within the solver, the kernel or python-louvain to wait for.
        time.sleep(0.5)
    return process


@pytest.mark.parametrize("stage", BUSY)
def test_one_ctrl_c_ends_a_stage_in_its_longest_unit(stage, tmp_path):
    process = busy_process(stage, tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    began = time.monotonic()
    lines = [process.stdout.readline(), process.stdout.readline()]
    seconds = time.monotonic() - began
    process.kill()
    _, err = process.communicate()
    found = stage in ("cp_sat", "ga")
    assert lines == [f"closed {stage}\n", f"interrupted {found}\n"]
    assert "Traceback" not in err
    # A second in which nothing else runs; far from the minute that the unit takes.
    assert seconds < 5


class Swallowing(Stage):
    """Gets Ctrl-C where Python can only drop the exception."""

    name = "swallowing"

    def run(self, state, budget):
        class Dying:
            def __del__(self):
                signal.raise_signal(signal.SIGINT)

        state.offer("best", 1, 0)
        Dying()
        for done in range(1, 4):
            yield Batch(done, 3)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ctrl_c_that_is_dropped_ends_the_run_after_the_unit():
    batches = []
    note = LambdaCallback(on_batch_end=lambda batch, logs: batches.append(batch))
    run = Pipeline([Swallowing()]).fit(callbacks=note, verbose=False)
    assert (run.status, run.solution, batches) == ("interrupted", "best", [0])


def test_the_handler_before_is_put_back():
    before = signal.getsignal(signal.SIGINT)

    class Quiet(Stage):
        def run(self, state, budget):
            yield Batch(1, 1)

    Pipeline([Quiet()]).fit(verbose=False)
    assert signal.getsignal(signal.SIGINT) is before


def test_two_end_a_run_at_once():
    def again(stage, logs):
        signal.raise_signal(signal.SIGINT)

    class Interrupted(Stage):
        def run(self, state, budget):
            signal.raise_signal(signal.SIGINT)
            yield Batch(1, 1)

    with pytest.raises(KeyboardInterrupt):
        Pipeline([Interrupted()]).fit(callbacks=LambdaCallback(on_stage_end=again), verbose=False)
