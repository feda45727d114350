"""The constraints, in plain NumPy: the reference for every kernel.

Where a solution has more lectures than it should, each counts as it stands in
every constraint but Lectures. Where lectures of a curriculum clash, each of them
counts in IsolatedLectures, StudentMinMaxLoad and TravelDistance; Windows looks at
which timeslots are occupied.
"""

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .findings import Findings
from .placed_lectures import PlacedLectures

CHUNK_CELLS = 10_000_000
"""Cells of the table of conflicts by periods that are looked at in one go."""


def lectures(placed: PlacedLectures) -> Findings:
    """Find lectures that are missing or too many.

    Lectures of a course in one period count as one.
    """
    wanted = placed.instance.course_lectures
    there = np.count_nonzero(placed.occupied, axis=1)
    wrong = np.flatnonzero(there != wanted)

    def describe(k: int) -> str:
        c = wrong[k]
        periods = _count(there[c], "period")
        return f"course {placed.course(c)} is taught in {periods} instead of {wanted[c]}"

    return Findings(np.abs(there - wanted)[wrong], describe)


def conflicts(placed: PlacedLectures) -> Findings:
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

    return Findings(_ones(found[0]), describe)


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


def availability(placed: PlacedLectures) -> Findings:
    """Find lectures in periods that are unavailable to their courses."""
    wrong = np.flatnonzero(~placed.instance.available[placed.courses, placed.periods])

    def describe(k: int) -> str:
        i = wrong[k]
        return f"course {placed.course(placed.courses[i])} is unavailable on {_when(placed, i)}"

    return Findings(_ones(wrong), describe)


def room_occupancy(placed: PlacedLectures) -> Findings:
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


def room_capacity(placed: PlacedLectures) -> Findings:
    """Find lectures with more students than seats."""
    students = placed.instance.course_students[placed.courses].astype(np.int64)
    seats = placed.instance.room_capacity[placed.rooms]
    full = np.flatnonzero(students > seats)

    def describe(k: int) -> str:
        i = full[k]
        return (
            f"room {placed.room(placed.rooms[i])} has {_count(seats[i], 'seat')} for "
            f"{_count(students[i], 'student')} of course {placed.course(placed.courses[i])} "
            f"on {_when(placed, i)}"
        )

    return Findings((students - seats)[full], describe)


def min_working_days(placed: PlacedLectures) -> Findings:
    """Find courses that are spread over too few days."""
    wanted = placed.instance.course_min_days
    there = np.count_nonzero(placed.course_days, axis=1)
    below = np.flatnonzero(there < wanted)

    def describe(k: int) -> str:
        c = below[k]
        days = _count(there[c], "working day")
        return f"course {placed.course(c)} has {days} instead of {wanted[c]}"

    return Findings((wanted - there)[below], describe)


def isolated_lectures(placed: PlacedLectures) -> Findings:
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


def windows(placed: PlacedLectures) -> Findings:
    """Find timeslots without a lecture between those of a curriculum's day."""
    occupied = placed.curriculum_counts > 0
    first = occupied.argmax(axis=2)
    last = occupied.shape[2] - 1 - occupied[:, :, ::-1].argmax(axis=2)
    used = np.count_nonzero(occupied, axis=2)
    gaps = np.where(used > 0, last - first + 1 - used, 0)
    curricula, days = np.nonzero(gaps)

    def describe(k: int) -> str:
        q, day = curricula[k], days[k]
        empty = _count(gaps[q, day], "empty timeslot")
        return f"curriculum {placed.curriculum(q)} has {empty} between its lectures on day {day}"

    return Findings(gaps[curricula, days], describe)


def room_stability(placed: PlacedLectures) -> Findings:
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


def student_min_max_load(placed: PlacedLectures) -> Findings:
    """Find days of curricula with too few or too many lectures."""
    low, high = placed.instance.min_load, placed.instance.max_load
    loads = placed.curriculum_counts.sum(axis=2)
    off = np.where(loads > 0, np.maximum(low - loads, 0) + np.maximum(loads - high, 0), 0)
    curricula, days = np.nonzero(off)

    def describe(k: int) -> str:
        q, day = curricula[k], days[k]
        there = _count(loads[q, day], "lecture")
        wanted = f"at least {low}" if loads[q, day] < low else f"at most {high}"
        return f"curriculum {placed.curriculum(q)} has {there} on day {day}, {wanted} wanted"

    return Findings(off[curricula, days], describe)


def travel_distance(placed: PlacedLectures) -> Findings:
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
        changes = _count(pairs[found[k]], "pair")
        return (
            f"curriculum {placed.curriculum(q)} changes buildings after {placed.when(period)} "
            f"({changes} of lectures)"
        )

    return Findings(pairs[found], describe)


def room_suitability(placed: PlacedLectures) -> Findings:
    """Find lectures in rooms that do not suit their courses."""
    wrong = np.flatnonzero(~placed.instance.suitable[placed.courses, placed.rooms])

    def describe(k: int) -> str:
        i = wrong[k]
        return (
            f"room {placed.room(placed.rooms[i])} does not suit "
            f"course {placed.course(placed.courses[i])} on {_when(placed, i)}"
        )

    return Findings(_ones(wrong), describe)


def double_lectures(placed: PlacedLectures) -> Findings:
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
            f"course {placed.course(placed.courses[i])} has a lecture on {_when(placed, i)} in "
            f"room {placed.room(placed.rooms[i])} beside no other of its lectures of that day"
        )

    return Findings(_ones(alone), describe)


def _ones(found: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.ones(len(found), np.int64)


def _count(number: SupportsIndex, noun: str) -> str:
    return f"{number} {noun}" if operator.index(number) == 1 else f"{number} {noun}s"


def _when(placed: PlacedLectures, row: SupportsIndex) -> str:
    return placed.when(placed.periods[row])


CONSTRAINTS: Mapping[str, Callable[[PlacedLectures], Findings]] = MappingProxyType(
    {
        "Lectures": lectures,
        "Conflicts": conflicts,
        "Availability": availability,
        "RoomOccupancy": room_occupancy,
        "RoomCapacity": room_capacity,
        "MinWorkingDays": min_working_days,
        "IsolatedLectures": isolated_lectures,
        "Windows": windows,
        "RoomStability": room_stability,
        "StudentMinMaxLoad": student_min_max_load,
        "TravelDistance": travel_distance,
        "RoomSuitability": room_suitability,
        "DoubleLectures": double_lectures,
    }
)
"""What finds the units of each constraint, by its name."""
