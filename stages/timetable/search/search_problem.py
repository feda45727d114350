"""An instance under a formulation, as the arrays that the kernels read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...search.record import Record
from ..constraints.registry import CONSTRAINTS, cost_in_periods, cost_in_rooms, cost_of_days
from ..errors import InstanceError
from ..model.formulation import Formulation
from ..model.instance import Instance
from ..model.limits import check_timeslots

BITS = 64
"""Bits of a word; a bit stands for a day of the week where a course's days are counted."""

MAX_SLOTS_IN_TABLES = 16
"""Most timeslots of a day whose cost is looked up in tables of 2**timeslots rows."""

MAX_COLUMNS = 4096
"""Most columns of the bit matrix of conflicts, a power of two: its memory grows no faster
than the courses beyond it."""


@dataclass(frozen=True, eq=False)
class SearchProblem(Record):
    """Arrays that describe an instance under a formulation; never written by a kernel.

    Lectures are sorted by course; a period is ``day * timeslots + timeslot``.
    Curricula of the same courses are merged into one with a multiplicity.

    Attributes
    ----------
    starts
        First lecture of each course, int64 (n_courses + 1,).
    course
        Course of each lecture, int64 (n_lectures,).
    students, min_days
        Of each course, int64 (n_courses,).
    double
        Whether the course asks for double lectures, bool (n_courses,).
    capacity, building
        Of each room, int64 (n_rooms,).
    unsuitable
        Whether a room does not suit a course, bool (n_courses, n_rooms);
        (1, 1) if the formulation does not ask.
    available
        Whether a course may be taught in a period, bool (n_courses, n_periods).
    open_starts, open_periods
        The periods available to each course, as CSR int64 and uint16.
    conflict_starts, conflict_courses
        The courses in conflict with each course, without itself, as CSR int64 and
        uint32.
    conflict_bits
        The same as a bit matrix, uint64 (n_courses, words), words a power of two. With
        more than `MAX_COLUMNS` courses, those whose numbers leave the same remainder
        share a column: a bit that is set only says that one of them conflicts.
    closed
        The courses that may not be taught in a period, as bits in the same columns,
        uint64 (n_periods, words); not used where courses share columns.
    curricula_starts, curricula
        The merged curricula of each course, as CSR int64 and uint32, ascending.
    member_starts, members
        The courses of each merged curriculum, as CSR int64 and uint32.
    multiplicity
        How many curricula each merged one stands for, int64 (n_merged,).
    day, slot
        Of each period, int64 (n_periods,).
    by_bits
        1 where a day has too many timeslots for tables of all days, or the week more
        days than a word has bits: then costs are computed from bits, and the five
        arrays that follow are (1,) or (1, 1). Else None.
    column
        Of each period in rows whose days are filled up to whole words of 64 bits, uint32
        (n_periods,).
    day_cost
        Weighted cost of one curriculum's day by the bit mask of its occupied
        timeslots, int64 (2**timeslots,).
    turned
        What turning a timeslot from free to occupied, or back, changes in it, int64
        (2**timeslots, timeslots).
    turned_words
        The same in words that hold several timeslots each, which are added at once,
        int64 (2**timeslots, words); a word is the sum of its timeslots' changes, each
        times two to the bits before it.
    zero
        What stands for 0 in the part of a word that is one timeslot's; of the type of
        such a part: uint16, or wider for weights that need it.
    isolated, windows, load
        Weights of the three constraints in `day_cost`, for days on which two
        lectures of a curriculum clash.
    min_load, max_load
        Bounds on a curriculum's lectures a day.
    slack
        The most that moving a lecture of a course can win beside the days of its
        curricula, its working days and the size of its room, int64 (n_courses,).
    gain
        The most by which moving a lecture of a course can lower the weighted
        cost outside of its room, int64 (n_courses,).
    room_capacity, min_working_days, room_stability, travel_distance,
    double_lectures, room_suitability, hard_suitability
        Weights of the other constraints; None for one that the formulation
        lacks, so that kernels compile without it.
    by_room, by_period, by_day
        1 where the formulation has constraints that are described by tables of rooms, of
        periods and of days, else None; then the arrays that follow are (1, 1) or (1,).
    in_rooms, in_periods
        Weighted cost of a lecture of each course in each room and in each period by these
        constraints, int64 (n_courses, n_rooms) and (n_courses, n_periods).
    of_days
        The part of `day_cost` that such constraints make up, int64 (2**timeslots,).
    """

    starts: NDArray[np.int64]
    course: NDArray[np.int64]
    students: NDArray[np.int64]
    min_days: NDArray[np.int64]
    double: NDArray[np.bool_]
    capacity: NDArray[np.int64]
    building: NDArray[np.int64]
    unsuitable: NDArray[np.bool_]
    available: NDArray[np.bool_]
    open_starts: NDArray[np.int64]
    open_periods: NDArray[np.uint16]
    conflict_starts: NDArray[np.int64]
    conflict_courses: NDArray[np.uint32]
    conflict_bits: NDArray[np.uint64]
    closed: NDArray[np.uint64]
    curricula_starts: NDArray[np.int64]
    curricula: NDArray[np.uint32]
    member_starts: NDArray[np.int64]
    members: NDArray[np.uint32]
    multiplicity: NDArray[np.int64]
    day: NDArray[np.int64]
    slot: NDArray[np.int64]
    by_bits: int | None
    column: NDArray[np.uint32]
    day_cost: NDArray[np.int64]
    turned: NDArray[np.int64]
    turned_words: NDArray[np.int64]
    zero: NDArray[np.unsignedinteger]
    isolated: int
    windows: int
    load: int
    min_load: int
    max_load: int
    slack: NDArray[np.int64]
    gain: NDArray[np.int64]
    room_capacity: int | None
    min_working_days: int | None
    room_stability: int | None
    travel_distance: int | None
    double_lectures: int | None
    room_suitability: int | None
    hard_suitability: int | None
    by_room: int | None
    by_period: int | None
    by_day: int | None
    in_rooms: NDArray[np.int64]
    in_periods: NDArray[np.int64]
    of_days: NDArray[np.int64]


