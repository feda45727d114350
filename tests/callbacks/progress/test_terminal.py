"""Displays in real terminals of several sizes, and who owns a terminal."""

import io
import os
import re
import sys
import textwrap
import threading

import pytest
from schoolbell.callbacks import ProgbarLogger
from schoolbell.callbacks.progress.terminal import claim, print_line, release
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

SIZES = [(20, 6), (40, 7), (44, 20), (80, 7), (80, 24), (120, 34)]

STAGES = """
    import sys, threading, time
    from schoolbell.callbacks import Callback, EarlyStopping, ProgbarLogger
    from schoolbell.runner import Pipeline
    from schoolbell.stages import Batch, Stage

    class Steps(Stage):
        unit = "step"
        def __init__(self, name, steps=4, seconds=0.08):
            self.name, self.steps, self.seconds = name, steps, seconds
        def run(self, state, budget):
            for step in range(self.steps):
                time.sleep(self.seconds)
                state.offer(step, 1500 - step, 0)
                yield Batch(step + 1, self.steps)

    def stages(n=5, **options):
        return [Steps(f"stage_{i}", **options) for i in range(n)]
"""


def python(code):
    return [sys.executable, "-c", textwrap.dedent(STAGES) + textwrap.dedent(code)]


@pytest.mark.parametrize(("columns", "lines"), SIZES)
@pytest.mark.parametrize("style", ["rich", "tqdm"])
def test_nothing_piles_up_and_per_cent_and_cost_are_seen(terminal, style, columns, lines):
    one = terminal(
        python(f"Pipeline(stages(), name='Test').fit(verbose={style!r})"), columns, lines
    )
    assert one.finish() == 0, one.text
    assert one.scrollback == []
    assert "100.0" in one.text
    assert re.search(r"1,497|1497", one.text)
    assert "finished" in one.text or columns == 20
    small = columns < 45 or lines < 8
    assert max(map(len, one.seen)) == (1 if small else 6)
    assert small or all(word in one.text for word in ("Stage 0", "Stage 4", "4/4"))
    # All along, not just at the end.
    running = [seen for seen in one.seen if re.search(r"\d\.\d ?%", "\n".join(seen))]
    assert len(running) > 3
    assert any("1,49" in "\n".join(seen) for seen in running[:-1])


def test_more_stages_than_lines_do_not_pile_up_either(terminal):
    code = "Pipeline(stages(30, steps=1, seconds=0.05)).fit(verbose='rich')"
    one = terminal(python(code), 80, 12)
    assert one.finish() == 0, one.text
    assert one.text.count("Run ") == 1
    assert one.text.count("Stage 7 ") == 1
    assert len([line for line in one.text.split("\n") if line]) == 31


def test_prints_stay_above_in_a_terminal_of_any_size(terminal):
    code = """
        class Talking(Callback):
            def on_batch_end(self, batch, logs=None):
                print(f"{logs['stage']} said {batch}")
        Pipeline(stages(2)).fit(callbacks=Talking(), verbose="rich")
    """
    one = terminal(python(code), 40, 7)
    assert one.finish() == 0
    said = [f"stage_{i} said {j}" for i in range(2) for j in range(4)]
    assert one.text.split("\n")[: len(said)] == said
    assert one.text.count("%") == 1


NESTED = {
    "in a stage": """
        class Inner(Stage):
            name = "inner"
            def run(self, state, budget):
                Pipeline(stages(2, seconds=0.3), name="Within").fit(verbose=STYLE)
                yield Batch(1, 1)
        Pipeline([Inner(), *stages(1)], name="Outside").fit(verbose=STYLE)
    """,
    "in a callback": """
        class Tuning(Callback):
            def on_stage_end(self, stage, logs=None):
                Pipeline(stages(2, seconds=0.3), name="Within").fit(verbose=STYLE)
        Pipeline(stages(1), name="Outside").fit(callbacks=Tuning(), verbose=STYLE)
    """,
    "in two threads": """
        def fit(name, seconds):
            Pipeline(stages(2, seconds=seconds), name=name).fit(verbose=STYLE)
        one = threading.Thread(target=fit, args=("Outside", 0.3))
        two = threading.Thread(target=fit, args=("Within", 0.25))
        one.start()
        time.sleep(0.3)
        two.start()
        one.join()
        two.join()
    """,
}


