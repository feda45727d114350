"""Progress in a terminal, drawn by rich."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from .display import Display, count_text, format_eta, share_at_end
from .formatting import format_number, format_seconds
from .snapshot import Snapshot

if TYPE_CHECKING:
    from rich.table import Table

_WIDEST = 110
_WAYS_TO_END = {
    "finished": "green",
    "time": "green",
    "optimal": "green",
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

    interval: ClassVar[float] = 0.25

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

    def _fill(self, row: _Row, snapshot: Snapshot) -> None:
        row.units = count_text(snapshot)
        if snapshot.cost is not None:
            row.cost = format_number(snapshot.cost)
            row.violations = format_number(snapshot.violations)

    def _draw(self, snapshot: Snapshot) -> None:
        if self._live is not None:
            self._live.update(self._table(snapshot), refresh=True)

    def _table(self, snapshot: Snapshot) -> "Table":
        from rich.table import Table

        table = Table.grid(padding=(0, 2, 0, 0))
        table.width = min(self._console.width, _WIDEST)
        table.expand = True
        table.add_column(no_wrap=True)
        table.add_column(ratio=1, min_width=8)
        for justify in ("right", "left", "right", "right", "right"):
            table.add_column(justify=justify, no_wrap=True)
        self._add_run(table, snapshot)
        for name, row in self._rows.items():
            self._add_row(table, row, running=name == snapshot.stage and row.ended_by is None)
        return table

    def _add_run(self, table: "Table", snapshot: Snapshot) -> None:
        style = _style(snapshot.status)
        status = self._outcome or snapshot.status
        left = "" if snapshot.eta is None or self._outcome else f"ETA {format_eta(snapshot.eta)}"
        best = snapshot.cost is not None
        table.add_row(
            f"[bold]{_escaped(self._title)}",
            _bar(snapshot.progress, style),
            _percent(snapshot.progress),
            f"[{style}]{_escaped(left or status)}",
            format_seconds(snapshot.elapsed),
            f"[bold]cost {format_number(snapshot.cost)}" if best else "",
            f"[bold]viol. {snapshot.violations}" if best else "",
        )

    def _add_row(self, table: "Table", row: _Row, running: bool) -> None:
        style = _style(row.ended_by) if row.ended_by else "cyan"
        dim = "" if running or row.ended_by else "[dim]"
        word = row.ended_by if row.ended_by not in (None, "finished") else ""
        table.add_row(
            f"{dim}  {_escaped(row.label)}",
            _bar(row.progress, style),
            _percent(row.progress) if running or row.ended_by else "",
            f"{_escaped(row.units)} [{style}]{word}",
            "" if row.seconds is None else format_seconds(row.seconds),
            row.cost,
            row.violations,
        )


def _style(status: str | None) -> str:
    if status in ("running", "paused", None):
        return "cyan"
    return _WAYS_TO_END.get(status, "red")


def _bar(progress: float, style: str) -> Any:
    from rich.progress_bar import ProgressBar

    return ProgressBar(total=1.0, completed=progress, complete_style=style, finished_style=style)


def _percent(progress: float) -> str:
    # Rounded down: 100 % is for what has ended.
    return f"{int(progress * 100)} %"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
