"""Progress displays: in a terminal, in a pipe, with tqdm; on every kind of end."""

import dataclasses
import io
import os
import pty
import re
import select
import subprocess
import sys
import textwrap
import threading
import types
from contextlib import suppress

import pytest
from rich.cells import cell_len
from schoolbell.callbacks import LambdaCallback, ProgbarLogger, Snapshot
from schoolbell.callbacks.progress.notebook_display import NotebookDisplay
from schoolbell.callbacks.progress.plain_display import PlainDisplay
from schoolbell.callbacks.progress.progbar_logger import make_display
from schoolbell.callbacks.progress.rich_display import RichDisplay
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

STYLES = ("rich", "tqdm", "plain")


class Steps(Stage):
    unit = "step"

    def __init__(self, name="first", steps=3, ending=None):
        self.name, self.steps, self.ending = name, steps, ending

    def run(self, state, budget):
        for step in range(self.steps):
            state.offer(step, 1500 - step, 2)
            yield Batch(step + 1, self.steps)
        if self.ending is not None:
            raise self.ending


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(style, *stages, stream=None):
    stream = io.StringIO() if stream is None else stream
    pipeline = Pipeline(stages, name="Test")
    with suppress(ZeroDivisionError):
        pipeline.fit(callbacks=ProgbarLogger(style, stream), verbose=False)
    return stream.getvalue()


@pytest.mark.parametrize("style", STYLES)
def test_the_final_state_tells_every_stage_and_the_best(style):
    text = shown(style, Steps("first"), Steps("second", 4))
    last = text[text.rindex("Test") - 10 :] if style != "rich" else text
    assert "finished" in last
    assert "100" in last
    assert "1,497" in last
    for part in ("First", "3/3 step", "Second", "4/4 step"):
        assert part in text


class Proved(Stage):
    """Finds what cannot be bettered after two of ten units."""

    name, unit, only_improves = "proved", "step", True

    def run(self, state, budget):
        state.prove(7)
        for step in range(10):
            if step == 1:
                state.offer("best", 7)
            yield Batch(step + 1, 10)


@pytest.mark.parametrize("style", ["rich", "tqdm"])
def test_a_stage_whose_best_is_proved_optimal_is_shown_complete(style):
    text = shown(style, Proved(), Steps("second", 4))
    row = next(one for one in re.split(r"[\r\n]", text) if "optimal" in one)
    assert "2/10 step" in row
    assert "100" in row
    assert "20" not in row.replace("2/10", "")


def test_the_progress_of_a_stage_whose_best_is_proved_optimal_goes_to_its_end():
    ends = []

    def note(stage, logs):
        snapshot = pipeline.tracker.snapshot()
        ends.append((logs["ended_by"], logs["progress"], snapshot.stage_progress))

    pipeline = Pipeline([Proved(), Steps("second", 4)])
    pipeline.fit(callbacks=LambdaCallback(on_stage_end=note), verbose=False)
    assert ends[0] == ("optimal", 0.5, 1.0)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (ZeroDivisionError("no luck"), "failed: ZeroDivisionError: no luck"),
    ],
)
def test_an_early_end_leaves_what_was_reached(style, ending, words):
    text = shown(style, Steps("first", 3, ending), Steps("second"))
    assert words.split(":")[0] in text
    assert style == "rich" or words in text
    assert "3/3 step" in text
    assert "3/3 step" not in text[text.rindex("Second") :] if "Second" in text else True


class CutShort(Stage):
    name = "first"

    def run(self, state, budget):
        yield Batch(1, 4)
        raise KeyboardInterrupt


@pytest.mark.parametrize("style", ["rich", "tqdm"])
def test_the_bar_of_a_stage_cut_short_stands_where_it_got_to(style):
    last = shown(style, CutShort(), Steps("second")).rpartition("First")[2]
    assert re.search(r"\d+ ?%", last)[0].replace(" ", "") == "25%"


