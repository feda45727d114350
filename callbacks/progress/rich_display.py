"""Progress in a terminal, drawn by rich."""

import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from ..formatting import format_number, format_percent, format_seconds
from ..snapshot import Snapshot
from ..vocabulary import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    OPTIMAL,
    PAUSED,
    RUNNING,
    SKIPPED,
    STOPPED,
    TIME,
    stage_end_text,
)
from .display import Display, count_text, cut, format_eta, line_text, message_text, share_at_end
from .rich_rows import Line, lay_out
from .safe_stream import SafeStream
from .terminal import is_terminal

if TYPE_CHECKING:
    from rich.console import Group

_WIDEST = 110
# In a smaller terminal the whole run is one line.
_LEAST_COLUMNS, _LEAST_LINES = 45, 8
_LONGEST_OUTCOME = 28
_STYLES = {
    PAUSED: "yellow",
    FINISHED: "green",
    TIME: "green",
    OPTIMAL: "green",
    SKIPPED: "yellow",
    STOPPED: "yellow",
    INTERRUPTED: "red",
    FAILED: "red",
}


@dataclass(slots=True)
class _Row:
    """What the display says of one stage."""

    label: str
    words: tuple[str, ...] = ()
    message: str = ""
    progress: float = 0.0
    seconds: float | None = None
    cost: str = ""
    violations: str = ""
    ended_by: str | None = None
    restored: bool = False


