"""Lectures of a curriculum stand beside one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .constraint import Constraint
from .findings import Findings

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures


def find(placed: PlacedLectures) -> Findings:
    """Find lectures of curricula with no neighbour of the curriculum on their day."""
    counts = placed.curriculum_counts
    padded = np.pad(counts > 0, ((0, 0), (0, 0), (1, 1)))
    alone = (counts > 0) & ~padded[:, :, :-2] & ~padded[:, :, 2:]
    curricula, days, timeslots = np.nonzero(alone)

    def describe(k: int) -> str:
        return (
            f"curriculum {placed.curriculum(curricula[k])} has an isolated lecture on "
            f"day {days[k]}, timeslot {timeslots[k]}"
        )

    return Findings(counts[alone], describe)


ISOLATED_LECTURES = Constraint("IsolatedLectures", find)
