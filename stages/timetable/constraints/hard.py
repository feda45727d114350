"""The constraints that are hard in every formulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .constraint import Constraint
from .findings import Findings, count_of, ones, when

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures

# Cells of the table of conflicts by periods that are looked at in one go.
CHUNK_CELLS = 10_000_000


def find_lectures(placed: PlacedLectures) -> Findings:
    """Find lectures that are missing or too many.

    Lectures of a course in one period count as one.
    """
    wanted = placed.instance.course_lectures
    there = np.count_nonzero(placed.occupied, axis=1)
    wrong = np.flatnonzero(there != wanted)

    def describe(k: int) -> str:
        c = wrong[k]
        periods = count_of(there[c], "period")
        return f"course {placed.course(c)} is taught in {periods} instead of {wanted[c]}"

    return Findings(np.abs(there - wanted)[wrong], describe)


def find_conflicts(placed: PlacedLectures) -> Findings:
    """Find pairs of courses with a common teacher or curriculum in one period."""
    instance = placed.instance
    left = np.repeat(np.arange(instance.n_courses), np.diff(instance.conflict_starts))
    once = left < instance.conflict_courses
    pairs = np.stack([left[once], instance.conflict_courses[once]])
    chunk = max(1, CHUNK_CELLS // instance.n_periods)
    parts = []
    for low in range(0, pairs.shape[1], chunk):
        first, second = pairs[:, low : low + chunk]
        pair, period = np.nonzero(placed.occupied[first] & placed.occupied[second])
        parts.append(np.stack([first[pair], second[pair], period]))
    found = np.concatenate(parts, axis=1) if parts else np.empty((3, 0), np.int64)

    def describe(k: int) -> str:
        c, d, period = found[:, k].tolist()
        return (
            f"courses {placed.course(c)} and {placed.course(d)} meet on {placed.when(period)} "
            f"and share {_shared(placed, c, d)}"
        )

    return Findings(ones(found[0]), describe)


def _shared(placed: PlacedLectures, c: int, d: int) -> str:
    """Tell in words what makes two courses conflict."""
    courses = placed.instance.courses
    if courses[c].teacher == courses[d].teacher:
        return f"teacher {courses[c].teacher}"
    starts, curricula = placed.instance.course_curricula_starts, placed.instance.course_curricula
    of_c, of_d = (curricula[starts[i] : starts[i + 1]] for i in (c, d))
    common = np.intersect1d(of_c, of_d)
    more = f" and {len(common) - 1} more" if len(common) > 1 else ""
    return f"curriculum {placed.curriculum(common[0])}{more}"


def find_availability(placed: PlacedLectures) -> Findings:
    """Find lectures in periods that are unavailable to their courses."""
    wrong = np.flatnonzero(~placed.instance.available[placed.courses, placed.periods])

    def describe(k: int) -> str:
        i = wrong[k]
        return f"course {placed.course(placed.courses[i])} is unavailable on {when(placed, i)}"

    return Findings(ones(wrong), describe)


def find_room_occupancy(placed: PlacedLectures) -> Findings:
    """Find lectures beyond the first in one room and period."""
    n_periods = placed.instance.n_periods
    keys = placed.rooms.astype(np.int64) * n_periods + placed.periods
    cells, counts = np.unique(keys, return_counts=True)
    crowded = np.flatnonzero(counts > 1)

    def describe(k: int) -> str:
        cell = cells[crowded[k]]
        room, period = divmod(int(cell), n_periods)
        there = placed.courses[np.flatnonzero(keys == cell)]
        names = ", ".join(placed.course(c) for c in there)
        return (
            f"room {placed.room(room)} has {len(there)} lectures on {placed.when(period)}: {names}"
        )

    return Findings(counts[crowded] - 1, describe)


LECTURES = Constraint("Lectures", find_lectures)
CONFLICTS = Constraint("Conflicts", find_conflicts)
AVAILABILITY = Constraint("Availability", find_availability)
ROOM_OCCUPANCY = Constraint("RoomOccupancy", find_room_occupancy)