def build_search_problem(instance: Instance, formulation: Formulation) -> SearchProblem:
    """Build the arrays that the kernels read.

    Raises
    ------
    InstanceError
        If a day has more timeslots than the search takes, or takes with a constraint of
        the formulation.
    """
    slots = instance.periods_per_day
    check_timeslots(instance)
    weights = _weights(formulation)
    in_rooms = cost_in_rooms(instance, formulation.weights)
    in_periods = cost_in_periods(instance, formulation.weights)
    by_bits = slots > MAX_SLOTS_IN_TABLES or instance.days > BITS
    of_days = _table_of_days(instance, formulation, by_bits)
    starts, curricula, multiplicity = merge_curricula(instance)
    isolated, windows, load = (
        int(formulation.weights.get(name, 0))
        for name in ("IsolatedLectures", "Windows", "StudentMinMaxLoad")
    )
    counted = count_curricula(starts, curricula, multiplicity)
    if by_bits:
        tables, steepest = _no_tables(), _steepest(instance, isolated, windows, load)
    else:
        day_cost = _day_costs(slots, isolated, windows, load, instance.min_load, instance.max_load)
        day_cost += 0 if of_days is None else of_days
        tables = _tables(instance, day_cost, int(counted.max(initial=0)))
        steepest = int(np.abs(tables["turned"]).max())
    members = np.argsort(curricula, kind="stable")
    asks = weights["room_suitability"] is not None or weights["hard_suitability"] is not None
    return SearchProblem(
        starts=instance.course_starts.astype(np.int64),
        course=instance.lecture_course.astype(np.int64),
        students=instance.course_students.astype(np.int64),
        min_days=instance.course_min_days.astype(np.int64),
        double=instance.course_double,
        capacity=instance.room_capacity.astype(np.int64),
        building=instance.room_building.astype(np.int64),
        unsuitable=np.ascontiguousarray(~instance.suitable) if asks else np.zeros((1, 1), np.bool_),
        available=instance.available,
        open_starts=np.cumsum([0, *instance.available.sum(axis=1)]).astype(np.int64),
        open_periods=np.nonzero(instance.available)[1].astype(np.uint16),
        conflict_starts=instance.conflict_starts.astype(np.int64),
        conflict_courses=instance.conflict_courses.astype(np.uint32),
        conflict_bits=_conflict_bits(instance),
        closed=_closed(instance),
        curricula_starts=starts,
        curricula=curricula.astype(np.uint32),
        member_starts=np.searchsorted(curricula[members], np.arange(len(multiplicity) + 1)),
        members=(np.searchsorted(starts, members, side="right") - 1).astype(np.uint32),
        multiplicity=multiplicity,
        day=np.repeat(np.arange(instance.days), slots),
        slot=np.tile(np.arange(slots), instance.days),
        isolated=isolated,
        windows=windows,
        load=load,
        min_load=instance.min_load,
        max_load=instance.max_load,
        slack=_slacks(instance, weights, counted, in_periods),
        gain=_gains(instance, weights, steepest, counted, in_periods),
        by_room=None if in_rooms is None else 1,
        by_period=None if in_periods is None else 1,
        by_day=None if of_days is None else 1,
        in_rooms=np.zeros((1, 1), np.int64) if in_rooms is None else in_rooms,
        in_periods=np.zeros((1, 1), np.int64) if in_periods is None else in_periods,
        of_days=np.zeros(1, np.int64) if of_days is None else of_days,
        by_bits=tables["by_bits"],
        column=tables["column"],
        day_cost=tables["day_cost"],
        turned=tables["turned"],
        turned_words=tables["turned_words"],
        zero=tables["zero"],
        **weights,
    )


