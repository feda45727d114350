"""Kempe chains: the lectures that must change sides when one of them does.

Of two periods, the lectures that a lecture is linked to by conflicts, step by
step, exchange periods, and get rooms anew. Source: C. Morgenstern, H. Shapiro,
*Coloration neighborhood structures for general graph coloring*, SODA 1990; for
course timetables, Z. Lü, J.-K. Hao, *Adaptive tabu search for course
timetabling*, EJOR 200, 2010.
"""

import numpy as np
from numba import int64, uint64

from ...search.bits import popcount
from ...search.compiling import NOWHERE, inner
from ..constraints.search.curricula import clean_day_shift, clean_days
from ..constraints.search.hard import courses_have_bits
from ..constraints.search.terms import (
    chain_curricula_cost,
    course_total,
    least_course_cost,
    room_cost,
    room_preference,
)
from ..constraints.search.weights import VIOLATIONS, enabled, units
from .timetable import can_enter, lecture_at, link, unlink

REJECTED = 1 << 40


@inner
def find_chain(problem, timetable, lecture, p2, longest):
    """Collect the chain of a lecture into another period.

    Parameters
    ----------
    longest
        A chain of more lectures is given up; hardly any of those is worth making.

    Returns
    -------
    tuple of int
        Lectures in the chain in the first lecture's period and in `p2`, listed
        in ``timetable.chain[0]`` and ``[1]``; (0, 0) if some lecture may not
        enter its new period or if there are too many.
    """
    chain, p1 = timetable.chain, timetable.period[lecture]
    chain[0, 0] = lecture
    near, far = int64(0), int64(1)
    size0, size1, done0, done1 = int64(1), int64(0), 0, 0
    mark = timetable.stamp[0, -1] + 1
    timetable.stamp[0, -1] = mark
    timetable.stamp[0, timetable.room[lecture]] = mark
    course = problem.course[lecture]
    if not problem.available[course, p2]:
        return 0, 0
    if courses_have_bits(problem):
        for word in range(timetable.in_chain.shape[1]):
            timetable.in_chain[0, word] = timetable.in_chain[1, word] = uint64(0)
        timetable.in_chain[0, course >> 6] = uint64(1) << uint64(course & 63)
    while done0 < size0 or done1 < size1:
        if done0 < size0:
            course = problem.course[chain[0, done0]]
            done0 += 1
            size1 = _follow(problem, timetable, course, p2, p1, far, size1, longest - size0)
        else:
            course = problem.course[chain[1, done1]]
            done1 += 1
            size0 = _follow(problem, timetable, course, p1, p2, near, size0, longest - size1)
        if size0 < 0 or size1 < 0:
            return 0, 0
    return size0, size1


@inner
def _follow(problem, timetable, course, period, back, side, size, most):
    """Add the lectures of a period that a course drives out of it to a side of the chain.

    Returns the new size of the side, or -1 if a lecture may not go `back` or there
    are more than `most`.
    """
    if courses_have_bits(problem):
        return _follow_bits(problem, timetable, course, period, back, side, size, most)
    other = lecture_at(timetable, course, period)
    if other >= 0:
        size = _add(problem, timetable, other, back, side, size, most)
    left = int64(timetable.conflicts[period, course])
    k = problem.conflict_starts[course]
    while left > 0 and size >= 0:
        other = lecture_at(timetable, problem.conflict_courses[k], period)
        if other >= 0:
            size = _add(problem, timetable, other, back, side, size, most)
            left -= 1
        k += 1
    return size


@inner
def _follow_bits(problem, timetable, course, period, back, side, size, most):
    for word in range(problem.conflict_bits.shape[1]):
        bits = problem.conflict_bits[course, word]
        if word == course >> 6:
            bits |= uint64(1) << uint64(course & 63)
        bits &= timetable.present[period, word] & ~timetable.in_chain[side, word]
        if bits == 0:
            continue
        if bits & problem.closed[back, word] != 0 or size + popcount(bits) > most:
            return NOWHERE
        timetable.in_chain[side, word] |= bits
        while bits != 0:
            lowest = bits & (~bits + uint64(1))
            bits ^= lowest
            found = (word << 6) + popcount(lowest - uint64(1))
            lecture = lecture_at(timetable, found, period)
            timetable.stamp[side, timetable.room[lecture]] = timetable.stamp[0, -1]
            timetable.chain[side, size] = lecture
            size += 1
    return size


@inner
def _add(problem, timetable, lecture, back, side, size, most):
    room, mark = timetable.room[lecture], timetable.stamp[0, -1]
    if timetable.stamp[side, room] == mark or size < 0:
        return size
    if size >= most or not problem.available[problem.course[lecture], back]:
        return NOWHERE
    timetable.stamp[side, room] = mark
    timetable.chain[side, size] = lecture
    return size + 1


