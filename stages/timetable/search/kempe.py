"""Kempe chains: the lectures that must change sides when one of them does.

Of two periods, the lectures that a lecture is linked to by conflicts, step by
step, exchange periods, and get rooms anew. Source: C. Morgenstern, H. Shapiro,
*Coloration neighborhood structures for general graph coloring*, SODA 1990; for
course timetables, Z. Lü, J.-K. Hao, *Adaptive tabu search for course
timetabling*, EJOR 200, 2010.
"""

from .compiling import NOWHERE, inner
from .terms import (
    course_total,
    crossings_at,
    day_shift,
    has_curriculum,
    in_conflict,
    room_cost,
)
from .timetable import link, unlink
from .weights import enabled, units

REJECTED = 1 << 40


@inner
def find_chain(problem, timetable, lecture, p2):
    """Collect the chain of a lecture into another period.

    Returns
    -------
    tuple of int
        Lectures in the chain in the first lecture's period and in `p2`, listed
        in ``timetable.chain[0]`` and ``[1]``; (0, 0) if some lecture may not
        enter its new period or if the rooms would not suffice.
    """
    chain, p1 = timetable.chain, timetable.period[lecture]
    chain[0, 0] = lecture
    sizes0, sizes1, done0, done1 = 1, 0, 0, 0
    mark = timetable.stamp[0, -1] + 1
    timetable.stamp[0, -1] = mark
    timetable.stamp[0, timetable.room[lecture]] = mark
    if not problem.available[problem.course[lecture], p2]:
        return 0, 0
    while done0 < sizes0 or done1 < sizes1:
        if done0 < sizes0:
            one, side, target, back = chain[0, done0], 1, p2, p1
            done0 += 1
        else:
            one, side, target, back = chain[1, done1], 0, p1, p2
            done1 += 1
        course = problem.course[one]
        linked = int(timetable.conflicts[target, course])
        for other in range(problem.starts[course], problem.starts[course + 1]):
            linked += timetable.period[other] == target
        room = 0
        while linked > 0:
            other = timetable.cell[target, room]
            if other >= 0:
                course_other = problem.course[other]
                if course_other == course or in_conflict(problem, course, course_other):
                    linked -= 1
                    if timetable.stamp[side, room] != mark:
                        if not problem.available[course_other, back]:
                            return 0, 0
                        timetable.stamp[side, room] = mark
                        if side == 1:
                            chain[1, sizes1] = other
                            sizes1 += 1
                        else:
                            chain[0, sizes0] = other
                            sizes0 += 1
            room += 1
    return sizes0, sizes1


@inner
def assign_rooms(problem, timetable, side, size, target):
    """Give a room in their new period to the chain's lectures of one side, greedily.

    A room is free if its cell is, or if its lecture leaves with the chain.
    Returns whether all lectures got a room; they are in ``timetable.chain_room``.
    """
    stamp, mark = timetable.stamp[1 - side], timetable.stamp[0, -1]
    n_rooms = len(problem.capacity)
    for i in range(size):
        lecture = timetable.chain[side, i]
        best, best_cost = NOWHERE, REJECTED
        own = timetable.room[lecture]
        for k in range(n_rooms):
            # The lecture's own room first: it wins the ties.
            room = own + k if own + k < n_rooms else own + k - n_rooms
            if stamp[room] < 0 or (timetable.cell[target, room] >= 0 and stamp[room] != mark):
                continue
            cost = _room_preference(problem, timetable, lecture, room)
            if cost < best_cost:
                best, best_cost = room, cost
                if cost == 0:
                    break
        if best < 0:
            return False
        timetable.chain_room[side, i] = best
        # Taken: negative, and put back by `release_rooms`.
        stamp[best] = -1 - stamp[best]
    return True


@inner
def best_free_room(problem, timetable, lecture, period, first_room):
    """Find the free room of a period that suits a lecture best; -1 if none is free.

    Of equal rooms the lecture's own is taken where courses should keep their
    rooms, else the first from `first_room` on.
    """
    n_rooms = len(problem.capacity)
    start = timetable.room[lecture] if enabled(problem.room_stability) else first_room
    best, best_cost = NOWHERE, REJECTED
    for k in range(n_rooms):
        room = start + k if start + k < n_rooms else start + k - n_rooms
        if timetable.cell[period, room] >= 0:
            continue
        cost = _room_preference(problem, timetable, lecture, room)
        if cost < best_cost:
            best, best_cost = room, cost
            if cost == 0:
                break
    return best


