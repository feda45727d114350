"""A curriculum changes buildings between two lectures as seldom as can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .constraint import Constraint
from .findings import Findings, count_of

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures


def find(placed: PlacedLectures) -> Findings:
    """Find pairs of a curriculum's lectures, one right after the other, in two buildings."""
    instance = placed.instance
    counts = placed.curriculum_counts
    pairs = np.zeros(counts.shape, np.int64)
    pairs[:, :, :-1] = counts[:, :, :-1] * counts[:, :, 1:]
    pairs = pairs.reshape(-1)
    # From all pairs, take those that stay in a building.
    curricula, rows = placed.of_curricula
    buildings = instance.room_building[placed.rooms].astype(np.int64)
    n_buildings = int(instance.room_building.max()) + 1
    cells = curricula * instance.n_periods + placed.periods[rows]
    keys, here = np.unique(cells * n_buildings + buildings[rows], return_counts=True)
    place = np.minimum(np.searchsorted(keys, keys + n_buildings), max(len(keys) - 1, 0))
    last = keys // n_buildings % instance.periods_per_day == instance.periods_per_day - 1
    stays = (keys[place] == keys + n_buildings) & ~last
    np.subtract.at(pairs, keys[stays] // n_buildings, here[stays] * here[place[stays]])
    found = np.flatnonzero(pairs)

    def describe(k: int) -> str:
        q, period = divmod(int(found[k]), instance.n_periods)
        changes = count_of(pairs[found[k]], "pair")
        return (
            f"curriculum {placed.curriculum(q)} changes buildings after {placed.when(period)} "
            f"({changes} of lectures)"
        )

    return Findings(pairs[found], describe)


TRAVEL_DISTANCE = Constraint("TravelDistance", find)
