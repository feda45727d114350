"""Members of a population of timetables."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Individual(NamedTuple):
    """A timetable of a population: periods and rooms of the lectures, and what they cost.

    Attributes
    ----------
    period, room
        Of each lecture, int64 (n_lectures,); -1 without a place.
    violations, cost
        Units of violation, and weighted cost.
    """

    period: NDArray[np.int64]
    room: NDArray[np.int64]
    violations: int
    cost: int

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts the better individual first."""
        return self.violations, self.cost
