"""How long a stage of an earlier run took."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

POINTS = 21
"""Points of a stage's curve: 0 %, 5 % … 100 % of its units."""

# A stage that took so much of its budget is taken to spend it all whatever it is.
_SPENDS = 0.9


@dataclass(frozen=True, slots=True)
class StageTiming:
    """How long a stage of an earlier run took, and how its units were spread over that.

    Attributes
    ----------
    units
        Units that it finished.
    budget
        Seconds that it was allowed; None without a limit.
    curve
        Seconds since its beginning when each twentieth of the units was done;
        the last is what the stage took in all.
    total
        Units that it meant to do; None if that was not known.
    """

    units: int
    budget: float | None
    curve: tuple[float, ...]
    total: int | None = None

    @classmethod
    def of(
        cls,
        finished: Sequence[tuple[int, float]],
        seconds: float,
        budget: float | None,
        total: int | None = None,
    ) -> "StageTiming":
        """Make the timing of a stage.

        Parameters
        ----------
        finished
            Units done and the seconds since the stage's beginning, in order.
        seconds
            What the stage took in all.
        budget
            What it was allowed.
        total
            Units that it meant to do.
        """
        units = finished[-1][0] if finished else 0
        points = [(0, 0.0), *finished]
        curve = [_interpolated(points, units * i / (POINTS - 1)) for i in range(POINTS - 1)]
        return cls(units, budget, (*(min(one, seconds) for one in curve), seconds), total)

    @property
    def seconds(self) -> float:
        """What the stage took in all."""
        return self.curve[-1]

    @property
    def spends_budget(self) -> bool:
        """Whether it went on until its time was over."""
        return self.budget is not None and self.seconds >= _SPENDS * self.budget

    def at(self, part: float) -> float:
        """Return the seconds from the stage's beginning until a part of its units was done."""
        place = min(max(part, 0.0), 1.0) * (POINTS - 1)
        before = min(int(place), POINTS - 2)
        low, high = self.curve[before], self.curve[before + 1]
        return low + (high - low) * (place - before)


def _interpolated(points: Sequence[tuple[int, float]], units: float) -> float:
    """Return when so many units were done."""
    after = bisect_right(points, units, key=lambda point: point[0])
    if after == len(points):
        return points[-1][1]
    (done, begin), (later, end) = points[after - 1], points[after]
    return begin + (end - begin) * (units - done) / (later - done)


def is_rising(curve: Sequence[float]) -> bool:
    """Tell whether each point is at least the one before, and the first at least 0."""
    return curve[0] >= 0 and all(later >= before for before, later in pairwise(curve))