@pytest.mark.parametrize("style", ["rich", "tqdm"])
@pytest.mark.parametrize("code", NESTED.values(), ids=NESTED)
def test_one_display_owns_the_terminal_and_the_other_run_is_lines_above(terminal, code, style):
    one = terminal(python(code.replace("STYLE", repr(style))), 100, 24)
    assert one.finish() == 0, one.text
    assert one.scrollback == []
    lines = one.text.split("\n")
    (within,) = [line for line in lines if "Within" in line]
    assert within.startswith("[100.0 %] Within finished in "), one.text
    assert within.endswith("cost 1,497, violations 0")
    (outside,) = [line for line in lines if "Outside" in line]
    assert "finished" in outside
    assert lines.index(within) < lines.index(outside)
    assert len([line for line in lines if "Stage 0" in line]) == 1


def test_a_short_run_within_another_says_nothing(terminal):
    code = """
        class Tuning(Callback):
            def on_batch_end(self, batch, logs=None):
                Pipeline(stages(1, seconds=0.01), name="Within").fit(verbose="rich")
        Pipeline(stages(1), name="Outside").fit(callbacks=Tuning(), verbose="rich")
    """
    one = terminal(python(code), 100, 24)
    assert one.finish() == 0, one.text
    assert "Within" not in one.text
    assert len(one.lines) == 2


@pytest.mark.parametrize("style", ["auto", "tqdm"])
@pytest.mark.parametrize(
    ("before", "bars"),
    [
        ("from tqdm import tqdm as bars", "bars([0, 1], desc='Mine')"),
        ("from rich.progress import track", "track([0, 1], description='Mine')"),
    ],
    ids=["tqdm", "rich"],
)
def test_bars_of_somebody_else_stay_whole(terminal, before, bars, style):
    code = f"""
        {before}
        for i in {bars}:
            Pipeline(stages(2, seconds=0.2), name="Within").fit(verbose={style!r})
    """
    one = terminal(python(code), 100, 24)
    assert one.finish() == 0, one.text
    lines = one.text.split("\n")
    assert len(lines) == 3, one.text
    assert all(line.startswith("[100.0 %] Within finished in ") for line in lines[:2])
    assert lines[2].startswith("Mine")


def test_a_terminal_is_free_again_after_a_run_that_failed(terminal):
    code = """
        class Failing(Stage):
            name = "failing"
            def run(self, state, budget):
                yield Batch(1, 2)
                raise ZeroDivisionError
        for pipeline in (Pipeline([Failing()]), Pipeline(stages(1), name="Second")):
            try:
                pipeline.fit(verbose="rich")
            except ZeroDivisionError:
                pass
    """
    one = terminal(python(code), 100, 24)
    assert one.finish() == 0, one.text
    assert "Stage 0" in one.text


class Owner:
    def __init__(self):
        self.above = []

    def print_above(self, text):
        self.above.append(text)


def test_stdout_and_stderr_of_one_terminal_are_one_terminal():
    leader, follower = os.openpty()
    with os.fdopen(follower, "w") as one, os.fdopen(os.dup(follower), "w") as two:
        owner = Owner()
        assert claim(one, owner)
        assert not claim(two, Owner())
        print_line(two, "hello")
        assert owner.above == ["hello"]
        release(owner)
        assert claim(two, owner)
        release(owner)
        print_line(two, "hello")
    assert os.read(leader, 100) == b"hello\r\n"
    os.close(leader)


class Steps(Stage):
    unit = "step"

    def __init__(self, name="first", steps=3, label=None):
        self.name, self.steps = name, steps
        self.label = label

    def run(self, state, budget):
        for step in range(self.steps):
            state.offer(step, 1500 - step, 0)
            yield Batch(step + 1, self.steps)


