"""The classes of a solution where they have been put."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..model.solution import Solution


@dataclass(frozen=True, eq=False)
class PlacedClasses:
    """Time and room of each class as arrays of shape (n_classes,).

    Attributes
    ----------
    placed
        Whether the class has a time.
    days, weeks, start, end
        Its time; 0 without one.
    room
        Its room; -1 for none.
    travel
        Slots between rooms, which -1 reaches too; see `Tables`.
    """

    placed: NDArray[np.bool_]
    days: NDArray[np.int64]
    weeks: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    room: NDArray[np.int64]
    travel: NDArray[np.int32]

    @classmethod
    def of(cls, solution: Solution) -> PlacedClasses:
        """Look up where a solution's classes are."""
        tables = solution.instance.tables
        rows = solution.time_rows
        placed = rows >= 0
        days, weeks, start, end = (
            np.where(placed, column[rows], 0)
            for column in (tables.days, tables.weeks, tables.start, tables.end)
        )
        return cls(placed, days, weeks, start, end, solution.rooms, tables.travel)

    def meet(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which pairs share a day and a week."""
        share_day = (self.days[i] & self.days[j]) != 0
        return share_day & ((self.weeks[i] & self.weeks[j]) != 0)

    def overlap(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which pairs meet and each starts before the other ends."""
        return self.meet(i, j) & (self.start[i] < self.end[j]) & (self.start[j] < self.end[i])

    def apart(
        self, i: NDArray[np.int64], j: NDArray[np.int64], gap: NDArray[np.int32] | int
    ) -> NDArray[np.bool_]:
        """Tell which pairs do not meet, or have a gap between them."""
        after = (self.end[i] + gap <= self.start[j]) | (self.end[j] + gap <= self.start[i])
        return ~self.meet(i, j) | after

    def attendable(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which pairs somebody can attend, travel included."""
        return self.apart(i, j, self.travel[self.room[i], self.room[j]])