@inner
def assign_rooms(problem, timetable, side, size, target):
    """Give a room in their new period to the chain's lectures of one side, greedily.

    A room is free if its cell is, or if its lecture leaves with the chain.
    Returns whether all lectures got a room; they are in ``timetable.chain_room``.
    """
    stamp, mark = timetable.stamp[1 - side], timetable.stamp[0, -1]
    n_rooms, found = len(problem.capacity), 0
    for i in range(size):
        lecture = timetable.chain[side, i]
        best, best_cost = NOWHERE, REJECTED
        own = timetable.room[lecture]
        n_used, floor = _rooms_in_use(problem, timetable, lecture)
        for k in range(-n_used, n_rooms):
            # The lecture's own room first: it wins the ties.
            room = _kth_room(problem, timetable, lecture, own, k)
            if room < 0 or stamp[room] < 0:
                continue
            if timetable.cell[target, room] >= 0 and stamp[room] != mark:
                continue
            cost = room_preference(problem, timetable, lecture, room)
            if cost < best_cost:
                best, best_cost = room, cost
            if best_cost == 0 or (k >= 0 and best_cost <= floor):
                break
        if best < 0:
            break
        timetable.chain_room[side, i] = best
        # Taken by this chain: negative until all of its lectures have a room.
        stamp[best] = -1 - stamp[best]
        found += 1
    for i in range(found):
        room = timetable.chain_room[side, i]
        stamp[room] = -1 - stamp[room]
    return found == size


@inner
def best_free_room(problem, timetable, lecture, period, first_room):
    """Find the free room of a period that suits a lecture best; -1 if none is free.

    Of equal rooms the lecture's own is taken where courses should keep their
    rooms, else the first from `first_room` on.
    """
    n_rooms = len(problem.capacity)
    start = timetable.room[lecture] if enabled(problem.other_room) else first_room
    best, best_cost = NOWHERE, REJECTED
    n_used, floor = _rooms_in_use(problem, timetable, lecture)
    for k in range(-n_used, n_rooms):
        room = _kth_room(problem, timetable, lecture, start, k)
        if room < 0 or timetable.cell[period, room] >= 0:
            continue
        cost = room_preference(problem, timetable, lecture, room)
        if cost < best_cost:
            best, best_cost = room, cost
        if best_cost == 0 or (k >= 0 and best_cost <= floor):
            break
    return best


@inner
def _rooms_in_use(problem, timetable, lecture):
    """Tell how many rooms to look at first, and what no other room costs less than.

    Where courses should keep their rooms, those of the course's lectures come
    first: of the others the first that costs no more than a change of rooms
    does is as good as any.
    """
    if enabled(problem.other_room):
        course = problem.course[lecture]
        first = problem.starts[course]
        for other in range(first, problem.starts[course + 1]):
            if other != lecture and timetable.room[other] >= 0:
                n_used = problem.starts[course + 1] - first + 1
                return n_used, np.int64(units(problem.other_room))
    return np.int64(0), np.int64(0)


@inner
def _kth_room(problem, timetable, lecture, start, k):
    """Return the room that is looked at as the k-th: below 0 those of the course."""
    if k < 0:
        course = problem.course[lecture]
        k += problem.starts[course + 1] - problem.starts[course] + 1
        if k == 0:
            return start
        return timetable.room[problem.starts[course] + k - 1]
    room, n_rooms = start + k, len(problem.capacity)
    return room if room < n_rooms else room - n_rooms


@inner
def plan_chain(problem, timetable, lecture, p2):
    """Find a chain and rooms for it.

    Returns
    -------
    tuple of int
        The sizes of the two sides; (0, 0) if there is no such move.
    """
    p1, longest = timetable.period[lecture], 2 * len(problem.capacity)
    size0, size1 = find_chain(problem, timetable, lecture, p2, longest)
    if size0 == 0 or not plan_rooms(problem, timetable, size0, size1, p1, p2):
        return 0, 0
    return size0, size1


@inner
def plan_rooms(problem, timetable, size0, size1, p1, p2):
    """Give rooms to both sides of a chain; tell whether they sufficed."""
    for side in range(2):
        size, target = (size0, p2) if side == 0 else (size1, p1)
        if not assign_rooms(problem, timetable, side, size, target):
            return False
    return True


@inner
def chain_violations(problem, timetable, size0, size1):
    """Count the violations that the planned chain adds where nothing clashes."""
    change = 0
    if enabled(problem.hard_suitability):
        for side in range(2):
            for i in range(size0 if side == 0 else size1):
                lecture = timetable.chain[side, i]
                course = problem.course[lecture]
                change += problem.unsuitable[course, timetable.chain_room[side, i]]
                change -= problem.unsuitable[course, timetable.room[lecture]]
    return change


