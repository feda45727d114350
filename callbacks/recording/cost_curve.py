"""How a run's best cost changed."""

from collections.abc import Iterable
from typing import NamedTuple

from ..callback import Logs


class CurvePoint(NamedTuple):
    """The best so far from one moment of a run on."""

    elapsed: float
    cost: float
    violations: int


def cost_curve(rows: Iterable[Logs], rising: bool = False) -> list[CurvePoint]:
    """Return where the best of a run changed, and where it stood at the end.

    Parameters
    ----------
    rows
        Logs of batches and of solutions, in any order; those without a cost or a
        time are passed over.
    rising
        Whether a higher cost is better.
    """
    known = [
        CurvePoint(row["elapsed"], row["cost"], row.get("violations") or 0)
        for row in rows
        if row.get("cost") is not None and row.get("elapsed") is not None
    ]
    # At one moment the better one is the later one.
    sign = 1 if rising else -1
    known.sort(key=lambda point: (point.elapsed, -point.violations, sign * point.cost))
    points = known[:1]
    for point in known[1:]:
        if point[1:] != points[-1][1:]:
            points.append(point)
    if points and points[-1] is not known[-1]:
        points.append(known[-1])
    return points