def _weights(formulation: Formulation) -> dict[str, Any]:
    names = {
        "room_capacity": "RoomCapacity",
        "min_working_days": "MinWorkingDays",
        "room_stability": "RoomStability",
        "travel_distance": "TravelDistance",
        "double_lectures": "DoubleLectures",
        "room_suitability": "RoomSuitability",
    }
    weights = {key: int(formulation.weights.get(name, 0)) or None for key, name in names.items()}
    return weights | {"hard_suitability": 1 if "RoomSuitability" in formulation.hard else None}


def _table_of_days(
    instance: Instance, formulation: Formulation, by_bits: bool
) -> NDArray[np.int64] | None:
    """Sum up what the formulation's constraints of days come to, for each mask of timeslots."""
    slots = instance.periods_per_day
    names = [name for name in formulation.weights if CONSTRAINTS[name].of_days is not None]
    if names and by_bits:
        raise InstanceError(
            f"a week of {instance.days} days of {slots} timeslots",
            f"at most {BITS} days of {MAX_SLOTS_IN_TABLES} timeslots, for {names[0]}",
        )
    if not names:
        return None
    mask = np.arange(1 << slots, dtype=np.int64)
    return cost_of_days((mask[:, None] >> np.arange(slots)) & 1 > 0, formulation.weights)


