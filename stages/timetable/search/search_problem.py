"""An instance under a formulation, as the arrays that the kernels read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..constraints.registry import CONSTRAINTS, cost_of_days
from ..constraints.search.constraint_arrays import ConstraintArrays, constraint_arrays
from ..constraints.search.days import cost_of_all_days, steepest_turn
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
class SearchProblem(ConstraintArrays):
    """Arrays that describe an instance under a formulation; never written by a kernel.

    Lectures are sorted by course; a period is ``day * timeslots + timeslot``.
    Curricula of the same courses are merged into one with a multiplicity. What constraints
    look at are the attributes of `ConstraintArrays`.

    Attributes
    ----------
    starts
        First lecture of each course, int64 (n_courses + 1,).
    course
        Course of each lecture, int64 (n_lectures,).
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
    by_day
        1 where the formulation has constraints that are described by tables of days, else
        None; then what follows is (1,).
    of_days
        The part of `day_cost` that such constraints make up, int64 (2**timeslots,).
    """

    starts: NDArray[np.int64]
    course: NDArray[np.int64]
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
    by_day: int | None
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
    by_bits = slots > MAX_SLOTS_IN_TABLES or instance.days > BITS
    of_days = _table_of_days(instance, formulation, by_bits)
    starts, curricula, multiplicity = merge_curricula(instance)
    counted = count_curricula(starts, curricula, multiplicity)
    if by_bits:
        tables, steepest = _no_tables(), steepest_turn(instance, formulation)
    else:
        day_cost = cost_of_all_days(instance, formulation)
        day_cost += 0 if of_days is None else of_days
        tables = _tables(instance, day_cost, int(counted.max(initial=0)))
        steepest = int(np.abs(tables["turned"]).max())
    members = np.argsort(curricula, kind="stable")
    return SearchProblem(
        starts=instance.course_starts.astype(np.int64),
        course=instance.lecture_course.astype(np.int64),
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
        by_day=None if of_days is None else 1,
        of_days=np.zeros(1, np.int64) if of_days is None else of_days,
        by_bits=tables["by_bits"],
        column=tables["column"],
        day_cost=tables["day_cost"],
        turned=tables["turned"],
        turned_words=tables["turned_words"],
        zero=tables["zero"],
        **constraint_arrays(instance, formulation, counted, steepest),
    )


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
