"""A lecture's students have seats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .constraint import Constraint
from .findings import Findings, count_of, when

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures


def find(placed: PlacedLectures) -> Findings:
    """Find lectures with more students than seats."""
    students = placed.instance.course_students[placed.courses].astype(np.int64)
    seats = placed.instance.room_capacity[placed.rooms]
    full = np.flatnonzero(students > seats)

    def describe(k: int) -> str:
        i = full[k]
        return (
            f"room {placed.room(placed.rooms[i])} has {count_of(seats[i], 'seat')} for "
            f"{count_of(students[i], 'student')} of course {placed.course(placed.courses[i])} "
            f"on {when(placed, i)}"
        )

    return Findings((students - seats)[full], describe)


ROOM_CAPACITY = Constraint("RoomCapacity", find)
