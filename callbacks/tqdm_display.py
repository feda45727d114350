"""Progress as bars of tqdm."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from .display import Display, best_text, count_text, share_at_end, time_text
from .formatting import format_seconds
from .snapshot import Snapshot

# Widths of widgets, in digits.
_PERCENT_WIDTH, _TEXT_WIDTH = 6, "40ch"
_FORMAT = "{desc} {percentage:3.0f}%|{bar}|"


class TqdmDisplay(Display):
    """Progress as bars of tqdm: one for the run, one for each stage when it begins.

    Parameters
    ----------
    stream
        Where to draw text bars.
    notebook
        Draw widgets of tqdm.notebook instead.
    """

    def __init__(self, stream: TextIO, notebook: bool = False) -> None:
        self._stream = stream
        self.widgets = notebook
        self._labels: dict[str, str] = {}
        self._width = 0
        self._run: Any = None
        self._ready: dict[str, Any] = {}
        self._stage: Any = None
        self._stdout: Any = None
        self._prints: Any = None

    def _bar(self, label: str, position: int) -> Any:
        if self.widgets:
            from tqdm.notebook import tqdm
        else:
            from tqdm.std import tqdm
        bar: Any = tqdm(
            total=1.0,
            desc=label if self.widgets else label.ljust(self._width),
            position=position,
            file=self._stream,
            bar_format=_FORMAT,
            dynamic_ncols=True,
            leave=True,
        )
        if self.widgets:
            # Else each bar would begin and end where its own texts do.
            before, _, after = bar.container.children
            before.layout.width = f"{self._width + _PERCENT_WIDTH}ch"
            after.layout.width = _TEXT_WIDTH
        return bar

    def begin(self, title: str, stages: Sequence[Mapping[str, Any]]) -> None:
        self._labels = {stage["name"]: stage["label"] for stage in stages}
        self._width = max(map(len, [title, *self._labels.values()]))
        # The present stage's bar is below: tqdm moves finished bars above those at work.
        self._run = self._bar(title, 0)
        if self.widgets:
            # All at once: only the thread that runs the cell can put widgets into its output.
            self._ready = {name: self._bar(label, 1) for name, label in self._labels.items()}
        if not self.widgets and sys.stdout.isatty() and self._stream.isatty():
            self._redirect_prints()

    def begin_stage(self, stage: str) -> None:
        self._stage = self._ready.get(stage) or self._bar(self._labels.get(stage, stage), 1)

    def update(self, snapshot: Snapshot) -> None:
        if self._stage is not None:
            _set(self._stage, snapshot.stage_progress, count_text(snapshot))
        if self._run is not None:
            self._update_run(snapshot, time_text(snapshot))

    def end_stage(self, snapshot: Snapshot, seconds: float, ended_by: str) -> None:
        if self._stage is None:
            return
        text = f"{count_text(snapshot)}, {ended_by} in {format_seconds(seconds)}"
        _set(self._stage, share_at_end(snapshot, ended_by), text)
        self._stage.close()
        self._stage = None

    def end(self, snapshot: Snapshot, outcome: str) -> None:
        if self._stage is not None:
            _set(self._stage, snapshot.stage_progress, f"{count_text(snapshot)}, {outcome}")
            self._stage.close()
            self._stage = None
        if self._run is not None:
            self._update_run(snapshot, f"{outcome} in {format_seconds(snapshot.elapsed)}")
            self._run.close()
            self._run = None
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

    def _update_run(self, snapshot: Snapshot, text: str) -> None:
        best = best_text(snapshot)
        _set(self._run, snapshot.progress, f"{text}, {best}" if best else text)


def _set(bar: Any, progress: float, text: str) -> None:
    bar.n = progress
    # Written into the format, since tqdm would put a comma before a postfix.
    bar.bar_format = f"{_FORMAT} {text.replace('{', '{{').replace('}', '}}')}"
    bar.refresh()