@inner
def chain_curricula(problem, timetable, size0, size1, p1, p2):
    """Sum what a chain changes in the days of curricula, whatever its rooms.

    Returns `REJECTED` for a chain that touches a clash: where two lectures of a
    curriculum are in one period, its days do not change independently.
    """
    change, clean = 0, timetable.total[VIOLATIONS] == 0
    for side in range(2):
        old, new = (p1, p2) if side == 0 else (p2, p1)
        for i in range(size0 if side == 0 else size1):
            course = problem.course[timetable.chain[side, i]]
            if clean:
                change += clean_days(problem, timetable, course, old, new)
                continue
            if timetable.conflicts[old, course] > 0:
                return REJECTED
            for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
                q = problem.curricula[k]
                if timetable.clash[q] > 0:
                    return REJECTED
                # A curriculum in both periods exchanges them: its days stay as they are.
                if timetable.count[q, new] == 0:
                    change += problem.multiplicity[q] * clean_day_shift(
                        problem, timetable, q, old, new
                    )
    return change


@inner
def least_beyond_curricula(problem, timetable, size0, size1, p1, p2):
    """Bound from below what a chain changes beyond its curricula, before it has rooms.

    The rooms can at best all be large enough, and each spare its course a room.
    What curricula cost by their rooms is not looked at.
    """
    least = 0
    for side in range(2):
        old, new = (p1, p2) if side == 0 else (p2, p1)
        for i in range(size0 if side == 0 else size1):
            lecture = timetable.chain[side, i]
            course = problem.course[lecture]
            least -= room_cost(problem, course, timetable.room[lecture])
            # Where the course has a lecture in the new period, that one goes the other way.
            stands_alone = can_enter(problem, timetable, lecture, new)
            least += least_course_cost(problem, timetable, lecture, old, new, stands_alone)
    return least


@inner
def chain_rooms(problem, timetable, size0, size1, p1, p2):
    """Sum what the planned chain changes beyond the days of curricula, without applying it."""
    change = 0
    for side in range(2):
        for i in range(size0 if side == 0 else size1):
            lecture = timetable.chain[side, i]
            course = problem.course[lecture]
            change += room_cost(problem, course, timetable.chain_room[side, i])
            change -= room_cost(problem, course, timetable.room[lecture])
    change += chain_curricula_cost(problem, timetable, size0, size1, p1, p2)
    return change + _chain_courses(problem, timetable, size0, size1, p1, p2)


@inner
def _chain_courses(problem, timetable, size0, size1, p1, p2):
    before = _sum_courses(problem, timetable, size0, size1, p1)
    _swap_places(timetable, size0, size1, p1, p2)
    after = _sum_courses(problem, timetable, size0, size1, p2)
    _swap_places(timetable, size0, size1, p2, p1)
    return after - before


@inner
def _sum_courses(problem, timetable, size0, size1, first_period):
    """Sum the costs of the chain's courses, each once though it may be on both sides."""
    total = 0
    for i in range(size0):
        total += course_total(problem, timetable, problem.course[timetable.chain[0, i]])
    for i in range(size1):
        course = problem.course[timetable.chain[1, i]]
        if not _meets(problem, timetable, course, first_period):
            total += course_total(problem, timetable, course)
    return total


@inner
def _meets(problem, timetable, course, period):
    for lecture in range(problem.starts[course], problem.starts[course + 1]):
        if timetable.period[lecture] == period:
            return True
    return False


@inner
def _swap_places(timetable, size0, size1, p1, p2):
    """Write the planned places over the present ones and the other way round."""
    for side in range(2):
        target = p2 if side == 0 else p1
        for i in range(size0 if side == 0 else size1):
            lecture = timetable.chain[side, i]
            room = timetable.room[lecture]
            timetable.period[lecture] = target
            timetable.room[lecture] = timetable.chain_room[side, i]
            timetable.chain_room[side, i] = room


@inner
def chain_change(problem, timetable, size0, size1, p1, p2, bound):
    """Give the chain that was found rooms, and sum the cost that it adds.

    Returns `REJECTED` if there are no rooms, if it would make a violation or if the
    cost is above the bound.
    """
    cost = chain_curricula(problem, timetable, size0, size1, p1, p2)
    if cost == REJECTED:
        return REJECTED
    if not enabled(problem.rooms_of_curricula):
        # Most chains are too dear whatever rooms they get, and rooms take long to find.
        least = cost + least_beyond_curricula(problem, timetable, size0, size1, p1, p2)
        if least > bound:
            return REJECTED
    if not plan_rooms(problem, timetable, size0, size1, p1, p2):
        return REJECTED
    if chain_violations(problem, timetable, size0, size1) != 0:
        return REJECTED
    cost += chain_rooms(problem, timetable, size0, size1, p1, p2)
    return cost if cost <= bound else REJECTED


@inner
def apply_chain(problem, timetable, size0, size1, p1, p2):
    """Carry the planned chain out; the totals are the caller's."""
    for side in range(2):
        for i in range(size0 if side == 0 else size1):
            unlink(problem, timetable, timetable.chain[side, i])
    for side in range(2):
        target = p2 if side == 0 else p1
        for i in range(size0 if side == 0 else size1):
            room = timetable.chain_room[side, i]
            link(problem, timetable, timetable.chain[side, i], target, room)
