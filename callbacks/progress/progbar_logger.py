"""Shows a run's progress."""

import atexit
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Literal, TextIO, get_args

from ..argument_error import ArgumentError
from ..background.ticker import Ticker
from ..callback import Callback, Logs, nothing
from ..formatting import printable
from ..names import did_you_mean
from ..plain_value import error_text
from ..safe_warning import warn_safely
from ..snapshot import Snapshot
from ..vocabulary import FINISHED, outcome_text
from .brief_display import BriefDisplay
from .display import Display
from .notebook_display import NotebookDisplay
from .plain_display import PlainDisplay
from .portable_stream import PortableStream
from .rich_display import RichDisplay
from .safe_stream import SafeStream
from .terminal import claim, is_terminal, is_usable, release
from .tqdm_display import TqdmDisplay

Style = Literal["auto", "notebook", "rich", "tqdm", "plain"]

STYLES: tuple[Style, ...] = get_args(Style)


class ProgbarLogger(Callback):
    """Shows a run's progress in the way that suits the place.

    A thread of its own reads where the run stands and draws, so the display
    moves between two units too and costs the batches nothing. An error in
    drawing is warned of once and never ends the run, which is then shown in
    plain lines. What the stream cannot encode is shown as question marks.

    A terminal has one display at a time: a run within another one, or beside it
    in another thread, prints a line above it now and then, and so does one
    while somebody else's bars of tqdm or rich are there.

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
        on ``sys.stdout`` stay apart. Where that is None or closed, nothing is
        shown.
    """

    __module__ = "schoolbell.callbacks"

    #: Whether the last line of a failed run tells why; not where somebody else does.
    tells_error = True
    made_anew: ClassVar = {"_display": nothing, "_ticker": nothing, "_events": deque}

    def __init__(self, style: Style = "auto", stream: TextIO | None = None) -> None:
        super().__init__()
        if not isinstance(style, str) or style not in STYLES:
            known = ", ".join(f'"{one}"' for one in STYLES)
            advice = did_you_mean(style, STYLES).removeprefix("; ")
            raise ArgumentError.of("style", f"one of {known}", style, advice)
        self.style: Style = style
        self.stream = stream
        self._display: Display | None = None
        self._ticker: Ticker | None = None
        self._over = False
        self._events: deque[Callable[[Display], None]] = deque()

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"stream": PortableStream(self.stream)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state | {"stream": state["stream"].stream})

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._abandon()
        self._events.clear()
        self._over = False
        in_notebook = self.style in ("auto", "notebook") and _in_notebook()
        if self.stream is None and not is_usable(sys.stderr) and not in_notebook:
            return
        display = self._display = begin_display(
            self.style,
            self.stream,
            self.params.get("pipeline") or "Run",
            self.params.get("stages", ()),
            self.params.get("job_id"),
        )
        self._ticker = Ticker(self._draw, display.interval, "the progress display")
        self._ticker.start()
        # A process that ends in a hurry still leaves the terminal as it was.
        atexit.register(self._abandon)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        self._events.append(lambda display: display.begin_stage(stage))

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        snapshot = self._snapshot()
        about = logs or {}
        seconds, ended_by = about.get("seconds", 0.0), about.get("ended_by", FINISHED)
        stopped_by = about.get("stopped_by")
        self._events.append(
            lambda display: display.end_stage(snapshot, seconds, ended_by, stopped_by)
        )

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        about = logs or {}
        status = about.get("status", FINISHED)
        error = about.get("error") if self.tells_error else None
        # The violations that are left stand beside it, with the cost.
        self._end(outcome_text(status, about.get("stopped_by"), error))

    def _draw(self) -> None:
        """Draw what has happened; on the display's own thread, which alone a terminal can block."""
        first: Exception | None = None
        while self._events:
            first = self._show(self._events.popleft()) or first
        if not self._over:
            snapshot = self.pipeline.tracker.snapshot()
            first = self._show(lambda display: display.update(snapshot)) or first
        if first is not None:
            raise first

    def _show(self, event: Callable[[Display], None]) -> Exception | None:
        """Show something; where the display fails, return why, and go on in plain lines."""
        display = self._display
        if display is None:
            return None
        try:
            event(display)
        except Exception as error:
            if not isinstance(display, PlainDisplay):
                release(display)
                with suppress(Exception):
                    display.close()
                with suppress(Exception):
                    self._display = self._plain()
                    event(self._display)
            return error
        return None

    def _plain(self) -> PlainDisplay:
        stream = sys.stderr if self.stream is None else self.stream
        plain = PlainDisplay(SafeStream(stream))
        plain.begin(self.params.get("pipeline") or "Run", self.params.get("stages", ()))
        return plain

    def _end(self, outcome: str) -> None:
        if self._ticker is None:
            return
        snapshot = self._snapshot()

        def end(display: Display) -> None:
            self._over = True
            display.end(snapshot, outcome)

        self._events.append(end)
        self._ticker.stop()
        self._ticker = None
        if self._display is not None:
            release(self._display)
            self._display = None
        atexit.unregister(self._abandon)

    def _snapshot(self) -> Snapshot:
        return self.pipeline.tracker.snapshot()

    def _abandon(self) -> None:
        """Take down the display of a run that never came to its end."""
        self._end("abandoned")


def begin_display(
    style: Style,
    stream: TextIO | None,
    title: str,
    stages: Sequence[Mapping[str, Any]],
    job_id: str | None = None,
    hint: str = "",
) -> Display:
    """Return a display that shows the beginning of a run; `release` it at the end.

    In a terminal that another display owns it is one that prints lines above
    that one.

    Parameters
    ----------
    style, stream, job_id
        As for `make_display`.
    title, stages
        As for `Display.begin`.
    hint
        What to tell below it while the run goes on.
    """
    safe = SafeStream(sys.stderr if stream is None else stream)
    title = safe.encodable(printable(title))
    stages = [{**one, "label": safe.encodable(printable(one["label"]))} for one in stages]
    display = make_display(style, stream, job_id)
    if display.draws_over and not claim(safe, display):
        display = BriefDisplay(safe)
        title = f"Run {job_id}" if title == "Run" and job_id else title
    display.hint = hint
    try:
        display.begin(title, stages)
    except Exception as error:
        release(display)
        with suppress(Exception):
            display.close()
        warn_safely(f"no progress bars: {error_text(error)}", stacklevel=3)
        display = PlainDisplay(safe)
        display.begin(title, stages)
    return display


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
    safe = SafeStream(sys.stderr if stream is None else stream)
    if style == "auto":
        style = _style_of_stream(safe)
    if style == "rich":
        return RichDisplay(safe)
    if style == "tqdm":
        return TqdmDisplay(safe)
    return PlainDisplay(safe)


def _style_of_stream(stream: TextIO | SafeStream) -> Style:
    if is_terminal(stream) and os.environ.get("TERM") != "dumb":
        return "rich"
    return "plain"


def _in_notebook() -> bool:
    """Tell whether this is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config
