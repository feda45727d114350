"""A run's history drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .cost_curve import CurvePoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .history import History

_COLOR, _BAND, _QUIET = "#3f51d9", "#eef0f6", "#667085"
# Share of the width that a letter of a stage's name takes.
_LETTER = 0.013


def plot_history(history: History, ax: Axes | None = None) -> Axes:
    """Draw a history; see `History.plot`."""
    axes = _new_axes() if ax is None else ax
    points = history.curve()
    feasible = next((k for k, point in enumerate(points) if not point.violations), len(points))
    # Each step belongs to the point that it starts from.
    _steps(axes, points[: feasible + 1], ":", "best so far, with violations")
    _steps(axes, points[feasible:], "-", "best so far")
    _draw_stages(axes, history)
    axes.set_xlabel("seconds")
    axes.set_ylabel("cost")
    axes.margins(x=0.01)
    axes.set_xlim(left=0.0)
    if points:
        axes.legend(loc="upper right", frameon=False)
    return axes


def _new_axes() -> Axes:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            "drawing a history needs matplotlib: pip install 'schoolbell[plot]'"
        ) from error
    return pyplot.subplots(figsize=(8.0, 4.0), layout="constrained")[1]


def _steps(axes: Axes, points: Sequence[CurvePoint], style: str, label: str) -> None:
    if points and (style == "-" or len(points) > 1 or points[0].violations):
        seconds = [point.elapsed for point in points]
        costs = [point.cost for point in points]
        axes.step(seconds, costs, style, where="post", color=_COLOR, linewidth=1.6, label=label)


def _draw_stages(axes: Axes, history: History) -> None:
    """Draw a band for each stage, every other one shaded."""
    spans = history.stage_spans()
    whole = max((end for _, _, end in spans), default=0.0)
    for k, (stage, begin, end) in enumerate(spans):
        if k % 2:
            axes.axvspan(begin, end, color=_BAND, zorder=0)
        if end - begin >= whole * _LETTER * len(stage):
            axes.text(
                (begin + end) / 2,
                1.01,
                stage,
                transform=axes.get_xaxis_transform(),
                parse_math=False,
                fontsize=9,
                color=_QUIET,
                ha="center",
                va="bottom",
            )
