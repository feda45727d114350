"""A room suits its lectures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .constraint import Constraint
from .findings import Findings, ones, when

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures


def find(placed: PlacedLectures) -> Findings:
    """Find lectures in rooms that do not suit their courses."""
    wrong = np.flatnonzero(~placed.instance.suitable[placed.courses, placed.rooms])

    def describe(k: int) -> str:
        i = wrong[k]
        return (
            f"room {placed.room(placed.rooms[i])} does not suit "
            f"course {placed.course(placed.courses[i])} on {when(placed, i)}"
        )

    return Findings(ones(wrong), describe)


ROOM_SUITABILITY = Constraint("RoomSuitability", find)