@inner
def release_rooms(timetable, side):
    """Undo the marks of `assign_rooms`."""
    stamp = timetable.stamp[1 - side]
    for room in range(timetable.chain.shape[1]):
        if stamp[room] < 0:
            stamp[room] = -1 - stamp[room]


@inner
def _room_preference(problem, timetable, lecture, room):
    course = problem.course[lecture]
    cost = room_cost(problem, course, room)
    if enabled(problem.hard_suitability):
        cost += 1000 * problem.unsuitable[course, room]
    if enabled(problem.room_stability):
        is_new, others = True, False
        for other in range(problem.starts[course], problem.starts[course + 1]):
            if other != lecture and timetable.room[other] >= 0:
                others = True
                is_new = is_new and timetable.room[other] != room
        cost += units(problem.room_stability) * (others and is_new)
    return cost


@inner
def plan_chain(problem, timetable, lecture, p2):
    """Find a chain and rooms for it.

    Returns
    -------
    tuple of int
        The sizes of the two sides; (0, 0) if there is no such move.
    """
    size0, size1 = find_chain(problem, timetable, lecture, p2)
    if size0 == 0:
        return 0, 0
    p1 = timetable.period[lecture]
    for side in range(2):
        size, target = (size0, p2) if side == 0 else (size1, p1)
        fits = assign_rooms(problem, timetable, side, size, target)
        release_rooms(timetable, side)
        if not fits:
            return 0, 0
    return size0, size1


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
def chain_cost(problem, timetable, size0, size1, p1, p2):
    """Sum the weighted cost that the planned chain adds, without applying it.

    Returns `REJECTED` for a chain that touches a clash: where two lectures of a
    curriculum are in one period, its days do not change independently.
    """
    change = 0
    for side in range(2):
        old, new = (p1, p2) if side == 0 else (p2, p1)
        for i in range(size0 if side == 0 else size1):
            lecture = timetable.chain[side, i]
            course = problem.course[lecture]
            if timetable.conflicts[old, course] > 0:
                return REJECTED
            change += room_cost(problem, course, timetable.chain_room[side, i])
            change -= room_cost(problem, course, timetable.room[lecture])
            for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
                q = problem.curricula[k]
                if timetable.clash[q] > 0:
                    return REJECTED
                # A curriculum in both periods exchanges them: its days stay as they are.
                if timetable.count[q, new] == 0:
                    change += problem.multiplicity[q] * day_shift(problem, timetable, q, old, new)
    if enabled(problem.travel_distance):
        change += _chain_travel(problem, timetable, size0, size1, p1, p2)
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
def _chain_travel(problem, timetable, size0, size1, p1, p2):
    crossings = 0
    for side in range(2):
        old, new = (p1, p2) if side == 0 else (p2, p1)
        for i in range(size0 if side == 0 else size1):
            lecture = timetable.chain[side, i]
            course = problem.course[lecture]
            came = problem.building[timetable.room[lecture]]
            goes = problem.building[timetable.chain_room[side, i]]
            for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
                q = problem.curricula[k]
                met, meets = -1, -1
                if timetable.count[q, new] > 0:
                    if side == 1:
                        continue
                    met, meets = _other_side(problem, timetable, size1, q)
                crossings += problem.multiplicity[q] * (
                    _two_crossings(problem, timetable, q, old, new, meets, goes)
                    - _two_crossings(problem, timetable, q, old, new, came, met)
                )
    return units(problem.travel_distance) * crossings


@inner
def _other_side(problem, timetable, size1, q):
    """Find the old and the new building of a curriculum's lecture on the second side."""
    for i in range(size1):
        lecture = timetable.chain[1, i]
        if has_curriculum(problem, problem.course[lecture], q):
            old = problem.building[timetable.room[lecture]]
            return old, problem.building[timetable.chain_room[1, i]]
    return NOWHERE, NOWHERE


@inner
def _two_crossings(problem, timetable, q, pa, pb, building_a, building_b):
    """Count a curriculum's crossings at two periods, held in the given buildings (-1: none)."""
    crossings = 0
    if building_a >= 0:
        crossings += crossings_at(problem, timetable, q, pa, building_a, pb)
    if building_b >= 0:
        crossings += crossings_at(problem, timetable, q, pb, building_b, pa)
    beside = abs(pa - pb) == 1 and problem.day[pa] == problem.day[pb]
    if beside and building_a >= 0 and building_b >= 0:
        crossings += building_a != building_b
    return crossings


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
