"""A curriculum's day has no free timeslots between lectures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .constraint import Constraint
from .findings import Findings, count_of

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures


def find(placed: PlacedLectures) -> Findings:
    """Find timeslots without a lecture between those of a curriculum's day."""
    occupied = placed.curriculum_counts > 0
    first = occupied.argmax(axis=2)
    last = occupied.shape[2] - 1 - occupied[:, :, ::-1].argmax(axis=2)
    used = np.count_nonzero(occupied, axis=2)
    gaps = np.where(used > 0, last - first + 1 - used, 0)
    curricula, days = np.nonzero(gaps)

    def describe(k: int) -> str:
        q, day = curricula[k], days[k]
        empty = count_of(gaps[q, day], "empty timeslot")
        return f"curriculum {placed.curriculum(q)} has {empty} between its lectures on day {day}"

    return Findings(gaps[curricula, days], describe)


WINDOWS = Constraint("Windows", find)