def merge_curricula(
    instance: Instance,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Merge the curricula that have the same courses.

    Returns
    -------
    tuple
        The merged curricula of each course as CSR (starts, curricula), and how
        many curricula each merged one stands for.
    """
    bounds = instance.curriculum_starts
    groups: dict[bytes, int] = {}
    merged = np.empty(instance.n_curricula, np.int64)
    for q in range(instance.n_curricula):
        courses = np.sort(instance.curriculum_courses[bounds[q] : bounds[q + 1]])
        merged[q] = groups.setdefault(courses.tobytes(), len(groups))
    multiplicity = np.bincount(merged, minlength=len(groups)).astype(np.int64)
    course_of = instance.curriculum_courses.astype(np.int64)
    group_of = np.repeat(merged, np.diff(bounds)).astype(np.int64)
    pairs = np.unique(course_of * max(len(groups), 1) + group_of)
    owners, curricula = np.divmod(pairs, max(len(groups), 1))
    starts = np.searchsorted(owners, np.arange(instance.n_courses + 1))
    return starts.astype(np.int64), curricula.astype(np.int64), multiplicity


def count_curricula(
    starts: NDArray[np.int64],
    curricula: NDArray[np.integer],
    multiplicity: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Count the curricula of each course, int64 (n_courses,), from the merged ones."""
    counted = np.concatenate(([0], np.cumsum(multiplicity[curricula])))
    return np.diff(counted[starts])


def _tables(instance: Instance, day_cost: NDArray[np.int64], most: int) -> dict[str, Any]:
    """Build the tables of all days for courses of `most` curricula."""
    turned = _turned(day_cost, instance.periods_per_day)
    zero = _zero(int(np.abs(turned).max()) * most)
    return {
        "by_bits": None,
        "column": _columns(instance.days, instance.periods_per_day, 8 // zero.itemsize),
        "day_cost": day_cost,
        "turned": turned,
        "turned_words": _in_words(turned, zero),
        "zero": zero,
    }


def _no_tables() -> dict[str, Any]:
    return {
        "by_bits": 1,
        "column": np.zeros(1, np.uint32),
        "day_cost": np.zeros(1, np.int64),
        "turned": np.zeros((1, 1), np.int64),
        "turned_words": np.zeros((1, 1), np.int64),
        "zero": np.zeros(1, np.uint64),
    }


def _steepest(instance: Instance, isolated: int, windows: int, load: int) -> int:
    """Bound what one timeslot more or less changes in a day's cost."""
    slots = instance.periods_per_day
    # A lecture joins two that were isolated; or is the first of a day, or as far away as can be.
    by_load = max(1, instance.min_load - 1, 1 - instance.max_load)
    return 2 * isolated + windows * max(slots - 2, 0) + load * by_load


def _day_costs(
    slots: int, isolated: int, windows: int, load: int, min_load: int, max_load: int
) -> NDArray[np.int64]:
    mask = np.arange(1 << slots, dtype=np.int64)
    bits = (mask[:, None] >> np.arange(slots)) & 1
    padded = np.pad(bits, ((0, 0), (1, 1)))
    count = bits.sum(axis=1)
    alone = (bits & (1 - padded[:, :-2]) & (1 - padded[:, 2:])).sum(axis=1)
    first = bits.argmax(axis=1)
    last = slots - 1 - bits[:, ::-1].argmax(axis=1)
    gaps = np.where(count > 0, last - first + 1 - count, 0)
    excess = np.maximum(min_load - count, 0) + np.maximum(count - max_load, 0)
    off_load = np.where(count > 0, excess, 0)
    return (isolated * alone + windows * gaps + load * off_load).astype(np.int64)


def _turned(day_cost: NDArray[np.int64], slots: int) -> NDArray[np.int64]:
    mask = np.arange(1 << slots, dtype=np.int64)[:, None]
    return day_cost[mask ^ (1 << np.arange(slots))] - day_cost[mask]


def _zero(most: int) -> NDArray[np.unsignedinteger]:
    """Choose the narrowest type for numbers up to `most` on either side of 0."""
    for kind in (np.uint16, np.uint32):
        if most < np.iinfo(kind).max // 2:
            return np.array([np.iinfo(kind).max // 2 + 1], kind)
    return np.array([1 << 63], np.uint64)


def _columns(days: int, slots: int, in_word: int) -> NDArray[np.uint32]:
    day_length = -(-slots // in_word) * in_word
    columns = day_length * np.arange(days)[:, None] + np.arange(slots)
    return columns.ravel().astype(np.uint32)


def _in_words(turned: NDArray[np.int64], zero: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
    n_masks, slots = turned.shape
    in_word, bits = 8 // zero.itemsize, 8 * zero.itemsize
    padded = np.zeros((n_masks, -(-slots // in_word), in_word), np.int64)
    padded.reshape(n_masks, -1)[:, :slots] = turned
    return (padded << (bits * np.arange(in_word))).sum(axis=2)


def _conflict_bits(instance: Instance) -> NDArray[np.uint64]:
    rows = np.repeat(np.arange(instance.n_courses), np.diff(instance.conflict_starts))
    return _course_bits(instance, instance.n_courses, rows, instance.conflict_courses)


def _closed(instance: Instance) -> NDArray[np.uint64]:
    periods, courses = np.nonzero(~instance.available.T)
    return _course_bits(instance, instance.n_periods, periods, courses)


def _course_bits(
    instance: Instance, n_rows: int, rows: NDArray[np.integer], courses: NDArray[np.integer]
) -> NDArray[np.uint64]:
    """Set the bits of courses in the rows of a matrix with a column for each course."""
    n_columns = 64
    while n_columns < min(instance.n_courses, MAX_COLUMNS):
        n_columns *= 2
    bits = np.zeros((n_rows, n_columns // 64), np.uint64)
    columns = courses.astype(np.int64) % n_columns
    flags = np.left_shift(np.uint64(1), (columns % 64).astype(np.uint64))
    np.bitwise_or.at(bits, (rows, columns // 64), flags)
    return bits


def _slacks(
    instance: Instance,
    weights: dict[str, int | None],
    counted: NDArray[np.int64],
    in_periods: NDArray[np.int64] | None,
) -> NDArray[np.int64]:
    """Bound what one moved lecture of each course can win beyond what is quick to tell."""
    by_course = 4 * (weights["travel_distance"] or 0) * counted
    by_course += weights["room_stability"] or 0
    lectures = np.where(instance.course_double, instance.course_lectures.astype(np.int64), 0)
    by_course += (weights["double_lectures"] or 0) * lectures
    by_course += _dearest(in_periods)
    return np.minimum(by_course, 2**30).astype(np.int64)


def _gains(
    instance: Instance,
    weights: dict[str, int | None],
    steepest: int,
    counted: NDArray[np.int64],
    in_periods: NDArray[np.int64] | None,
) -> NDArray[np.int64]:
    """Bound what one moved lecture of each course can win, so that a bad move is left early."""
    per_curriculum = 2 * steepest + 4 * (weights["travel_distance"] or 0)
    by_course = per_curriculum * counted
    by_course += (weights["min_working_days"] or 0) + (weights["room_stability"] or 0)
    by_course += (weights["double_lectures"] or 0) * instance.course_lectures.astype(np.int64)
    by_course += _dearest(in_periods)
    return np.minimum(by_course, 2**30).astype(np.int64)


def _dearest(in_periods: NDArray[np.int64] | None) -> NDArray[np.int64] | int:
    """Return the most that a period costs each course."""
    return 0 if in_periods is None else in_periods.max(axis=1, initial=0)