def poor_stream(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def written(stream):
    stream.flush()
    return stream.buffer.getvalue().decode(stream.encoding)


@pytest.mark.parametrize("style", ["rich", "tqdm", "plain"])
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_a_stream_cannot_encode_is_replaced_and_the_next_run_goes_on(style, encoding):
    for _ in range(2):
        stream = poor_stream(encoding)
        pipeline = Pipeline([Steps(label="終わり\udcff\x1b[2J\n")], name="Prüfung 試験")
        fit = threading.Thread(
            target=pipeline.fit,
            kwargs={"callbacks": ProgbarLogger(style, stream), "verbose": False},
            daemon=True,
        )
        fit.start()
        fit.join(20)
        assert not fit.is_alive()
        assert pipeline.run.status == "finished"
        text = written(stream)
        assert {"ascii": "Pr?fung ??", "cp1252": "Prüfung ??"}.get(encoding, "試験") in text
        assert "3/3 steps" in text
        assert "1,498" in text
        assert "\x1b[2J" not in text


@pytest.mark.parametrize("style", ["rich", "tqdm"])
def test_a_display_that_fails_goes_on_in_plain_lines_and_holds_no_lock(style, monkeypatch):
    from schoolbell.callbacks.progress.rich_display import RichDisplay
    from schoolbell.callbacks.progress.tqdm_display import TqdmDisplay
    from tqdm.std import tqdm

    def fail(*args):
        raise ArithmeticError("cannot draw")

    if style == "rich":
        monkeypatch.setattr(RichDisplay, "_lines", fail)
    else:
        monkeypatch.setattr(TqdmDisplay, "_draw_run", fail)
        monkeypatch.setattr(tqdm, "display", fail)
    stream = io.StringIO()
    with pytest.warns(RuntimeWarning, match="the progress display failed: ArithmeticError") as told:
        pipeline = Pipeline([Steps("first"), Steps("second")], name="Test")
        run = pipeline.fit(callbacks=ProgbarLogger(style, stream), verbose=False)
    assert run.status == "finished"
    assert len([one for one in told if "display" in str(one.message)]) == 1
    assert "Second finished: 3/3 steps" in stream.getvalue()
    assert "Test finished in" in stream.getvalue()
    # Which would block if the thread that draws held it still.
    free = threading.Event()

    def take():
        with tqdm.get_lock():
            free.set()

    threading.Thread(target=take, daemon=True).start()
    assert free.wait(10)


@pytest.mark.parametrize("style", ["auto", "rich", "tqdm", "plain"])
def test_without_a_stderr_nothing_is_shown_anywhere(style, monkeypatch, capsys):
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stderr", stream)
        run = Pipeline([Steps()]).fit(verbose=style)
        assert run.status == "finished"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("style", ["auto", "rich", "tqdm", "plain"])
def test_without_a_stdout_progress_is_shown_all_the_same(style, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdout", None)
    assert Pipeline([Steps()]).fit(verbose=style).status == "finished"
    assert "3/3 steps" in stream.getvalue()


def test_a_stage_that_was_not_repeated_is_called_restored():
    from schoolbell.callbacks.progress.progbar_logger import begin_display

    stream = io.StringIO()
    stages = [
        {"name": "load", "label": "Loading", "unit": "step", "restored": True},
        {"name": "ga", "label": "GA", "unit": "generation"},
    ]
    for style in ("rich", "tqdm"):
        stream = io.StringIO()
        display = begin_display(style, stream, "Test", stages)
        pipeline = Pipeline([Steps("ga")])
        pipeline.fit(verbose=False)
        display.begin_stage("ga")
        snapshot = pipeline.tracker.snapshot()
        display.end_stage(snapshot, 1.0, "skipped", "EarlyStopping")
        display.end(snapshot, "finished")
        release(display)
        lines = [one.strip() for one in re.split(r"[\r\n]", stream.getvalue()) if "restored" in one]
        assert lines[-1].startswith("Loading")
        assert "ended by EarlyStopping" in stream.getvalue()
