"""Shows a run's progress."""

import atexit
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TextIO, get_args

from .callback import Callback, Logs, nothing
from .display import Display
from .notebook_display import NotebookDisplay
from .plain_display import PlainDisplay
from .portable_stream import PortableStream
from .rich_display import RichDisplay
from .ticker import Ticker
from .tqdm_display import TqdmDisplay

Style = Literal["auto", "notebook", "rich", "tqdm", "plain"]


class ProgbarLogger(Callback):
    """Shows a run's progress in the way that suits the place.

    A thread of its own reads where the run stands and draws, so the display
    moves between two units too and costs the batches nothing. An error in
    drawing is warned of once and never ends the run.

    Parameters
    ----------
    style
        ``"rich"``: a row with a bar for each stage, and the whole run above.
        ``"notebook"``: the same as a box below a notebook's cell, which stays when
        the notebook is saved or converted. ``"tqdm"``: bars of tqdm.
        ``"plain"``: lines, at most one a second, and one at the end of a stage.
        ``"auto"``: a box in a notebook, rich in a terminal, plain elsewhere.
    stream
        Where to show it; ``sys.stderr`` by default, so that a program's results
        on ``sys.stdout`` stay apart.
    """

    #: Whether the last line of a failed run tells why; not where somebody else does.
    tells_error = True

    made_anew: ClassVar = {"_display": nothing, "_ticker": nothing, "_events": deque}

    def __init__(self, style: Style = "auto", stream: TextIO | None = None) -> None:
        super().__init__()
        if style not in get_args(Style):
            known = ", ".join(f'"{one}"' for one in get_args(Style))
            raise ValueError(f"style must be one of {known}, got {style!r}")
        self.style: Style = style
        self.stream = stream
        self._display: Display | None = None
        self._ticker: Ticker | None = None
        self._events: deque[Callable[[Display], None]] = deque()

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"stream": PortableStream(self.stream)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state | {"stream": state["stream"].stream})

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._abandon()
        self._events.clear()
        display = make_display(self.style, self.stream, self.params.get("job_id"))
        try:
            display.begin(self.params.get("pipeline") or "Run", self.params.get("stages", ()))
        except Exception as error:
            message = f"no progress display: {type(error).__name__}: {error}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
            return
        self._display = display
        self._ticker = Ticker(self._draw, display.interval, "the progress display")
        self._ticker.start()
        # A process that ends in a hurry still leaves the terminal as it was.
        atexit.register(self._abandon)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        self._events.append(lambda display: display.begin_stage(stage))

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        snapshot = self.pipeline.tracker.snapshot()
        about = logs or {}
        seconds, ended_by = about.get("seconds", 0.0), about.get("ended_by", "finished")
        self._events.append(lambda display: display.end_stage(snapshot, seconds, ended_by))

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        about = logs or {}
        outcome = about.get("status", "finished")
        error = about.get("error") if self.tells_error else None
        reason = about.get("stopped_by") or error
        self._end(f"{outcome}: {reason}" if reason else outcome)

    def _draw(self) -> None:
        """Draw what has happened; on the display's own thread, which alone a terminal can block."""
        display = self._display
        if display is None:
            return
        while self._events:
            self._events.popleft()(display)
        if self._display is not None:
            display.update(self.pipeline.tracker.snapshot())

    def _end(self, outcome: str) -> None:
        if self._ticker is None:
            return
        snapshot = self.pipeline.tracker.snapshot()

        def end(display: Display) -> None:
            self._display = None
            display.end(snapshot, outcome)

        self._events.append(end)
        self._ticker.stop()
        self._ticker = None
        atexit.unregister(self._abandon)

    def _abandon(self) -> None:
        """Take down the display of a run that never came to its end."""
        self._end("abandoned")


def make_display(style: Style, stream: TextIO | None, job_id: str | None = None) -> Display:
    """Return the display for a style, ``"auto"`` chosen by where it runs.

    Parameters
    ----------
    style
        As for `ProgbarLogger`.
    stream
        Where to show it; None for ``sys.stderr``, or the output of a notebook's cell.
    job_id
        The run's id, which tells boxes in a notebook apart.
    """
    if style == "notebook" or (style == "auto" and stream is None and _in_notebook()):
        return NotebookDisplay(job_id)
    stream = sys.stderr if stream is None else stream
    if style == "auto":
        style = _style_of_stream(stream)
    if style == "rich":
        return RichDisplay(stream)
    if style == "tqdm":
        return TqdmDisplay(stream)
    return PlainDisplay(stream)


def _style_of_stream(stream: TextIO) -> Style:
    isatty = getattr(stream, "isatty", None)
    if isatty is not None and isatty() and os.environ.get("TERM") != "dumb":
        return "rich"
    return "plain"


def _in_notebook() -> bool:
    """Tell whether this is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config
