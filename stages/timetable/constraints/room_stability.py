"""A course keeps its room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .constraint import Constraint
from .findings import Findings

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures


def find(placed: PlacedLectures) -> Findings:
    """Find rooms beyond the first of each course."""
    n_rooms = placed.instance.n_rooms
    used = np.unique(placed.courses.astype(np.int64) * n_rooms + placed.rooms)
    counts = np.bincount(used // n_rooms, minlength=placed.instance.n_courses)
    moving = np.flatnonzero(counts > 1)

    def describe(k: int) -> str:
        c = moving[k]
        first = np.searchsorted(used, c * n_rooms)
        names = ", ".join(placed.room(r % n_rooms) for r in used[first : first + counts[c]])
        return f"course {placed.course(c)} uses {counts[c]} rooms: {names}"

    return Findings(counts[moving] - 1, describe)


ROOM_STABILITY = Constraint("RoomStability", find)
