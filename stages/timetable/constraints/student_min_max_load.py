"""A curriculum has neither too few nor too many lectures a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .constraint import Constraint
from .findings import Findings, count_of

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures


def find(placed: PlacedLectures) -> Findings:
    """Find days of curricula with too few or too many lectures."""
    low, high = placed.instance.min_load, placed.instance.max_load
    loads = placed.curriculum_counts.sum(axis=2)
    off = np.where(loads > 0, np.maximum(low - loads, 0) + np.maximum(loads - high, 0), 0)
    curricula, days = np.nonzero(off)

    def describe(k: int) -> str:
        q, day = curricula[k], days[k]
        there = count_of(loads[q, day], "lecture")
        wanted = f"at least {low}" if loads[q, day] < low else f"at most {high}"
        return f"curriculum {placed.curriculum(q)} has {there} on day {day}, {wanted} wanted"

    return Findings(off[curricula, days], describe)


STUDENT_MIN_MAX_LOAD = Constraint("StudentMinMaxLoad", find)
