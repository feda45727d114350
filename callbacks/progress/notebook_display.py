"""Progress in a notebook, as one box that the notebook keeps."""

import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..formatting import format_percent, format_seconds
from ..snapshot import Snapshot
from ..vocabulary import stage_end_text
from .display import Display, best_text, count_text, message_text, share_at_end, status_text

_BAR, _DONE, _TRACK = "#5b6cf0", "#2f9e6e", "#80889833"
_CELL = "text-align:left;padding:1px 12px 1px 0;white-space:nowrap"
_BAR_WIDTH = 220
_TEXT_BAR = 20


class _Row:
    """The run, or one of its stages: what is shown of it."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.part = 0.0
        self.text = ""
        self.ended = False

    def show(self, part: float, text: str, ended: bool = False) -> None:
        self.part, self.text, self.ended = part, text, ended


class NotebookDisplay(Display):
    """Progress in a notebook: a box for the run, with a bar for it and for each stage.

    What it shows is an output of the cell, plain HTML and text beside it, that is
    replaced while the run goes on. So it stays in the saved notebook, as it
    was last seen, without a kernel and in whatever the notebook is converted
    to.

    Parameters
    ----------
    job_id
        The run's id, shown in the box's title.
    """

    def __init__(self, job_id: str | None = None) -> None:
        self._job_id = job_id
        self._title = ""
        self._rows: dict[str, _Row] = {}
        self._run = _Row("")
        self._stage: _Row | None = None
        self._running = False
        self._handle: Any = None
        self._shown: dict[str, str] = {}

    def begin(self, title: str, stages: Sequence[Mapping[str, Any]]) -> None:
        from IPython.display import display

        self._title = title if self._job_id is None else f"{title} {self._job_id}"
        self._run = _Row("Whole run")
        self._rows = {stage["name"]: _Row(stage["label"]) for stage in stages}
        for stage in stages:
            if stage.get("restored"):
                self._rows[stage["name"]].show(1.0, "restored", ended=True)
        self._running = True
        self._shown = self._bundle()
        # Here, in the thread that runs the cell, the notebook knows whose output it is.
        self._handle = display(self._shown, raw=True, display_id=True)

    def begin_stage(self, stage: str) -> None:
        self._stage = self._rows.setdefault(stage, _Row(stage))

    def update(self, snapshot: Snapshot) -> None:
        if self._stage is not None:
            told = message_text(snapshot, self._stage.label) or count_text(snapshot)
            self._stage.show(snapshot.stage_progress, told)
        self._show_run(snapshot, status_text(snapshot))

    def end_stage(
        self, snapshot: Snapshot, seconds: float, ended_by: str, stopped_by: str | None = None
    ) -> None:
        if self._stage is not None:
            how = stage_end_text(ended_by, stopped_by, snapshot.done, snapshot.total)
            text = f"{count_text(snapshot)}, {how} in {format_seconds(seconds)}"
            part = share_at_end(snapshot, ended_by, self._stage.part)
            self._stage.show(part, text, ended=True)
            self._stage = None
            self._draw()

    def end(self, snapshot: Snapshot, outcome: str) -> None:
        if self._stage is not None:
            text = f"{count_text(snapshot)}, {outcome}"
            self._stage.show(snapshot.stage_progress, text, ended=True)
            self._stage = None
        self._running = False
        self._show_run(snapshot, f"{outcome} in {format_seconds(snapshot.elapsed)}")

    def _show_run(self, snapshot: Snapshot, text: str) -> None:
        best = best_text(snapshot)
        shown = f"{text}, {best}" if best else text
        self._run.show(snapshot.progress, shown, ended=not self._running)
        self._draw()

    def _draw(self) -> None:
        bundle = self._bundle()
        if bundle != self._shown and self._handle is not None:
            self._shown = bundle
            self._handle.update(bundle, raw=True)

    def _bundle(self) -> dict[str, str]:
        """Return the box as HTML and as text."""
        rows = [self._run, *self._rows.values()]
        # Should the kernel die, the notebook still says until when this was so.
        seen = f"as of {time.strftime('%H:%M:%S')}" if self._running else ""
        table = "".join(_html_row(row, k == 0) for k, row in enumerate(rows))
        head = f'<b>{escape(self._title)}</b> <span style="color:#808898">{seen}</span>'
        width = max(len(row.label) for row in rows)
        lines = [f"{self._title} {seen}".rstrip(), *(_text_row(row, width) for row in rows)]
        return {
            "text/html": f"<div>{head}<table>{table}</table></div>",
            "text/plain": "\n".join(lines),
        }


def _html_row(row: _Row, is_run: bool) -> str:
    color = _DONE if row.ended and row.part >= 1.0 else _BAR
    percent = format_percent(row.part, 1 if is_run else 0)
    bar = (
        f'<div style="width:{_BAR_WIDTH}px;height:10px;background:{_TRACK};border-radius:5px">'
        f'<div style="width:{row.part * _BAR_WIDTH:.0f}px;height:10px;background:{color};'
        'border-radius:5px"></div></div>'
    )
    cells = (escape(row.label), bar, percent, escape(row.text))
    return "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"


def _text_row(row: _Row, width: int) -> str:
    full = round(row.part * _TEXT_BAR)
    bar = "#" * full + "." * (_TEXT_BAR - full)
    return f"{row.label:<{width}} [{bar}] {100 * row.part:5.1f} % {row.text}".rstrip()
