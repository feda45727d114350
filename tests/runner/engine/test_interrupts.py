"""Ctrl-C, SIGTERM and SIGHUP: one ends the run with the best so far, two end it at once."""

import asyncio
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from schoolbell.callbacks import Callback, LambdaCallback
from schoolbell.runner import Pipeline
from schoolbell.runner.engine import interrupts
from schoolbell.runner.engine.interrupts import Interrupts, put_off
from schoolbell.stages import Batch, Stage

pty = pytest.importorskip("pty", reason="Windows sends none of these signals")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LATER = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
ANY = pytest.mark.parametrize("number", SIGNALS)

SCRIPT = """
    import signal
    import sys
    from schoolbell.callbacks import LambdaCallback
    from schoolbell.runner import timetabling_pipeline
    from schoolbell.stages.timetable import generate
    from schoolbell.stages.timetable.steps import load

    # Without a time limit the lower bound takes longer than all that comes before the busy stage.
    load.BOUND_EFFORT = 0.01
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
        workers=1,
        callbacks=LambdaCallback(
            on_stage_begin=wait_for,
            on_batch_end=wait_for,
            on_pipeline_end=lambda logs: print("closed", logs["stage"], flush=True),
        ),
        verbose=False,
    )
    print(run.outcome, run.solution is not None, flush=True)
"""

# Work of many seconds at least: one solve of CP-SAT, the anneals of one generation, one Louvain,
# and the compilation of all kernels.
BUSY = {
    "load": (20, {}),
    "cp_sat": (200, {"clustering__max_size": 100_000, "cp_sat__effort": 1e6}),
    "ga": (60, {"cp_sat__effort": 1e-3, "ga__founder_moves": 10**9}),
    "clustering": (4_000, {"clustering__chunk_size": 10**9}),
}


@pytest.fixture(autouse=True)
def default_actions():
    """Have signals do what they do by default, even where they were ignored before the tests."""
    actions = (signal.default_int_handler, signal.SIG_DFL, signal.SIG_DFL)
    before = [signal.signal(*pair) for pair in zip(SIGNALS, actions, strict=True)]
    yield
    for pair in zip(SIGNALS, before, strict=True):
        signal.signal(*pair)


def send(number):
    """Send a signal to this process, unless it would be the end of the tests."""
    assert signal.getsignal(number) is not signal.SIG_DFL
    signal.raise_signal(number)


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


@pytest.mark.parametrize(
    ("stage", "number", "outcome"),
    [
        ("load", signal.SIGTERM, "interrupted by SIGTERM"),
        ("cp_sat", signal.SIGINT, "interrupted"),
        ("ga", signal.SIGTERM, "interrupted by SIGTERM"),
        ("clustering", signal.SIGHUP, "interrupted by SIGHUP"),
    ],
)
def test_one_signal_ends_a_stage_in_its_longest_unit(stage, number, outcome, tmp_path):
    process = busy_process(stage, tmp_path)
    process.send_signal(number)
    assert process.stdout is not None
    # The unit would take far longer: whoever tells of the end has not waited for it.
    lines = [process.stdout.readline(), process.stdout.readline()]
    process.kill()
    _, err = process.communicate()
    found = stage in ("cp_sat", "ga")
    assert lines == [f"closed {stage}\n", f"{outcome} {found}\n"]
    assert "Traceback" not in err


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


class Signalled(Stage):
    """Finds something, and is sent signals in its second unit."""

    def __init__(self, *numbers, name="signalled"):
        self.numbers = numbers
        self.name = name

    def run(self, state, budget):
        state.offer("best", 1, 0)
        yield Batch(1, 9)
        for number in self.numbers:
            send(number)
        yield Batch(2, 9)


class Sending(Callback):
    """Sends signals from a hook."""

    def __init__(self, hook, *numbers):
        super().__init__()
        setattr(self, hook, lambda *_: [send(number) for number in numbers])


def fit(*stages, **options):
    return Pipeline(stages).fit(verbose=False, **options)


