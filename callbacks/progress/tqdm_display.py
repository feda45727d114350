"""Progress as bars of tqdm."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TextIO

from ..formatting import format_percent, format_seconds
from ..snapshot import Snapshot
from ..vocabulary import stage_end_text
from .display import (
    Display,
    best_text,
    columns,
    count_text,
    cut,
    line_text,
    message_text,
    share_at_end,
    status_text,
)
from .safe_stream import SafeStream
from .terminal import is_terminal, terminal_size

_BAR = "{desc} %s|{bar}|"
# In a smaller terminal the whole run is one line.
_LEAST_COLUMNS, _LEAST_LINES = 45, 8
_NARROWEST_BAR = 10


class TqdmDisplay(Display):
    """Progress as bars of tqdm: one for the run, one for each stage when it begins.

    In a terminal of less than 8 lines or 45 columns it is one line.

    Parameters
    ----------
    stream
        Where to draw them.
    """

    draws_over = True

    def __init__(self, stream: TextIO | SafeStream) -> None:
        self._stream = stream
        self._title = ""
        self._labels: dict[str, str] = {}
        self._width = 0
        self._run: Any = None
        self._stage: Any = None
        self._stdout: Any = None
        self._prints: Any = None

    def _bar(self, label: str, position: int) -> Any:
        from tqdm.std import tqdm

        bar: Any = tqdm(
            total=1.0,
            desc=label + " " * (self._width - columns(label)),
            position=position,
            file=self._stream,
            bar_format=_BAR % "{percentage:3.0f}%",
            dynamic_ncols=True,
            leave=True,
            # It is not to draw while it is made: it would keep its lock over an exception.
            delay=1e-9,
        )
        bar.delay = 0
        return bar

    def begin(self, title: str, stages: Sequence[Mapping[str, Any]]) -> None:
        self._title = title
        self._labels = {stage["name"]: stage["label"] for stage in stages}
        self._width = max(map(columns, [title, *self._labels.values()]))
        # The present stage's bar is below: tqdm moves finished bars above those at work.
        self._run = self._bar(title, 0)
        if is_terminal(sys.stdout) and is_terminal(self._stream):
            self._redirect_prints()
        for stage in stages:
            if stage.get("restored"):
                self._show_restored(stage["name"])

    def begin_stage(self, stage: str) -> None:
        if not self._is_small:
            self._stage = self._bar(self._labels.get(stage, stage), 1)

    def update(self, snapshot: Snapshot) -> None:
        if self._stage is not None:
            label = self._labels.get(snapshot.stage or "", "")
            count = count_text(snapshot)
            told = message_text(snapshot, label) or count
            self._draw(self._stage, snapshot.stage_progress, (told, count, count.split(" ")[0]))
        if self._run is not None:
            self._draw_run(snapshot, None)

    def end_stage(
        self, snapshot: Snapshot, seconds: float, ended_by: str, stopped_by: str | None = None
    ) -> None:
        if self._stage is None:
            return
        how = stage_end_text(ended_by, stopped_by, snapshot.done, snapshot.total)
        took = f"{how} in {format_seconds(seconds)}"
        count = count_text(snapshot)
        texts = (f"{count}, {took}", f"{count.split(' ')[0]}, {took}", took, how)
        self._draw(self._stage, share_at_end(snapshot, ended_by, self._stage.n), texts)
        self._stage.close()
        self._stage = None

    def end(self, snapshot: Snapshot, outcome: str) -> None:
        try:
            if self._stage is not None:
                count = count_text(snapshot)
                texts = (f"{count}, {outcome}", f"{count}, {snapshot.status}", snapshot.status)
                self._draw(self._stage, snapshot.stage_progress, texts)
                self._stage.close()
                self._stage = None
            if self._run is not None:
                self._draw_run(snapshot, outcome)
                self._run.close()
                self._run = None
        finally:
            self._give_prints_back()

    def close(self) -> None:
        try:
            for bar in (self._stage, self._run):
                if bar is not None:
                    with suppress(Exception):
                        bar.close()
        finally:
            self._stage = self._run = None
            self._give_prints_back()

    def print_above(self, text: str) -> None:
        from tqdm.std import tqdm

        tqdm.write(text, file=self._stream)  # type: ignore[arg-type] - it does what a file does

    def _give_prints_back(self) -> None:
        if self._prints is not None and sys.stdout is self._prints:
            sys.stdout = self._stdout
        self._prints = None

    def _redirect_prints(self) -> None:
        """Let prints to the terminal appear above the bars."""
        from tqdm.contrib import DummyTqdmFile

        self._stdout = sys.stdout
        # To the stream of the bars, which is the same terminal: tqdm then clears them first.
        self._prints = DummyTqdmFile(self._stream)
        sys.stdout = self._prints

    def _show_restored(self, stage: str) -> None:
        self.begin_stage(stage)
        if self._stage is not None:
            self._draw(self._stage, 1.0, ("restored",))
            self._stage.close()
            self._stage = None

    @property
    def _is_small(self) -> bool:
        size = terminal_size(self._stream)
        return size is not None and (size.columns < _LEAST_COLUMNS or size.lines < _LEAST_LINES)

    def _draw_run(self, snapshot: Snapshot, outcome: str | None) -> None:
        percent = format_percent(snapshot.progress)
        if self._is_small:
            size = terminal_size(self._stream)
            room = size.columns - 1 if size else 0
            text = line_text(self._title, snapshot, outcome, room, snapshot.message)
            _show(self._run, snapshot.progress, _escaped(text))
            return
        best, seconds = best_text(snapshot), format_seconds(snapshot.elapsed)
        if outcome is None:
            told, status = status_text(snapshot), snapshot.status
        else:
            told, status = f"{outcome} in {seconds}", f"{snapshot.status} in {seconds}"
        short = best.partition(",")[0]
        texts = [", ".join(part for part in (told, one) if part) for one in (best, short)]
        texts += [", ".join(part for part in (status, short) if part), short or told]
        self._draw(self._run, snapshot.progress, texts, percent)

    def _draw(
        self, bar: Any, progress: float, texts: Sequence[str], percent: str | None = None
    ) -> None:
        """Draw a bar with the first of the texts that there is room for."""
        percent = percent or format_percent(progress, 0)
        size = terminal_size(self._stream)
        text = texts[0]
        if size is not None:
            room = size.columns - self._width - len(" 100.0 %|| ") - _NARROWEST_BAR - 1
            text = next((one for one in texts if columns(one) <= room), cut(texts[-1], room))
        head = _BAR % f"{percent.replace(' %', '%'):>6}"
        _show(bar, progress, f"{head} {_escaped(text)}")


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _show(bar: Any, progress: float, line: str) -> None:
    bar.n = progress
    # Written into the format, since tqdm would put a comma before a postfix.
    bar.bar_format = line
    # Its own refresh() would keep the lock, which all bars of the process share, when it raises.
    with bar.get_lock():
        bar.refresh(nolock=True)
