"""Progress in a terminal, drawn by rich."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TextIO

from .display import Display, count_text, format_eta, share_at_end
from .formatting import format_number, format_seconds
from .snapshot import Snapshot

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

_WIDEST = 110
# Label, per cent, units, seconds, cost and violations; the bar stands behind the label.
_COLUMNS: tuple[Literal["left", "right"], ...] = (
    "left", "right", "left", "right", "right", "right",
)  # fmt: skip
_GAP = "  "
_NARROWEST_BAR, _NARROWEST_CELL = 8, 8
# The units and the label lose their ends first where a terminal is narrow.
_MAY_SHRINK = (2, 0, 3)
_WAYS_TO_END = {
    "finished": "green",
    "time": "green",
    "optimal": "green",
    "restored": "green",
    "skipped": "yellow",
    "stopped": "yellow",
}


@dataclass(slots=True)
class _Row:
    """What the display says of one stage."""

    label: str
    units: str = ""
    progress: float = 0.0
    seconds: float | None = None
    cost: str = ""
    violations: str = ""
    ended_by: str | None = None


class RichDisplay(Display):
    """Progress in a terminal: a bar for the run, and below it a row for each stage.

    Other prints to the terminal go above it.

    Parameters
    ----------
    stream
        The terminal; where it is none, only the final state is printed.
    """

    interval: ClassVar[float] = 0.5

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console

        self._console = Console(file=stream)
        self._live: Any = None
        self._title = ""
        self._outcome: str | None = None
        self._rows: dict[str | None, _Row] = {}
        self._began_at = 0.0

    def begin(self, title: str, stages: Sequence[Mapping[str, Any]]) -> None:
        from rich.live import Live

        self._title = title
        self._outcome = None
        self._rows = {stage["name"]: _Row(stage["label"]) for stage in stages}
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            # Prints that go elsewhere, into a file, say, must not be drawn here.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
            vertical_overflow="visible",
        )
        self._live.start()

    def begin_stage(self, stage: str) -> None:
        pass

    def update(self, snapshot: Snapshot) -> None:
        row = self._rows.get(snapshot.stage)
        if row is not None and row.ended_by is None:
            self._fill(row, snapshot)
            row.progress = snapshot.stage_progress
        self._draw(snapshot)

    def end_stage(self, snapshot: Snapshot, seconds: float, ended_by: str) -> None:
        row = self._rows.get(snapshot.stage)
        if row is not None:
            self._fill(row, snapshot)
            row.progress = share_at_end(snapshot, ended_by)
            row.seconds = seconds
            row.ended_by = ended_by
        self._draw(snapshot)

    def end(self, snapshot: Snapshot, outcome: str) -> None:
        row = self._rows.get(snapshot.stage)
        if row is not None and row.ended_by is None:
            self._fill(row, snapshot)
            row.ended_by = snapshot.status
        self._outcome = outcome
        self._draw(snapshot)
        if self._live is not None:
            self._live.stop()
            self._live = None
            if not self._console.is_terminal:
                self._console.line()

    def _fill(self, row: _Row, snapshot: Snapshot) -> None:
        row.units = count_text(snapshot)
        if snapshot.cost is not None:
            row.cost = format_number(snapshot.cost)
            row.violations = format_number(snapshot.violations)

    def _draw(self, snapshot: Snapshot) -> None:
        if self._live is not None:
            self._live.update(self._lines(snapshot), refresh=True)

    def _lines(self, snapshot: Snapshot) -> "Group":
        """Return all rows; a table of rich's takes four times as long to draw."""
        from rich.cells import cell_len
        from rich.console import Group

        lines = [self._run_line(snapshot)]
        for name, row in self._rows.items():
            running = name == snapshot.stage and row.ended_by is None
            lines.append(_stage_line(row, running))
        width = min(self._console.width, _WIDEST)
        widths = [max(cell_len(line.cells[i]) for line in lines) for i in range(len(_COLUMNS))]
        bar = _fit(widths, width)
        return Group(*[self._laid_out(line, widths, bar) for line in lines])

    def _run_line(self, snapshot: Snapshot) -> "_Line":
        left = "" if snapshot.eta is None or self._outcome else f"ETA {format_eta(snapshot.eta)}"
        best = snapshot.cost is not None
        return _Line(
            cells=(
                self._title,
                _percent(snapshot.progress),
                left or self._outcome or snapshot.status,
                format_seconds(snapshot.elapsed),
                f"cost {format_number(snapshot.cost)}" if best else "",
                f"viol. {snapshot.violations}" if best else "",
            ),
            progress=snapshot.progress,
            style=_style(snapshot.status),
            label_style="bold",
            best_style="bold",
        )

    def _laid_out(self, line: "_Line", widths: Sequence[int], bar: int) -> "Text":
        from rich.text import Text

        styles = (line.label_style, "", line.style, "", line.best_style, line.best_style)
        text = Text(no_wrap=True, overflow="ellipsis")
        for i, (cell, justify) in enumerate(zip(line.cells, _COLUMNS, strict=True)):
            if i == 1:
                text.append_text(self._bar(line.progress, bar, line.style)).append(_GAP)
            part = Text(cell, styles[i])
            part.truncate(widths[i], overflow="ellipsis")
            part.align(justify, widths[i])
            text.append_text(part).append(_GAP)
        text.rstrip()
        return text

    def _bar(self, progress: float, width: int, style: str) -> "Text":
        from rich.text import Text

        plain = self._console.options.ascii_only
        full, half = ("-", " ") if plain else ("━", "╸")
        halves = int(2 * width * min(max(progress, 0.0), 1.0))
        done = full * (halves // 2) + half * (halves % 2)
        colours = self._console.color_system is not None and not self._console.no_color
        rest = (full if colours else " ") * (width - len(done))
        return Text.assemble((done, style), (rest, "bar.back"))


@dataclass(frozen=True, slots=True)
class _Line:
    """What stands in one line of the display."""

    cells: tuple[str, ...]
    progress: float
    style: str
    label_style: str = ""
    best_style: str = ""


def _stage_line(row: _Row, running: bool) -> _Line:
    word = row.ended_by if row.ended_by not in (None, "finished") else ""
    begun = running or row.ended_by is not None
    return _Line(
        cells=(
            f"  {row.label}",
            _percent(row.progress) if begun else "",
            f"{row.units} {word}".strip(),
            "" if row.seconds is None else format_seconds(row.seconds),
            row.cost,
            row.violations,
        ),
        progress=row.progress,
        style=_style(row.ended_by) if row.ended_by else "cyan",
        label_style="" if begun else "dim",
    )


def _fit(widths: list[int], width: int) -> int:
    """Return how wide the bars are, making columns narrower where there is no room for them."""
    missing = _NARROWEST_BAR + sum(widths) + len(_GAP) * len(widths) - width
    for column in _MAY_SHRINK:
        less = max(0, min(missing, widths[column] - _NARROWEST_CELL))
        widths[column] -= less
        missing -= less
    return _NARROWEST_BAR + max(0, -missing)


def _style(status: str | None) -> str:
    if status in ("running", "paused", None):
        return "cyan"
    return _WAYS_TO_END.get(status, "red")


def _percent(progress: float) -> str:
    # Rounded down: 100 % is for what has ended.
    return f"{int(progress * 100)} %"
