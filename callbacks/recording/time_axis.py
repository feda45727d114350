"""The axis of time under the curve of a cost: where it begins, and where its labels stand."""

from collections.abc import Sequence

from .cost_curve import CurvePoint

# A wait for the first solution is left out where it is so much of the axis.
_MOST_BLANK = 0.2
# What is left of it, in parts of the rest.
_MARGIN = 0.05


def shown_from(points: Sequence[CurvePoint], end: float) -> float:
    """Return from which second on to draw a curve.

    It is 0 unless a long wait without a solution, the first compilation on a
    machine say, would push the curve to the edge.
    """
    first = points[0].elapsed if points else 0.0
    if first <= _MOST_BLANK * end:
        return 0.0
    return max(0.0, first - _MARGIN * max(end - first, 0.01 * end))


def left_out(spans: Sequence[tuple[str, float, float]], begin: float) -> list[str]:
    """Return the names of the stages that were over before an axis begins."""
    return [name for name, _, end in spans if end <= begin]


def spread(
    centres: Sequence[float], widths: Sequence[float], low: float, high: float
) -> list[float]:
    """Move labels aside, as little as an order from left to right allows, so that none overlap.

    Parameters
    ----------
    centres
        Where each label would like its middle, rising.
    widths
        How wide each is, space included; all together no more than there is.
    low, high
        Between what they stand.
    """
    places: list[float] = []
    edge = low
    for centre, width in zip(centres, widths, strict=True):
        places.append(max(centre, edge + width / 2))
        edge = places[-1] + width / 2
    edge = high
    for k in reversed(range(len(places))):
        places[k] = min(places[k], edge - widths[k] / 2)
        edge = places[k] - widths[k] / 2
    return places
