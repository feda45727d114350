"""Shows a run's progress."""

import atexit
import os
import sys
import threading
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal, TextIO

from .callback import Callback, Logs
from .display import Display
from .plain_display import PlainDisplay
from .rich_display import RichDisplay
from .snapshot import Snapshot
from .ticker import Ticker
from .tqdm_display import TqdmDisplay

Style = Literal["auto", "rich", "tqdm", "plain"]


class ProgbarLogger(Callback):
    """Shows a run's progress in the way that suits the place.

    A thread of its own reads where the run stands and draws, so the display
    moves between two units too and costs the batches nothing. An error in
    drawing is warned of once and never ends the run.

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
        self._lock = threading.Lock()
        self._warned = False

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._abandon()
        self._warned = False
        stream = sys.stderr if self.stream is None else self.stream
        display = self._display = make_display(self.style, stream)
        title = self.params.get("pipeline") or "Run"
        self._show(lambda: display.begin(title, self.params.get("stages", ())))
        self._ticker = Ticker(self._tick, display.interval, "the progress display")
        self._ticker.start()
        # A process that ends in a hurry still leaves the terminal as it was.
        atexit.register(self._abandon)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        display = self._display
        if display is not None:
            self._show(lambda: display.begin_stage(stage))

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        display, logs = self._display, logs or {}
        if display is not None:
            seconds, ended_by = logs.get("seconds", 0.0), logs.get("ended_by", "finished")
            snapshot = self.pipeline.tracker.snapshot()
            self._show(lambda: display.end_stage(snapshot, seconds, ended_by))

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        display, logs = self._display, logs or {}
        if display is None:
            return
        if self._ticker is not None:
            self._ticker.stop()
        outcome = logs.get("status", "finished")
        reason = logs.get("stopped_by") or logs.get("error")
        snapshot = self.pipeline.tracker.snapshot()
        self._show(lambda: display.end(snapshot, f"{outcome}: {reason}" if reason else outcome))
        self._display = self._ticker = None
        atexit.unregister(self._abandon)

    def _tick(self) -> None:
        display = self._display
        if display is not None:
            snapshot = self.pipeline.tracker.snapshot()
            self._show(lambda: display.update(snapshot))

    def _show(self, draw: Callable[[], Any]) -> None:
        """Draw, one thread at a time; a broken terminal or pipe must not end the run."""
        with self._lock:
            try:
                draw()
            except Exception as error:
                if not self._warned:
                    self._warned = True
                    message = f"the progress display failed: {type(error).__name__}: {error}"
                    warnings.warn(message, RuntimeWarning, stacklevel=3)

    def _abandon(self) -> None:
        """Take down the display of a run that never came to its end."""
        display, self._display = self._display, None
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        if display is not None:
            snapshot: Snapshot = self.pipeline.tracker.snapshot()
            self._show(lambda: display.end(snapshot, "abandoned"))


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
