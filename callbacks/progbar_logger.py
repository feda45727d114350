"""Shows a run's progress."""

import atexit
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal, TextIO

from .callback import Callback, Logs
from .display import Display
from .plain_display import PlainDisplay
from .plain_value import error_text
from .rich_display import RichDisplay
from .safe_warning import warn_safely
from .snapshot import Snapshot
from .ticker import Ticker
from .tqdm_display import TqdmDisplay

Style = Literal["auto", "rich", "tqdm", "plain"]


class ProgbarLogger(Callback):
    """Shows a run's progress in the way that suits the place.

    A thread of its own reads where the run stands and draws, so the display
    moves between two units too and costs the batches nothing. An error in
    drawing is warned of once and never ends the run. Stages that had ended in
    the run that this one goes on from are shown as ``restored``.

    Parameters
    ----------
    style
        ``"rich"``: a row with a bar for each stage, and the whole run above.
        ``"tqdm"``: bars of tqdm, widgets in a notebook that has ipywidgets.
        ``"plain"``: lines, at most one a second, and one at the end of a stage.
        ``"auto"``: tqdm in a notebook, rich in a terminal, plain elsewhere.
    stream
        Where to show it; ``sys.stderr`` by default, so that a program's results
        on ``sys.stdout`` stay apart.
    """

    def __init__(self, style: Style = "auto", stream: TextIO | None = None) -> None:
        super().__init__()
        if style not in ("auto", "rich", "tqdm", "plain"):
            raise ValueError(f'style must be "auto", "rich", "tqdm" or "plain", got {style!r}')
        self.style: Style = style
        self.stream = stream
        self._display: Display | None = None
        self._ticker: Ticker | None = None
        self._events: deque[Callable[[Display], None]] = deque()

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._abandon()
        self._events.clear()
        display = make_display(self.style, sys.stderr if self.stream is None else self.stream)
        try:
            display.begin(self.params.get("pipeline") or "Run", self.params.get("stages", ()))
        except Exception as error:
            message = f"no progress display: {error_text(error)}"
            warn_safely(message, stacklevel=2)
            return
        for stage in self.params.get("stages", ()):
            if stage.get("restored"):
                self._events.append(partial(_show_restored, stage, self._snapshot()))
        self._display = display
        self._ticker = Ticker(self._draw, display.interval, "the progress display")
        self._ticker.start()
        # A process that ends in a hurry still leaves the terminal as it was.
        atexit.register(self._abandon)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        self._events.append(lambda display: display.begin_stage(stage))

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        snapshot = self._snapshot()
        about = logs or {}
        seconds, ended_by = about.get("seconds", 0.0), about.get("ended_by", "finished")
        self._events.append(lambda display: display.end_stage(snapshot, seconds, ended_by))

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        about = logs or {}
        outcome = about.get("status", "finished")
        reason = about.get("stopped_by") or about.get("error")
        self._end(f"{outcome}: {reason}" if reason else outcome)

    def _draw(self) -> None:
        """Draw what has happened; on the display's own thread, which alone a terminal can block."""
        display = self._display
        if display is None:
            return
        while self._events:
            self._events.popleft()(display)
        if self._display is not None:
            display.update(self._snapshot())

    def _end(self, outcome: str) -> None:
        if self._ticker is None:
            return
        snapshot = self._snapshot()

        def end(display: Display) -> None:
            self._display = None
            display.end(snapshot, outcome)

        self._events.append(end)
        self._ticker.stop()
        self._ticker = None
        atexit.unregister(self._abandon)

    def _snapshot(self) -> Snapshot:
        return self.pipeline.tracker.snapshot()

    def _abandon(self) -> None:
        """Take down the display of a run that never came to its end."""
        self._end("abandoned")


def _show_restored(stage: Mapping[str, Any], now: Snapshot, display: Display) -> None:
    """Show a stage that had ended in the run that this one goes on from."""
    record = stage["restored"]
    snapshot = replace(
        now,
        stage=stage["name"],
        unit=stage["unit"],
        done=record["done"],
        total=record["total"],
        message=f"{stage['label']}: restored",
        stage_progress=1.0,
        progress=stage["end"],
        cost=record["cost"],
        violations=record["violations"],
    )
    display.begin_stage(stage["name"])
    display.end_stage(snapshot, record["seconds"], "restored")


def make_display(style: Style, stream: TextIO) -> Display:
    """Return the display for a style on a stream, ``"auto"`` chosen by where it runs."""
    if style == "auto":
        style = _style_of_place(stream)
    if style == "rich":
        return RichDisplay(stream)
    if style == "tqdm":
        return TqdmDisplay(stream, notebook=_in_notebook() and find_spec("ipywidgets") is not None)
    return PlainDisplay(stream)


def _style_of_place(stream: TextIO) -> Style:
    if _in_notebook():
        return "tqdm"
    isatty = getattr(stream, "isatty", None)
    if isatty is not None and isatty() and os.environ.get("TERM") != "dumb":
        return "rich"
    return "plain"


def _in_notebook() -> bool:
    """Tell whether this is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config
