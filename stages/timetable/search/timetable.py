"""A timetable with the counters that make the change of a move quick to find."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import int64, uint64
from numpy.typing import NDArray

from ...search.compiling import NOWHERE, ONE_LESS, ONE_MORE, inner, kernel
from ..constraints.search.counters import (
    Counters,
    cost_when_empty,
    count_in_course,
    count_in_curriculum,
    count_other_room,
    empty_counters,
)
from ..constraints.search.days import slot_bit, slots_of
from ..constraints.search.hard import courses_have_bits, shift_violations
from ..constraints.search.terms import shift_cost
from ..constraints.search.weights import COST, VIOLATIONS, enabled
from .search_problem import SearchProblem, count_curricula


@dataclass(frozen=True, eq=False)
class Timetable(Counters):
    """A timetable and its counters; written by the kernels only.

    No room is booked twice, no course has two lectures in one period and none
    is taught in a period that is unavailable to it: the moves keep this. Only
    conflicts, lectures without a place and, where it is hard, unsuitable rooms
    are violations. What is counted for single constraints are the attributes of `Counters`.

    Attributes
    ----------
    period, room
        Of each lecture, int64 (n_lectures,); -1 without a place.
    cell
        Lecture in a period and room, int64 (n_periods, n_rooms); -1 if free.
    lecture
        Lecture of a course in a period, int32 (n_courses, n_periods); -1 if there is none.
    conflicts
        Lectures in a period of courses in conflict with a course, int16
        (n_periods, n_courses).
    present
        Courses with a lecture in a period, as bits like the problem's
        ``conflict_bits``, uint64 (n_periods, words); (1, 1) where courses share
        columns there.
    mask
        Timeslots of a day in which a merged curriculum has a lecture, as bits,
        uint32 (n_merged, n_days); uint64 where day costs come from bits.
    count
        Lectures of a merged curriculum in a period, int16 (n_merged, n_periods).
    clash
        Lectures of a merged curriculum beyond the first in a period, summed over
        the periods, int32 (n_merged,).
    turning
        What a lecture more of a course in a period, or one less if it has one there,
        changes in the days of its curricula, as long as nothing clashes, plus the
        problem's ``zero`` and of its type, (n_courses, columns); (1, 1) where day
        costs come from bits.
    turning_words
        The same memory as words of 64 bits, int64 (n_courses, n_days * words).
    total
        Violations and weighted cost, int64 (2,).
    chain, chain_room, stamp, in_chain
        Room to work in for Kempe chains: int64 (4, n_rooms) twice, int64
        (2, n_rooms + 1), and courses as bits, uint64 (2, words).
    touched, touch
        Merged curricula that two chains touch, uint32 (n_merged + 1,), and which of the
        chains touch each, as bits, uint8 (n_merged,).
    """

    period: NDArray[np.int64]
    room: NDArray[np.int64]
    cell: NDArray[np.int64]
    lecture: NDArray[np.int32]
    conflicts: NDArray[np.int16]
    present: NDArray[np.uint64]
    mask: NDArray[np.uint32 | np.uint64]
    count: NDArray[np.int16]
    clash: NDArray[np.int32]
    turning: NDArray[np.unsignedinteger]
    turning_words: NDArray[np.int64]
    total: NDArray[np.int64]
    chain: NDArray[np.int64]
    chain_room: NDArray[np.int64]
    stamp: NDArray[np.int64]
    in_chain: NDArray[np.uint64]
    touched: NDArray[np.uint32]
    touch: NDArray[np.uint8]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # Two names of one memory, which a copy from another process has as two arrays.
        object.__setattr__(self, "turning", self.turning_words.view(self.turning.dtype))


def build_timetable(
    problem: SearchProblem, period: NDArray[np.integer], room: NDArray[np.integer]
) -> Timetable:
    """Count a timetable anew.

    Parameters
    ----------
    problem
        The instance.
    period, room
        Of each lecture, int64 (n_lectures,); -1 without a place. A lecture that
        the search could not have put where it is (its period unavailable, its
        room taken, its course there already) loses its place.
    """
    timetable = empty_timetable(problem)
    fill(problem, timetable, period.astype(np.int64), room.astype(np.int64))
    return timetable


def empty_timetable(problem: SearchProblem) -> Timetable:
    """Make a timetable in which no lecture has a place."""
    n_lectures, n_courses = len(problem.course), len(problem.students)
    n_periods, n_rooms = len(problem.day), len(problem.capacity)
    n_merged = len(problem.multiplicity)
    n_days = int(problem.day[-1]) + 1
    words = problem.conflict_bits.shape[1]
    turning = _turning_when_empty(problem, n_days)
    have_bits = n_courses <= words * 64
    timetable = Timetable(
        period=np.full(n_lectures, -1, np.int64),
        room=np.full(n_lectures, -1, np.int64),
        cell=np.full((n_periods, n_rooms), -1, np.int64),
        lecture=np.full((n_courses, n_periods), -1, np.int32),
        conflicts=np.zeros((n_periods, n_courses), np.int16),
        present=np.zeros((n_periods, words) if have_bits else (1, 1), np.uint64),
        mask=np.zeros((n_merged, n_days), np.uint64 if problem.by_bits else np.uint32),
        count=np.zeros((n_merged, n_periods), np.int16),
        clash=np.zeros(n_merged, np.int32),
        turning=turning,
        turning_words=turning.view(np.int64),
        total=np.zeros(2, np.int64),
        chain=np.zeros((4, n_rooms), np.int64),
        chain_room=np.zeros((4, n_rooms), np.int64),
        stamp=np.zeros((2, n_rooms + 1), np.int64),
        in_chain=np.zeros((2, words), np.uint64),
        touched=np.zeros(n_merged + 1, np.uint32),
        touch=np.zeros(n_merged, np.uint8),
        **empty_counters(problem, n_merged, n_days, n_periods),
    )
    timetable.total[VIOLATIONS] = n_lectures
    timetable.total[COST] = cost_when_empty(problem)
    return timetable


def _turning_when_empty(problem: SearchProblem, n_days: int) -> NDArray[np.unsignedinteger]:
    if problem.by_bits:
        return np.full((1, 1), problem.zero[0])
    curricula = count_curricula(problem.curricula_starts, problem.curricula, problem.multiplicity)
    n_columns = n_days * problem.turned_words.shape[1] * 8 // problem.zero.itemsize
    turning = np.full((len(curricula), n_columns), problem.zero[0], problem.zero.dtype)
    added = curricula[:, None] * problem.turned[0, problem.slot]
    turning[:, problem.column] += added.astype(problem.zero.dtype)
    return turning


@inner
def can_enter(problem, timetable, lecture, period):
    """Tell whether the period is available and free of other lectures of the course."""
    course = problem.course[lecture]
    if not problem.available[course, period]:
        return False
    there = timetable.lecture[course, period]
    return there < 0 or there == lecture


@inner
def lecture_at(timetable, course, period):
    """Find the lecture of a course in a period; -1 if it has none there."""
    return int64(timetable.lecture[course, period])


@inner
def unlink(problem, timetable, lecture):
    """Take a lecture out of its cell and out of the counters, but not out of the totals."""
    p, r = timetable.period[lecture], timetable.room[lecture]
    timetable.cell[p, r] = -1
    timetable.lecture[problem.course[lecture], p] = -1
    timetable.period[lecture] = -1
    timetable.room[lecture] = -1
    _count(problem, timetable, problem.course[lecture], p, r, ONE_LESS)


@inner
def link(problem, timetable, lecture, p, r):
    """Put a lecture that has no place into a free cell, and count it, except in the totals."""
    timetable.cell[p, r] = lecture
    timetable.lecture[problem.course[lecture], p] = lecture
    timetable.period[lecture] = p
    timetable.room[lecture] = r
    _count(problem, timetable, problem.course[lecture], p, r, ONE_MORE)


@inner
def _count(problem, timetable, course, p, r, sign):
    conflicts = timetable.conflicts[p]
    for k in range(problem.conflict_starts[course], problem.conflict_starts[course + 1]):
        conflicts[problem.conflict_courses[k]] += sign
    if courses_have_bits(problem):
        # A course has at most one lecture in a period: one more or less turns its bit.
        timetable.present[p, course >> 6] ^= uint64(1) << uint64(course & 63)
    day, bit = problem.day[p], slot_bit(problem, p)
    count_in_course(problem, timetable, course, day, sign)
    for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
        q = problem.curricula[k]
        before = timetable.count[q, p]
        after = before + sign
        timetable.count[q, p] = after
        timetable.clash[q] += max(after - 1, 0) - max(before - 1, 0)
        if before == 0 or after == 0:
            _turn(problem, timetable, q, day, bit)
        count_in_curriculum(problem, timetable, q, p, r, sign)


@inner
def _turn(problem, timetable, q, day, bit):
    """Turn a timeslot of a curriculum's day, and what turning another one changes there."""
    old = slots_of(timetable, q, day)
    new = old ^ bit
    timetable.mask[q, day] = new
    if enabled(problem.by_bits):
        return
    weight, words = problem.multiplicity[q], problem.turned_words
    first = day * words.shape[1]
    for word in range(words.shape[1]):
        change = weight * (words[new, word] - words[old, word])
        column = uint64(first + word)
        for k in range(problem.member_starts[q], problem.member_starts[q + 1]):
            timetable.turning_words[problem.members[k], column] += change


