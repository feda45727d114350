"""A course is spread over enough days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .constraint import Constraint
from .findings import Findings, count_of

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures


def find(placed: PlacedLectures) -> Findings:
    """Find courses that are spread over too few days."""
    wanted = placed.instance.course_min_days
    there = np.count_nonzero(placed.course_days, axis=1)
    below = np.flatnonzero(there < wanted)

    def describe(k: int) -> str:
        c = below[k]
        days = count_of(there[c], "working day")
        return f"course {placed.course(c)} has {days} instead of {wanted[c]}"

    return Findings((wanted - there)[below], describe)


MIN_WORKING_DAYS = Constraint("MinWorkingDays", find)
