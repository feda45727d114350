"""The way of the cost as a small drawing."""

from collections.abc import Sequence
from html import escape

from ...callbacks.formatting import format_number, format_seconds
from ...callbacks.recording.cost_curve import CurvePoint
from ...callbacks.recording.time_axis import left_out, shown_from, spread

_WIDTH, _HEIGHT = 640, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 12, 26, 24
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
        *_bands(scale, [stage for stage in stages if stage[2] > scale.begin]),
        *_axes(scale, left_out(stages, scale.begin)),
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
        #: From which second on the curve is drawn.
        self.begin = shown_from(points, self.seconds)
        costs = [point.cost for point in points]
        self.low, self.high = min(costs), max(costs)

    def x(self, seconds: float) -> int:
        part = max(0.0, seconds - self.begin) / (self.seconds - self.begin)
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * part)

    def y(self, cost: float) -> int:
        span = self.high - self.low
        share = (cost - self.low) / span if span else 0.5
        return round(_HEIGHT - _BOTTOM - 4 - (_HEIGHT - _TOP - _BOTTOM - 8) * share)


def _bands(scale: _Scale, stages: Sequence[tuple[str, float, float]]) -> list[str]:
    """Shade every other stage, and name all of them above, with a line where a name is aside."""
    middles = [(scale.x(begin) + scale.x(end)) // 2 for _, begin, end in stages]
    widths = [_LETTER * (len(name) + 1) for name, _, _ in stages]
    right_edge = max(_WIDTH, _LEFT + sum(widths))
    parts = []
    for k, place in enumerate(spread(middles, widths, _LEFT, right_edge)):
        name, begin, end = stages[k]
        if k % 2:
            left, right = scale.x(begin), scale.x(end)
            size = f'width="{right - left}" height="{_HEIGHT - _TOP - _BOTTOM}"'
            parts.append(f'<rect x="{left}" y="{_TOP}" {size} fill="{_BAND}"/>')
        parts.append(f'<path d="M{place:.0f} 17L{middles[k]} {_TOP}" stroke="{_INK}"/>')
        parts.append(f'<text x="{place:.0f}" y="14" text-anchor="middle">{escape(name)}</text>')
    return parts


def _axes(scale: _Scale, before: Sequence[str]) -> list[str]:
    bottom = _HEIGHT - _BOTTOM
    corner = f"M{_LEFT} {_TOP}V{bottom}H{_WIDTH - _RIGHT}"
    labels = [(scale.y(cost) + 4, format_number(cost)) for cost in {scale.low, scale.high}]
    time = "time"
    if scale.begin:
        about = f" ({', '.join(before)})" if before else ""
        time += f"; the first {format_seconds(scale.begin)}{about} are left out"
    middle = (_TOP + bottom) // 2
    return [
        f'<path d="{corner}" fill="none" stroke="{_INK}"/>',
        *(f'<text x="{_LEFT - 6}" y="{y}" text-anchor="end">{text}</text>' for y, text in labels),
        f'<text transform="translate(12 {middle}) rotate(-90)" text-anchor="middle">cost</text>',
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}">{format_seconds(scale.begin)}</text>',
        f'<text x="{(_LEFT + _WIDTH) // 2}" y="{_HEIGHT - 6}" text-anchor="middle">'
        f"{escape(time)}</text>",
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
