"""A run as a notebook shows it."""

from base64 import b64encode
from math import isfinite
from pathlib import Path
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from ...callbacks.formatting import format_number, format_seconds
from ...callbacks.vocabulary import FAILED, FINISHED
from ...stages.files.templates import render
from .cost_chart import cost_chart
from .stage_record import infeasible_words, stage_rows

if TYPE_CHECKING:
    from .run import Run

_TEMPLATE = Path(__file__).with_name("run.html")
_MOST_LETTERS = 300
_TONES = {FINISHED: "#12805c", FAILED: "#c62a3b"}
_OTHER_TONE = "#9a5b00"


def run_html(run: "Run") -> str:
    """Return status, best, curve, stages and solution of a run as a piece of HTML.

    It has neither scripts nor style sheets, and its picture is an image, since a
    notebook that is not trusted would lose those.
    """
    head, *rows = (tuple(map(_text, row)) for row in stage_rows(run.stages))
    solution, described = _solution(run)
    return render(
        _TEMPLATE,
        job_id=_text(run.job_id),
        tone=_OTHER_TONE if run.violations else _TONES.get(run.status, _OTHER_TONE),
        outcome=_text(run.outcome),
        seconds=format_seconds(run.seconds),
        best=_text(run.best),
        reasons=[_text(infeasible_words(reason)) for reason in run.infeasible_because],
        bad=_TONES[FAILED],
        curve=_curve(run),
        head=head,
        stages=rows,
        solution=solution,
        described=described,
    )


def _curve(run: "Run") -> dict[str, str] | None:
    points = [point for point in run.history.curve() if isfinite(point.cost)]
    if not points:
        return None
    chart = cost_chart(points, run.history.stage_spans())
    first, last = (format_number(point.cost) for point in (points[0], points[-1]))
    words = f"cost {first} at first, {last} at last"
    return {"words": words, "source": b64encode(chart.encode()).decode()}


def _solution(run: "Run") -> tuple[str, str]:
    """Ask what is known to present the solution, or the solution itself, or describe it.

    Returns
    -------
    tuple
        A piece of HTML, or a text.
    """
    if run.solution is None:
        return "", ""
    present = run.state.present
    shown: Any = run.solution if present is None else present(run.solution)
    as_html = getattr(shown, "_repr_html_", None)
    if as_html is not None:
        return as_html(), ""
    brief = Repr()
    brief.maxother = brief.maxstring = _MOST_LETTERS
    return "", _text(brief.repr(shown))


def _text(value: str) -> str:
    return value if len(value) <= _MOST_LETTERS else f"{value[:_MOST_LETTERS]}…"
