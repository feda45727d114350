"""The hard rules that need no distribution: times, rooms and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...ragged import ranges
from .placed_classes import PlacedClasses

if TYPE_CHECKING:
    from ..model.solution import Solution


def without_time(placed: PlacedClasses) -> NDArray[np.int64]:
    """Find the classes that have no time."""
    return np.flatnonzero(~placed.placed)


def room_penalties(solution: Solution) -> NDArray[np.int64]:
    """Return the penalty of each class's room; -1 where it is none of the class's rooms.

    A class that needs no room and has none has 0.
    """
    tables = solution.instance.tables
    n, n_rooms = len(solution.rooms), len(solution.instance.rooms)
    owner = np.repeat(np.arange(n), np.diff(tables.room_starts))
    keys = owner * n_rooms + tables.room
    order = np.argsort(keys)
    wanted = np.arange(n) * n_rooms + solution.rooms
    penalties = np.full(n, -1)
    if len(keys):
        at = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
        listed = (keys[order[at]] == wanted) & (solution.rooms >= 0)
        penalties[listed] = tables.room_penalty[order[at]][listed]
    needs_none = np.diff(tables.room_starts) == 0
    penalties[needs_none & (solution.rooms < 0)] = 0
    return penalties


def closed_meetings(placed: PlacedClasses, solution: Solution) -> NDArray[np.int64]:
    """Find the classes in a room while it is closed.

    Returns
    -------
    array
        Rows ``(class, closed time)``, shape (n, 2): the position of the closed time among
        all of the instance's tables.
    """
    tables = solution.instance.tables
    classes = np.flatnonzero(placed.placed & (placed.room >= 0))
    first = tables.closed_starts[:-1][placed.room[classes]]
    sizes = np.diff(tables.closed_starts)[placed.room[classes]]
    k = np.repeat(classes, sizes)
    t = ranges(first, sizes)
    meet = (placed.days[k] & tables.closed_days[t]) != 0
    meet &= (placed.weeks[k] & tables.closed_weeks[t]) != 0
    meet &= (placed.start[k] < tables.closed_end[t]) & (tables.closed_start[t] < placed.end[k])
    return np.stack([k[meet], t[meet]], axis=1).astype(np.int64)


def room_conflicts(placed: PlacedClasses) -> NDArray[np.int64]:
    """Find the pairs of classes that overlap in one room.

    Returns
    -------
    array
        Rows ``(class, class)``, shape (n, 2), the first below the second.
    """
    found = [np.empty((0, 2), np.int64)]
    classes = np.flatnonzero(placed.placed & (placed.room >= 0))
    in_order = classes[np.argsort(placed.room[classes], kind="stable")]
    borders = np.flatnonzero(np.diff(placed.room[in_order])) + 1
    for there in np.split(in_order, borders):
        for k, one in enumerate(there[:-1]):
            others = there[k + 1 :]
            others = others[placed.overlap(np.full(len(others), one), others)]
            found.append(np.stack([np.full(len(others), one), others], axis=1))
    return np.concatenate(found)


def crowded(solution: Solution) -> NDArray[np.int64]:
    """Return how many students each class has beyond its limit, shape (n_classes,)."""
    tables = solution.instance.tables
    attend = np.bincount(solution.enrolments[:, 1], minlength=len(tables.limit))
    return np.maximum(attend - tables.limit, 0)
