"""A run's history drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..background.needing import needing
from ..formatting import format_seconds
from .cost_curve import CurvePoint
from .fonts import use_fonts_that_have_all
from .time_axis import left_out, shown_from, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .history import History

_COLOR, _BAND, _QUIET = "#3f51d9", "#eef0f6", "#667085"
# Share of the width that a letter of a stage's name takes, and the space beside it.
_LETTER, _SPACE = 0.0125, 0.015


def plot_history(history: History, ax: Axes | None = None) -> Axes:
    """Draw a history; see `History.plot`."""
    axes = _new_axes() if ax is None else ax
    points = history.curve()
    feasible = next((k for k, point in enumerate(points) if not point.violations), len(points))
    # Each step belongs to the point that it starts from.
    _steps(axes, points[: feasible + 1], ":", "best so far, with violations")
    _steps(axes, points[feasible:], "-", "best so far")
    spans = history.stage_spans()
    end = max([point.elapsed for point in points] + [end for _, _, end in spans], default=0.0)
    begin = shown_from(points, end)
    if end > begin:
        axes.set_xlim(begin, end + 0.01 * (end - begin))
        _draw_stages(axes, [span for span in spans if span[2] > begin], (begin, end))
    axes.set_xlabel(_seconds_label(left_out(spans, begin), begin))
    axes.set_ylabel("cost")
    if points:
        axes.legend(loc="best", frameon=False)
    use_fonts_that_have_all(axes)
    return axes


def _seconds_label(before: Sequence[str], begin: float) -> str:
    if not begin:
        return "seconds"
    about = f" ({', '.join(before)})" if before else ""
    return f"seconds; the first {format_seconds(begin)}{about} are left out"


def _new_axes() -> Axes:
    with needing("drawing a history", "plot"):
        from matplotlib import pyplot
    return pyplot.subplots(figsize=(8.0, 4.0), layout="constrained")[1]


def _steps(axes: Axes, points: Sequence[CurvePoint], style: str, label: str) -> None:
    if points and (style == "-" or len(points) > 1 or points[0].violations):
        seconds = [point.elapsed for point in points]
        costs = [point.cost for point in points]
        axes.step(seconds, costs, style, where="post", color=_COLOR, linewidth=1.6, label=label)


def _draw_stages(
    axes: Axes, spans: Sequence[tuple[str, float, float]], shown: tuple[float, float]
) -> None:
    """Draw a band for each stage, every other one shaded, and above all of them their names."""
    begin, whole = shown[0], shown[1] - shown[0]
    middles = [(max(left, begin) + right - 2 * begin) / (2 * whole) for _, left, right in spans]
    widths = [_LETTER * len(stage) + _SPACE for stage, _, _ in spans]
    places = spread(middles, widths, 0.0, max(1.0, sum(widths)))
    for k, (stage, left, right) in enumerate(spans):
        if k % 2:
            axes.axvspan(max(left, begin), right, color=_BAND, zorder=0)
        axes.annotate(
            stage,
            xy=(begin + middles[k] * whole, 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(begin + places[k] * whole, 1.03),
            textcoords=axes.get_xaxis_transform(),
            parse_math=False,
            fontsize=9,
            color=_QUIET,
            ha="center",
            va="bottom",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": _QUIET, "linewidth": 0.6, "shrinkB": 0},
        )
