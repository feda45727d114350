"""The fall of the cost as a small drawing."""

from collections.abc import Sequence
from html import escape

from ..callbacks.cost_curve import CurvePoint
from ..callbacks.formatting import format_number, format_seconds

_WIDTH, _HEIGHT = 640, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 12, 22, 24
_LETTER = 7
# These can be seen on white and on black alike.
_LINE, _INK, _BAND = "#5b6cf0", "#808898", "#80889826"


def cost_chart(points: Sequence[CurvePoint], stages: Sequence[tuple[str, float, float]]) -> str:
    """Draw when the best cost changed, as an SVG picture.

    Parameters
    ----------
    points
        Where it changed, by time, one or more; see `History.curve`.
    stages
        Name, begin and end of each stage; see `History.stage_spans`.

    Returns
    -------
    str
        The picture, of bounded length whatever the points.
    """
    scale = _Scale(points, stages)
    feasible = next((k for k, point in enumerate(points) if not point.violations), len(points))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12" '
        f'fill="{_INK}">',
        *(_band(scale, k, *stage) for k, stage in enumerate(stages)),
        *_axes(scale),
        # Each step belongs to the point that it starts from.
        _path(scale, points[: feasible + 1], ' stroke-dasharray="2 3"'),
        _path(scale, points[feasible:], ""),
        "</svg>",
    ]
    return "".join(parts)


class _Scale:
    """From seconds and cost to places in the drawing."""

    def __init__(
        self, points: Sequence[CurvePoint], stages: Sequence[tuple[str, float, float]]
    ) -> None:
        ends = [end for _, _, end in stages]
        self.seconds = max(points[-1].elapsed, *ends, 1e-9)
        costs = [point.cost for point in points]
        self.low, self.high = min(costs), max(costs)

    def x(self, seconds: float) -> int:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * seconds / self.seconds)

    def y(self, cost: float) -> int:
        span = self.high - self.low
        share = (cost - self.low) / span if span else 0.5
        return round(_HEIGHT - _BOTTOM - 4 - (_HEIGHT - _TOP - _BOTTOM - 8) * share)


def _band(scale: _Scale, k: int, name: str, begin: float, end: float) -> str:
    left, right = scale.x(begin), scale.x(end)
    parts = []
    if k % 2:
        size = f'width="{right - left}" height="{_HEIGHT - _TOP - _BOTTOM}"'
        parts.append(f'<rect x="{left}" y="{_TOP}" {size} fill="{_BAND}"/>')
    if right - left >= _LETTER * len(name):
        middle = (left + right) // 2
        parts.append(f'<text x="{middle}" y="14" text-anchor="middle">{escape(name)}</text>')
    return "".join(parts)


def _axes(scale: _Scale) -> list[str]:
    bottom = _HEIGHT - _BOTTOM
    corner = f"M{_LEFT} {_TOP}V{bottom}H{_WIDTH - _RIGHT}"
    labels = [(scale.y(cost) + 4, format_number(cost)) for cost in {scale.low, scale.high}]
    return [
        f'<path d="{corner}" fill="none" stroke="{_INK}"/>',
        *(f'<text x="{_LEFT - 6}" y="{y}" text-anchor="end">{text}</text>' for y, text in labels),
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}">0 s</text>',
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 6}" text-anchor="end">'
        f"{format_seconds(scale.seconds)}</text>",
    ]


def _path(scale: _Scale, points: Sequence[CurvePoint], style: str) -> str:
    """Draw steps, at most a few for each column of the drawing."""
    if not points:
        return ""
    columns: dict[int, tuple[float, float, float]] = {}
    for point in points:
        x, cost = scale.x(point.elapsed), point.cost
        low, high, _ = columns.get(x, (cost, cost, cost))
        columns[x] = (min(low, cost), max(high, cost), cost)
    steps = []
    for x, costs in columns.items():
        steps.append(f"H{x}" + "".join(f"V{y}" for y in dict.fromkeys(map(scale.y, costs))))
    start = f"M{scale.x(points[0].elapsed)} {scale.y(points[0].cost)}"
    path = start + "".join(steps)
    return f'<path d="{path}" fill="none" stroke="{_LINE}" stroke-width="2"{style}/>'