@pytest.mark.parametrize(
    ("number", "by"),
    [(signal.SIGINT, None), (signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP")],
)
def test_a_signal_ends_the_run_with_the_best_so_far_and_its_callbacks_closed(number, by):
    ends = []
    note = LambdaCallback(
        on_pipeline_end=lambda logs: ends.append((logs["status"], logs["stopped_by"]))
    )
    run = fit(Signalled(number), Signalled(name="later"), callbacks=note)
    assert (run.status, run.stopped_by, run.solution) == ("interrupted", by, "best")
    assert run.outcome == ("interrupted" if by is None else f"interrupted by {by}")
    assert ends == [("interrupted", by)]
    assert [(stage.name, stage.ended_by) for stage in run.stages] == [("signalled", "interrupted")]


@ANY
def test_a_signal_in_a_callback_ends_the_run_too(number):
    for hook in ("on_pipeline_begin", "on_stage_begin", "on_stage_end", "on_pipeline_end"):
        run = fit(Signalled(), callbacks=Sending(hook, number))
        assert run.status == "interrupted", hook


@ANY
def test_a_signal_while_a_failed_run_is_told_of_hides_no_error(number):
    class Failing(Stage):
        def run(self, state, budget):
            raise ZeroDivisionError
            yield

    with pytest.raises(ZeroDivisionError):
        fit(Failing(), callbacks=Sending("on_exception", number))


@ANY
def test_what_happened_before_happens_again_after_the_run(number):
    before = signal.getsignal(number)
    fit(Signalled())
    assert signal.getsignal(number) is before
    fit(Signalled(number))
    assert signal.getsignal(number) is before


@ANY
def test_a_handler_of_the_users_own_stays(number):
    got = []

    def own(*about):
        got.append(about[0])

    signal.signal(number, own)
    run = fit(Signalled(number))
    assert (run.status, got, signal.getsignal(number)) == ("finished", [number], own)


@ANY
def test_a_handler_that_a_callback_sets_stays(number):
    def own(*about):
        raise AssertionError

    fit(Signalled(), callbacks=LambdaCallback(on_stage_begin=lambda *_: signal.signal(number, own)))
    assert signal.getsignal(number) is own


@ANY
def test_an_ignored_signal_stays_ignored_as_under_nohup(number):
    signal.signal(number, signal.SIG_IGN)
    assert fit(Signalled(number)).status == "finished"


def test_outside_of_the_main_thread_nothing_is_installed():
    seen = []

    class Looking(Stage):
        def run(self, state, budget):
            seen.extend(signal.getsignal(number) for number in SIGNALS)
            yield Batch(1, 1)

    before = [signal.getsignal(number) for number in SIGNALS]
    asyncio.run(Pipeline([Looking()]).afit(verbose=False))
    # But for Ctrl-C, of which asyncio has its own idea.
    assert seen[1:] == before[1:]
    thread = threading.Thread(target=fit, args=[Looking()])
    thread.start()
    thread.join()
    assert seen[3:] == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_forked_process_dies_of_a_signal_though_a_run_goes_on_in_its_parent():
    codes = []

    class Forking(Stage):
        def run(self, state, budget):
            worker = multiprocessing.get_context("fork").Process(target=signal.pause)
            worker.start()
            worker.terminate()
            worker.join()
            codes.append(worker.exitcode)
            yield Batch(1, 1)

    fit(Forking())
    assert codes == [-signal.SIGTERM]


@pytest.mark.parametrize(
    ("first", "second", "exception", "code"),
    [
        (signal.SIGINT, signal.SIGINT, KeyboardInterrupt, None),
        (signal.SIGTERM, signal.SIGTERM, SystemExit, 143),
        (signal.SIGHUP, signal.SIGHUP, SystemExit, 129),
        (signal.SIGTERM, signal.SIGINT, KeyboardInterrupt, None),
        (signal.SIGINT, signal.SIGTERM, SystemExit, 143),
    ],
)
def test_two_end_a_run_at_once(first, second, exception, code, monkeypatch):
    # As if time went by between them.
    for name in ("_AT_ONCE", "_SESSION_ENDS"):
        monkeypatch.setattr(interrupts, name, 0.0)
    ends = []
    note = LambdaCallback(on_pipeline_end=lambda logs: ends.append(logs))
    with pytest.raises(exception) as caught:
        fit(Signalled(first), callbacks=[Sending("on_stage_end", second), note])
    assert getattr(caught.value, "code", None) == code
    assert not ends
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_the_two_signals_of_a_sessions_end_count_as_one():
    run = fit(Signalled(signal.SIGTERM), callbacks=Sending("on_stage_end", signal.SIGHUP))
    assert run.outcome == "interrupted by SIGTERM"
    run = fit(Signalled(signal.SIGHUP), callbacks=Sending("on_stage_end", signal.SIGTERM))
    assert run.outcome == "interrupted by SIGHUP"


def test_a_signal_that_comes_again_before_the_run_knows_counts_as_one():
    """`timeout` sends SIGTERM to a process and to its group."""

    class Unwinding(Stage):
        def run(self, state, budget):
            try:
                send(signal.SIGTERM)
                yield Batch(1, 1)
            finally:
                send(signal.SIGTERM)

    assert fit(Unwinding()).outcome == "interrupted by SIGTERM"


@ANY
def test_a_signal_that_comes_twice_at_once_counts_as_one_though_the_run_has_heeded_it(
    number, monkeypatch
):
    """The two of `timeout` may reach a process with the run's ending between them."""
    monkeypatch.setattr(interrupts, "_AT_ONCE", 60.0)
    run = fit(Signalled(number), callbacks=Sending("on_stage_end", number))
    assert (run.status, run.solution) == ("interrupted", "best")


@ANY
def test_a_run_within_a_run_ends_it_too(number):
    inner = []

    class Outer(Stage):
        def run(self, state, budget):
            inner.append(fit(Signalled(number)))
            yield Batch(1, 2)
            yield Batch(2, 2)

    run = fit(Outer())
    assert (inner[0].status, inner[0].solution) == ("interrupted", "best")
    assert (run.status, run.stages[0].done) == ("interrupted", 1)


@ANY
def test_what_a_program_puts_off_a_signal_for_is_done(number):
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        with put_off():
            send(number)
            done.append("written")
        done.append("too much")
    assert (done, interrupts.number) == (["written"], number)


@ANY
def test_a_signal_that_a_program_puts_off_ends_the_run_that_begins_then(number):
    with Interrupts() as interrupts, put_off():
        send(number)
        run = fit(Signalled())
    assert (run.status, run.stages, interrupts.number) == ("interrupted", [], number)


LIBRARY = """
import sys
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

class Endless(Stage):
    def run(self, state, budget):
        state.offer("best", 1, 0)
        print("busy", flush=True)
        while True:
            yield None

run = Pipeline([Endless()]).fit(verbose=False)
print(run.outcome, run.solution, flush=True)
if run.stopped_by == "SIGTERM":
    sys.exit(143)
"""


def in_a_namespace_of_its_own(*command):
    """Return the command that makes `command` process 1, as in a container."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no unshare to make a process 1 with")
    full = [unshare, "--user", "--map-root-user", "--fork", "--pid"]
    if subprocess.run([*full, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("no namespaces of processes are allowed here")
    return [*full, *command]


def test_process_1_of_a_container_is_ended_by_sigterm():
    command = in_a_namespace_of_its_own(sys.executable, "-c", LIBRARY)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "busy\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        os.kill(int(children), signal.SIGTERM)
        assert process.stdout.read() == "interrupted by SIGTERM best\n"
        assert process.wait() == 143


HUNG_UP = """
import signal, sys, threading
from schoolbell.callbacks import LambdaCallback
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

out = open(sys.argv[1], "w", buffering=1)

class Endless(Stage):
    def run(self, state, budget):
        print("busy", flush=True)
        while True:
            yield None

# The shell that was in the terminal sends it too, when the run is ending.
again = LambdaCallback(on_stage_end=lambda *_: signal.raise_signal(signal.SIGHUP))
run = Pipeline([Endless()]).fit(callbacks=again, verbose="plain")
print(run.outcome, file=out)
"""


def test_a_closed_terminal_ends_a_run_however_often_it_says_so(tmp_path):
    out = tmp_path / "out.txt"
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", HUNG_UP, str(out)])
    told = b""
    while b"busy" not in told:
        told += os.read(terminal, 1000)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert out.read_text() == "interrupted by SIGHUP\n"