@pytest.mark.parametrize("columns", [40, 60, 80, 110, 200])
def test_every_row_of_a_terminal_stays_one_line_however_narrow_it_is(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = io.StringIO()
    display = RichDisplay(stream)
    names = {"load": "Loading", "ga": "Genetic [b]algorithm[/b]", "end": "終わり"}
    display.begin("demo", [{"name": name, "label": label} for name, label in names.items()])
    begun = Snapshot(
        status="running", stage="load", unit="step", done=12_000, total=30_000, message="",
        stage_progress=0.4, progress=0.02, eta=3.0, elapsed=3.5, cost=1234, violations=5,
    )  # fmt: skip
    display.end_stage(begun, 100.0, "skipped")
    at_work = dataclasses.replace(begun, stage="ga", unit="generation", progress=0.5)
    display.end(at_work, "stopped by a command")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1 + len(names)
    assert max(cell_len(line) for line in lines) <= min(columns, 110)
    assert lines[0].startswith("demo  ")
    assert "50.0 %" in lines[0]
    if columns >= 110:
        assert lines[0].endswith(" 3.5 s  cost 1,234  viol. 5")
        assert "stopped by a command" in lines[0]
        assert "  Loading                   ━" in lines[1]
        words = "12,000/30,000 steps, skipped 1:40 1,234 5"
        assert lines[1].split("%")[1].split() == words.split()
        assert "Genetic [b]algorithm[/b]" in lines[2]


class Waiting(Stage):
    """Does nothing for a while, as a long solve does."""

    name = "waiting"

    def __init__(self, seconds=1.0):
        self.seconds = seconds

    def run(self, state, budget):
        yield Batch(1, 4)
        threading.Event().wait(self.seconds)
        yield Batch(2, 4)


@pytest.mark.parametrize("style", ["rich", "tqdm"])
def test_bars_move_while_a_unit_takes_long(style, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    text = shown(style, Waiting(1.7), stream=Terminal())
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    percents = [float(one) for one in re.findall(r"Test.*?(\d+\.\d) ?%", plain)]
    assert percents == sorted(percents)
    assert len({one for one in percents if 25 < one < 50}) >= 2


def test_plain_lines_come_at_most_once_a_second():
    text = shown("plain", Waiting(2.5))
    lines = text.splitlines()
    assert 2 <= len([line for line in lines if "Waiting: 1/4" in line]) <= 3
    assert all(re.match(r"\[ *\d+\.\d %\] ", line) for line in lines)


def test_nothing_is_drawn_on_the_thread_of_the_algorithm():
    threads = set()

    class Stream(io.StringIO):
        def write(self, text):
            threads.add(threading.current_thread())
            return super().write(text)

    shown("plain", Steps(), stream=Stream())
    assert threads
    assert threading.current_thread() not in threads


def test_a_stream_that_takes_nothing_does_not_hold_up_the_run():
    release = threading.Event()

    class Stuck(io.StringIO):
        def write(self, text):
            release.wait()
            return len(text)

    stages = [Steps(f"s{i}") for i in range(5)]
    try:
        shown("plain", *stages, stream=Stuck())
    finally:
        release.set()


@pytest.mark.parametrize("style", ["rich", "plain"])
def test_a_closed_stream_is_warned_of_and_the_run_goes_on(style):
    stream = io.StringIO()
    stream.close()
    pipeline = Pipeline([Steps()])
    with pytest.warns(RuntimeWarning, match="progress display") as warned:
        run = pipeline.fit(callbacks=ProgbarLogger(style, stream), verbose=False)
    assert run.status == "finished"
    assert len([one for one in warned if "progress display" in str(one.message)]) == 1


def test_a_display_serves_several_runs():
    stream = io.StringIO()
    logger = ProgbarLogger("plain", stream)
    for _ in range(2):
        Pipeline([Steps()], name="Test").fit(callbacks=logger, verbose=False)
    assert stream.getvalue().count("Test finished") == 2


def test_an_unknown_style_is_refused():
    with pytest.raises(ValueError, match="\"plain\", got 'loud'"):
        ProgbarLogger("loud")  # type: ignore[arg-type]


def test_the_style_suits_the_place(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_display("auto", io.StringIO()), PlainDisplay)
    assert isinstance(make_display("auto", Terminal()), RichDisplay)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_display("auto", Terminal()), PlainDisplay)
    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    notebook = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    assert isinstance(make_display("auto", None), NotebookDisplay)
    assert isinstance(make_display("auto", io.StringIO()), PlainDisplay)


SCRIPT = """
    import sys, time
    from schoolbell.runner import Pipeline
    from schoolbell.stages import Batch, Stage

    class Talking(Stage):
        name = "talking"
        def run(self, state, budget):
            for done in range(1, 5):
                time.sleep(0.15)
                print(f"said {done}")
                yield Batch(done, 4)

    run = Pipeline([Talking()], name="Test").fit(verbose=STYLE)
    print(run.status)
"""


def in_terminal(style, stdout=None):
    """Run the script with its stderr, and unless told otherwise its stdout, in a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT).replace("STYLE", repr(style))],
        stdout=follower if stdout is None else stdout,
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(follower)
    text = b""
    while select.select([leader], [], [], 30)[0]:
        try:
            text += os.read(leader, 65536)
        except OSError:
            break
    out = process.communicate(timeout=30)[0]
    os.close(leader)
    assert process.returncode == 0
    return text.decode(), out


@pytest.mark.parametrize("style", ["auto", "tqdm"])
def test_prints_in_a_terminal_stay_lines_of_their_own(style):
    text, _ = in_terminal(style)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "\r", text)
    said = re.findall(r"(?:^|[\r\n])(said \d)(?= *[\r\n])", plain)
    assert said == ["said 1", "said 2", "said 3", "said 4"]
    # The cursor that rich hides is there again.
    assert text.rfind("\x1b[?25h") >= text.rfind("\x1b[?25l")


def test_results_on_a_piped_stdout_stay_apart_from_the_display():
    text, out = in_terminal("rich", stdout=subprocess.PIPE)
    assert out.decode().split() == ["said", "1", "said", "2", "said", "3", "said", "4", "finished"]
    assert "said" not in text
    assert "Talking" in text


def test_a_display_can_be_fed_without_a_pipeline():
    stream = io.StringIO()
    display = make_display("plain", stream)
    display.begin("Far away", [{"name": "ga", "label": "GA", "unit": "generation"}])
    snapshot = Snapshot(
        status="finished", stage="ga", unit="generation", done=7, total=None, message="GA: 7",
        stage_progress=1.0, progress=1.0, eta=0.0, elapsed=75.0, cost=None, violations=None,
    )  # fmt: skip
    display.end_stage(snapshot, 61.0, "finished")
    display.end(snapshot, "finished")
    assert stream.getvalue().splitlines() == [
        "[100.0 %] GA finished: 7 generations in 1:01",
        "[100.0 %] Far away finished in 1:15, no solution",
    ]
