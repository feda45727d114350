"""Moves of two lectures that follow one another, which go on doing so elsewhere.

A lecture that leaves its neighbour leaves it isolated, and is isolated where it
comes to: the way of one after the other leads over a ridge that a cool search
never climbs. Both together pass below it.
"""

from numba import int64, uint64

from ...search.bits import popcount
from ...search.compiling import NOWHERE, inner
from ..constraints.search.curricula import day_shift, has_curriculum
from ..constraints.search.days import day_cost, slot_bit, slots_of
from ..constraints.search.hard import courses_have_bits
from ..constraints.search.terms import ALONE, course_cost, least_course_cost, room_cost
from ..constraints.search.weights import COST, VIOLATIONS, enabled
from .kempe import REJECTED, best_free_room
from .timetable import can_enter, lecture_at, link, shift, unlink


@inner
def neighbour(problem, timetable, course, period, pick):
    """Choose one of the lectures in a period that a course conflicts with, -1 if there is none.

    Parameters
    ----------
    pick
        Random bits, uint64, of which the low 16 are used.
    """
    n_found = uint64(timetable.conflicts[period, course])
    if n_found == 0:
        return NOWHERE
    skip = int64(((pick & uint64(0xFFFF)) * n_found) >> uint64(16))
    if courses_have_bits(problem):
        for word in range(problem.conflict_bits.shape[1]):
            bits = problem.conflict_bits[course, word] & timetable.present[period, word]
            while bits != 0:
                lowest = bits & (~bits + uint64(1))
                if skip == 0:
                    found = (word << 6) + popcount(lowest - uint64(1))
                    return lecture_at(timetable, found, period)
                bits ^= lowest
                skip -= 1
        return NOWHERE
    for k in range(problem.conflict_starts[course], problem.conflict_starts[course + 1]):
        other = lecture_at(timetable, problem.conflict_courses[k], period)
        if other >= 0:
            if skip == 0:
                return other
            skip -= 1
    return NOWHERE


@inner
def beside(problem, period, step):
    """Return the period a step of 1 or -1 away on the same day, -1 if the day ends there."""
    other = period + step
    if other < 0 or other >= len(problem.day) or problem.day[other] != problem.day[period]:
        return NOWHERE
    return other


@inner
def pair_curricula(problem, timetable, first, second, p1, q1, p2, q2):
    """Change of the days of curricula when two lectures go from (p1, q1) to (p2, q2).

    Returns `REJECTED` where two lectures of a curriculum are in one period.
    """
    c, d = problem.course[first], problem.course[second]
    change = 0
    for k in range(problem.curricula_starts[c], problem.curricula_starts[c + 1]):
        q = problem.curricula[k]
        if timetable.clash[q] > 0:
            return REJECTED
        if has_curriculum(problem, d, q):
            cost = _pair_shift(problem, timetable, q, p1, q1, p2, q2)
        else:
            cost = day_shift(problem, timetable, q, p1, p2)
        change += problem.multiplicity[q] * cost
    for k in range(problem.curricula_starts[d], problem.curricula_starts[d + 1]):
        q = problem.curricula[k]
        if timetable.clash[q] > 0:
            return REJECTED
        if not has_curriculum(problem, c, q):
            change += problem.multiplicity[q] * day_shift(problem, timetable, q, q1, q2)
    return change


@inner
def _pair_shift(problem, timetable, q, p1, q1, p2, q2):
    old = slots_of(timetable, q, problem.day[p1])
    without = old & ~(slot_bit(problem, p1) | slot_bit(problem, q1))
    added = slot_bit(problem, p2) | slot_bit(problem, q2)
    if problem.day[p1] == problem.day[p2]:
        return day_cost(problem, without | added) - day_cost(problem, old)
    new = slots_of(timetable, q, problem.day[p2])
    change = day_cost(problem, without) - day_cost(problem, old)
    return change + day_cost(problem, new | added) - day_cost(problem, new)


@inner
def try_pair(problem, timetable, first, p2, dice, bound):
    """Move a lecture and one beside it to another pair of periods, if the cost allows."""
    c, p1 = problem.course[first], timetable.period[first]
    if p1 < 0 or p1 == p2:
        return False
    q1 = beside(problem, p1, int64(dice & uint64(1)) * 2 - 1)
    q2 = beside(problem, p2, int64(dice & uint64(2)) - 1)
    if q1 < 0 or q2 < 0 or q2 == p1 or q1 in (p2, q2):
        return False
    conflicts = timetable.conflicts
    if conflicts[p2, c] > 0 or conflicts[p1, c] > 0:
        return False
    second = neighbour(problem, timetable, c, q1, dice >> uint64(8))
    if second < 0:
        return False
    d = problem.course[second]
    if conflicts[q2, d] > 0 or conflicts[q1, d] > 0:
        return False
    if not (can_enter(problem, timetable, first, p2) and can_enter(problem, timetable, second, q2)):
        return False
    r1, s1 = timetable.room[first], timetable.room[second]
    if enabled(problem.rooms_of_curricula):
        r2 = best_free_room(problem, timetable, first, p2, r1)
        s2 = best_free_room(problem, timetable, second, q2, s1)
        return (
            r2 >= 0
            and s2 >= 0
            and _try_out(problem, timetable, first, second, p2, r2, q2, s2, bound)
        )
    cost = pair_curricula(problem, timetable, first, second, p1, q1, p2, q2)
    cost -= room_cost(problem, c, r1) + room_cost(problem, d, s1)
    least = cost + least_course_cost(problem, timetable, first, p1, p2, ALONE)
    least += least_course_cost(problem, timetable, second, q1, q2, ALONE)
    if least > bound:
        return False
    r2 = best_free_room(problem, timetable, first, p2, r1)
    s2 = best_free_room(problem, timetable, second, q2, s1)
    if r2 < 0 or s2 < 0:
        return False
    if enabled(problem.hard_suitability):
        violations = problem.unsuitable[c, r2] + problem.unsuitable[d, s2]
        violations -= problem.unsuitable[c, r1] + problem.unsuitable[d, s1]
        if violations != 0:
            return False
    cost += room_cost(problem, c, r2) + room_cost(problem, d, s2)
    cost += course_cost(problem, timetable, first, p1, r1, p2, r2)
    cost += course_cost(problem, timetable, second, q1, s1, q2, s2)
    if cost > bound:
        return False
    timetable.total[COST] += cost
    unlink(problem, timetable, first)
    unlink(problem, timetable, second)
    link(problem, timetable, first, p2, r2)
    link(problem, timetable, second, q2, s2)
    return True


@inner
def _try_out(problem, timetable, first, second, p2, r2, q2, s2, bound):
    """Move both, and back where that costs too much: the distances of each depend on the other."""
    p1, r1 = timetable.period[first], timetable.room[first]
    q1, s1 = timetable.period[second], timetable.room[second]
    violations, cost = timetable.total[VIOLATIONS], timetable.total[COST]
    shift(problem, timetable, first, p2, r2)
    shift(problem, timetable, second, q2, s2)
    if timetable.total[VIOLATIONS] <= violations and timetable.total[COST] - cost <= bound:
        return True
    shift(problem, timetable, second, q1, s1)
    shift(problem, timetable, first, p1, r1)
    return False
