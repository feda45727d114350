"""A run as a notebook shows it."""

from base64 import b64encode
from html import escape
from math import isfinite
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from ...callbacks.formatting import format_number, format_seconds
from .cost_chart import cost_chart
from .run import infeasible_words, stage_rows

if TYPE_CHECKING:
    from .run import Run

_LEFT = "text-align:left"
_MOST_LETTERS = 300
_TONES = {"finished": "#12805c", "failed": "#c62a3b"}
_OTHER_TONE = "#9a5b00"


def run_html(run: "Run") -> str:
    """Return status, best, curve, stages and solution of a run as a piece of HTML.

    It has neither scripts nor style sheets, and its picture is an image, since a
    notebook that is not trusted would lose those.
    """
    return f"<div>{_head(run)}{_curve(run)}{_stages(run)}{_solution(run)}</div>"


def _head(run: "Run") -> str:
    tone = _OTHER_TONE if run.violations else _TONES.get(run.status, _OTHER_TONE)
    outcome = f'<b style="color:{tone}">{_text(run.outcome)}</b>'
    head = f"Run {_text(run.job_id)}: {outcome} in {format_seconds(run.seconds)}"
    reasons = "".join(
        f'<br><span style="color:{_TONES["failed"]}">{_text(infeasible_words(reason))}</span>'
        for reason in run.infeasible_because
    )
    return f"<p>{head}<br><b>{_text(run.best)}</b>{reasons}</p>"


def _curve(run: "Run") -> str:
    points = [point for point in run.history.curve() if isfinite(point.cost)]
    if not points:
        return ""
    chart = cost_chart(points, run.history.stage_spans())
    source = b64encode(chart.encode()).decode()
    words = (
        f"cost {format_number(points[0].cost)} at first, {format_number(points[-1].cost)} at last"
    )
    return f'<img alt="{words}" src="data:image/svg+xml;base64,{source}">'


def _stages(run: "Run") -> str:
    head, *rows = stage_rows(run.stages)
    if not rows:
        return ""
    table = _row(head, "th") + "".join(_row(row, "td") for row in rows)
    return f"<details><summary>Stages</summary><table>{table}</table></details>"


def _row(cells: tuple[str, ...], tag: str) -> str:
    row = "".join(f'<{tag} style="{_LEFT}">{_text(cell)}</{tag}>' for cell in cells)
    return f"<tr>{row}</tr>"


def _solution(run: "Run") -> str:
    """Ask what is known to present the solution, or the solution itself, or describe it."""
    if run.solution is None:
        return ""
    present = run.state.present
    shown: Any = run.solution if present is None else present(run.solution)
    as_html = getattr(shown, "_repr_html_", None)
    if as_html is not None:
        return as_html()
    brief = Repr()
    brief.maxother = brief.maxstring = _MOST_LETTERS
    return f"<pre>{_text(brief.repr(shown))}</pre>"


def _text(value: str) -> str:
    return escape(value if len(value) <= _MOST_LETTERS else f"{value[:_MOST_LETTERS]}…")