class RichDisplay(Display):
    """Progress in a terminal: a bar for the run, and below it a row for each stage.

    Other prints to the terminal go above it. In a terminal of less than 8 lines
    or 45 columns it is one line.

    Parameters
    ----------
    stream
        The terminal; where it is none, only the final state is printed.
    """

    interval: ClassVar[float] = 0.25

    def __init__(self, stream: TextIO | SafeStream) -> None:
        from rich.console import Console

        self._console = Console(file=stream)  # type: ignore[arg-type] - it does what a file does
        self.draws_over = self._console.is_terminal
        self._live: Any = None
        self._title = ""
        self._outcome: str | None = None
        self._rows: dict[str | None, _Row] = {}
        self._lock = threading.RLock()

    def begin(self, title: str, stages: Sequence[Mapping[str, Any]]) -> None:
        from rich.live import Live

        self._title = title
        self._outcome = None
        self._rows = {stage["name"]: _row(stage) for stage in stages}
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            # Prints that go elsewhere, into a file, say, must not be drawn here.
            redirect_stdout=is_terminal(sys.stdout),
            redirect_stderr=is_terminal(sys.stderr),
            vertical_overflow="visible",
        )
        self._live.start()

    def begin_stage(self, stage: str) -> None:
        pass

    def update(self, snapshot: Snapshot) -> None:
        row = self._rows.get(snapshot.stage)
        if row is not None and row.ended_by is None:
            self._fill(row, snapshot)
            row.message = message_text(snapshot, row.label)
            row.progress = snapshot.stage_progress
        self._draw(snapshot)

    def end_stage(
        self, snapshot: Snapshot, seconds: float, ended_by: str, stopped_by: str | None = None
    ) -> None:
        row = self._rows.get(snapshot.stage)
        if row is not None:
            self._fill(row, snapshot)
            row.progress = share_at_end(snapshot, ended_by, row.progress)
            row.seconds = seconds
            self._end_row(row, snapshot, ended_by, stopped_by)
        self._draw(snapshot)

    def end(self, snapshot: Snapshot, outcome: str) -> None:
        row = self._rows.get(snapshot.stage)
        if row is not None and row.ended_by is None and not row.restored:
            self._fill(row, snapshot)
            row.progress = share_at_end(snapshot, snapshot.status, row.progress)
            self._end_row(row, snapshot, snapshot.status, None)
        self._outcome = outcome
        if self._live is not None:
            # Drawn once, by what stops it: there may be more lines than the terminal has.
            self._live.update(self._lines(snapshot))
            self._stop()
            if not self._console.is_terminal:
                self._console.line()

    def close(self) -> None:
        if self._live is not None:
            self._stop()

    def print_above(self, text: str) -> None:
        with self._lock:
            self._console.print(text, markup=False, highlight=False)

    def _stop(self) -> None:
        live, self._live = self._live, None
        live.stop()

    def _fill(self, row: _Row, snapshot: Snapshot) -> None:
        row.restored = False
        row.words = _counts(snapshot)
        if snapshot.cost is not None:
            row.cost = format_number(snapshot.cost)
            if snapshot.violations is not None:
                row.violations = format_number(snapshot.violations)

    def _end_row(
        self, row: _Row, snapshot: Snapshot, ended_by: str, stopped_by: str | None
    ) -> None:
        row.ended_by = ended_by
        row.message = ""
        how = stage_end_text(ended_by, stopped_by, snapshot.done, snapshot.total)
        if ended_by == OPTIMAL and not snapshot.done:
            row.words = (how,)
        elif how != FINISHED:
            row.words = (*(f"{count}, {how}" for count in row.words), how)

    def _draw(self, snapshot: Snapshot) -> None:
        if self._live is not None:
            with self._lock:
                self._live.update(self._lines(snapshot), refresh=True)

    def _lines(self, snapshot: Snapshot) -> "Group":
        """Return all that is shown; a table of rich's takes four times as long to draw."""
        from rich.console import Group
        from rich.text import Text

        width, height = self._console.size
        on_terminal = self._console.is_terminal
        if on_terminal and (width < _LEAST_COLUMNS or height < _LEAST_LINES):
            # One column less: some terminals begin a new line at the last one.
            line = line_text(self._title, snapshot, self._outcome, width - 1, snapshot.message)
            return Group(Text(line, no_wrap=True, overflow="crop"))
        rows = [
            _stage_line(row, name == snapshot.stage and row.ended_by is None)
            for name, row in self._rows.items()
        ]
        hint = self.hint if on_terminal and self._outcome is None else ""
        texts = lay_out(
            [self._run_line(snapshot), *rows], min(self._console.width, _WIDEST), self._bar
        )
        if on_terminal and self._outcome is None:
            texts = _in_view(texts, list(self._rows), snapshot.stage, height - 2 - bool(hint))
        if hint:
            texts.append(Text(cut(hint, width), "dim", no_wrap=True, overflow="crop"))
        return Group(*texts)

    def _run_line(self, snapshot: Snapshot) -> Line:
        words: tuple[str, ...] = (snapshot.status,)
        if self._outcome is not None:
            shorter = cut(self._outcome, _LONGEST_OUTCOME)
            words = (self._outcome, shorter, snapshot.status)
        elif snapshot.status == RUNNING:
            # Nothing rather than a guess that nobody has made.
            words = ("" if snapshot.eta is None else f"ETA {format_eta(snapshot.eta)}",)
            if snapshot.stage is None:
                words = ("starting",)
        best = snapshot.cost is not None
        counted = best and snapshot.violations is not None
        return Line(
            label=self._title,
            percent=format_percent(snapshot.progress),
            words=words,
            seconds=format_seconds(snapshot.elapsed),
            cost=f"cost {format_number(snapshot.cost)}" if best else "",
            violations=f"viol. {format_number(snapshot.violations)}" if counted else "",
            progress=snapshot.progress,
            style=_style(snapshot.status),
            label_style="bold",
            best_style="bold",
        )

    @property
    def _bar(self) -> tuple[str, str, str]:
        """What bars are made of."""
        full, half = ("-", " ") if self._console.options.ascii_only else ("━", "╸")
        colours = self._console.color_system is not None and not self._console.no_color
        return full, half, full if colours else " "


def _row(stage: Mapping[str, Any]) -> _Row:
    if stage.get("restored"):
        return _Row(stage["label"], words=("restored",), restored=True)
    return _Row(stage["label"])


def _counts(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the units of a stage, in full and without saying what they are."""
    full = count_text(snapshot)
    return full, full.split(" ")[0]


def _stage_line(row: _Row, running: bool) -> Line:
    begun = running or row.ended_by is not None
    return Line(
        label=f"  {row.label}",
        percent=format_percent(row.progress, 0) if begun else "",
        words=row.words,
        seconds="" if row.seconds is None else format_seconds(row.seconds),
        cost=row.cost,
        violations=row.violations,
        progress=row.progress if begun or not row.restored else 1.0,
        style=_style(row.ended_by) if row.ended_by else "cyan",
        message=row.message if running else "",
        label_style="" if begun or row.restored else "dim",
    )


def _in_view(
    texts: list[Any], names: Sequence[str | None], stage: str | None, most: int
) -> list[Any]:
    """Return the run's line and so many of the stages' lines, the present one among them."""
    head, *rows = texts
    present = names.index(stage) if stage in names else 0
    first = max(0, min(present - most // 2, len(rows) - most))
    return [head, *rows[first : first + most]]


def _style(status: str | None) -> str:
    return _STYLES.get(status or RUNNING, "cyan")