@inner
def shift(problem, timetable, lecture, p, r):
    """Move a lecture to a free cell, or out of the timetable if p is -1; totals included."""
    timetable.total[VIOLATIONS] += shift_violations(problem, timetable, lecture, p, r)
    timetable.total[COST] += shift_cost(problem, timetable, lecture, p, r)
    if timetable.period[lecture] >= 0:
        unlink(problem, timetable, lecture)
    if p >= 0:
        link(problem, timetable, lecture, p, r)


@inner
def exchange(problem, timetable, first, second):
    """Let two placed lectures exchange their cells; the totals are the caller's."""
    p1, r1 = timetable.period[first], timetable.room[first]
    p2, r2 = timetable.period[second], timetable.room[second]
    if p1 == p2:
        timetable.cell[p1, r1], timetable.cell[p2, r2] = second, first
        _change_room(problem, timetable, first, r2)
        _change_room(problem, timetable, second, r1)
        return
    unlink(problem, timetable, first)
    unlink(problem, timetable, second)
    link(problem, timetable, first, p2, r2)
    link(problem, timetable, second, p1, r1)


@inner
def relocate(problem, timetable, lecture, p, r):
    """Move a placed lecture to a free cell; the totals are the caller's."""
    if timetable.period[lecture] == p:
        timetable.cell[p, timetable.room[lecture]] = -1
        timetable.cell[p, r] = lecture
        _change_room(problem, timetable, lecture, r)
        return
    unlink(problem, timetable, lecture)
    link(problem, timetable, lecture, p, r)


@inner
def _change_room(problem, timetable, lecture, r):
    """Count a lecture in another room of its period; the cells are the caller's."""
    count_other_room(problem, timetable, lecture, r)
    timetable.room[lecture] = r


@kernel
def fill(problem, timetable, period, room):
    """Place lectures in an empty timetable, leaving out those that may not stand there."""
    for lecture in range(len(period)):
        p, r = period[lecture], room[lecture]
        if p < 0 or r < 0 or timetable.cell[p, r] >= 0:
            continue
        if can_enter(problem, timetable, lecture, p):
            shift(problem, timetable, lecture, p, r)


@kernel
def turn_into(problem, timetable, period, room):
    """Turn the timetable into another one that the search has seen before."""
    for lecture in range(len(period)):
        moved = timetable.period[lecture] != period[lecture]
        if timetable.period[lecture] >= 0 and (moved or timetable.room[lecture] != room[lecture]):
            shift(problem, timetable, lecture, NOWHERE, NOWHERE)
    for lecture in range(len(period)):
        if timetable.period[lecture] < 0 <= period[lecture]:
            shift(problem, timetable, lecture, period[lecture], room[lecture])
