"""Lectures of a course on one day are doubles, where it asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .constraint import Constraint
from .findings import Findings, ones, when

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures


def find(placed: PlacedLectures) -> Findings:
    """Find lectures that should follow another one of their day in its room and do not."""
    instance = placed.instance
    asking = np.flatnonzero(instance.course_double[placed.courses])
    courses = placed.courses[asking].astype(np.int64)
    days, timeslots = np.divmod(placed.periods[asking], instance.periods_per_day)
    _, day_of, sizes = np.unique(
        courses * instance.days + days, return_inverse=True, return_counts=True
    )
    # A timeslot that does not exist keeps the last of a day from the first of the next.
    slots = instance.periods_per_day + 1
    cells = (courses * instance.n_rooms + placed.rooms[asking]) * instance.days + days
    keys = cells * slots + timeslots
    paired = np.isin(keys - 1, keys) | np.isin(keys + 1, keys)
    alone = asking[(sizes[day_of.reshape(-1)] > 1) & ~paired]

    def describe(k: int) -> str:
        i = alone[k]
        return (
            f"course {placed.course(placed.courses[i])} has a lecture on {when(placed, i)} in "
            f"room {placed.room(placed.rooms[i])} beside no other of its lectures of that day"
        )

    return Findings(ones(alone), describe)


DOUBLE_LECTURES = Constraint("DoubleLectures", find)
