"""Operators that repair one lecture's place: each makes its best change, good or bad.

An operator returns whether it changed anything. The totals are kept, so that
the caller reads what it won or lost from ``timetable.total``.
"""

import numpy as np
from numba import int64

from ....search.compiling import NOWHERE, inner, kernel
from ....search.random import below, leads
from ...constraints.search.days import day_cost, slots_of
from ...constraints.search.hard import in_conflict, pair_violations, shift_violations
from ...constraints.search.terms import (
    days_share,
    pair_cost,
    pair_room_cost,
    room_share,
    shift_cost,
)
from ...constraints.search.weights import COST, VIOLATIONS, enabled
from ...repair_operators import EJECT, KEMPE, MOVE, SWAP
from ..kempe import plan_chain
from ..placement import place_best
from ..timetable import can_enter, exchange, shift

CONFLICT, NO_PLACE, ROOM, DAYS, CURRICULUM = range(5)
KINDS = ("conflict", "no place", "room", "days", "curriculum")


@inner
def apply_operator(problem, timetable, operator, lecture, violation, rng):
    """Let an operator, a position in `repair_operators.OPERATORS`, change a lecture's place."""
    if operator == EJECT:
        return eject(problem, timetable, lecture, violation, rng)
    if timetable.period[lecture] < 0:
        return place_best(problem, timetable, lecture, violation, NOWHERE, rng)
    if operator == MOVE:
        return move(problem, timetable, lecture, violation, rng)
    if operator == SWAP:
        return swap(problem, timetable, lecture, violation, rng)
    if operator == KEMPE:
        return kempe(problem, timetable, lecture, violation, rng)
    return change_room(problem, timetable, lecture, violation, rng)


@inner
def move(problem, timetable, lecture, violation, rng):
    """Move the lecture to the best free cell of another period."""
    p, r = timetable.period[lecture], timetable.room[lecture]
    shift(problem, timetable, lecture, NOWHERE, NOWHERE)
    if place_best(problem, timetable, lecture, violation, p, rng):
        return True
    shift(problem, timetable, lecture, p, r)
    return False


@inner
def swap(problem, timetable, lecture, violation, rng):
    """Exchange the lecture with the best one of another period."""
    c, p1, r1 = problem.course[lecture], timetable.period[lecture], timetable.room[lecture]
    chosen, least, ties = NOWHERE, 0.0, 0
    for other in range(len(timetable.period)):
        d, p2, r2 = problem.course[other], timetable.period[other], timetable.room[other]
        if c == d or p2 < 0 or p2 == p1 or not problem.available[c, p2]:
            continue
        change = violation * pair_violations(problem, timetable, lecture, other)
        change += pair_room_cost(problem, c, r1, d, r2)
        if chosen >= 0 and change - problem.gain[c] - problem.gain[d] > least:
            continue
        if not can_enter(problem, timetable, lecture, p2):
            continue
        if not can_enter(problem, timetable, other, p1):
            continue
        change += pair_cost(problem, timetable, lecture, other)
        led, least, ties = leads(change, least, ties, rng)
        if led:
            chosen = other
    if chosen >= 0:
        _exchange(problem, timetable, lecture, chosen)
    return chosen >= 0


@inner
def _exchange(problem, timetable, first, second):
    c, d = problem.course[first], problem.course[second]
    violations = pair_violations(problem, timetable, first, second)
    cost = pair_room_cost(problem, c, timetable.room[first], d, timetable.room[second])
    cost += pair_cost(problem, timetable, first, second)
    timetable.total[VIOLATIONS] += violations
    timetable.total[COST] += cost
    exchange(problem, timetable, first, second)


@inner
def kempe(problem, timetable, lecture, violation, rng):
    """Carry out the best Kempe chain of the lecture."""
    p1 = timetable.period[lecture]
    chosen, least, ties = NOWHERE, 0.0, 0
    for p2 in range(len(problem.day)):
        if p2 == p1:
            continue
        size0, size1 = plan_chain(problem, timetable, lecture, p2)
        if size0 == 0:
            continue
        violations, cost = timetable.total[VIOLATIONS], timetable.total[COST]
        _swap_chain(problem, timetable, size0, size1, p1, p2)
        change = violation * (timetable.total[VIOLATIONS] - violations)
        change = change + timetable.total[COST] - cost
        _swap_chain(problem, timetable, size0, size1, p2, p1)
        led, least, ties = leads(change, least, ties, rng)
        if led:
            chosen = p2
    if chosen < 0:
        return False
    size0, size1 = plan_chain(problem, timetable, lecture, chosen)
    _swap_chain(problem, timetable, size0, size1, p1, chosen)
    return True


@inner
def _swap_chain(problem, timetable, size0, size1, p1, p2):
    """Move the planned chain, totals included, and plan its way back."""
    for side in range(2):
        for i in range(size0 if side == 0 else size1):
            lecture, room = timetable.chain[side, i], timetable.chain_room[side, i]
            timetable.chain_room[side, i] = timetable.room[lecture]
            shift(problem, timetable, lecture, NOWHERE, NOWHERE)
            # Out of the timetable, a lecture keeps its new room where no kernel looks.
            timetable.room[lecture] = -2 - room
    for side in range(2):
        target = p2 if side == 0 else p1
        for i in range(size0 if side == 0 else size1):
            lecture = timetable.chain[side, i]
            room = -2 - timetable.room[lecture]
            timetable.room[lecture] = -1
            shift(problem, timetable, lecture, target, room)


@inner
def change_room(problem, timetable, lecture, violation, rng):
    """Give the lecture the best other room of its period, taken or not."""
    p, r1 = timetable.period[lecture], timetable.room[lecture]
    chosen, least, ties = NOWHERE, 0.0, 0
    for r2 in range(len(problem.capacity)):
        other = timetable.cell[p, r2]
        if r2 == r1:
            continue
        if other < 0:
            change = violation * shift_violations(problem, timetable, lecture, p, r2)
            change += shift_cost(problem, timetable, lecture, p, r2)
        else:
            change = violation * pair_violations(problem, timetable, lecture, other)
            c, d = problem.course[lecture], problem.course[other]
            change += pair_room_cost(problem, c, r1, d, r2)
            change += pair_cost(problem, timetable, lecture, other)
        led, least, ties = leads(change, least, ties, rng)
        if led:
            chosen = r2
    if chosen < 0:
        return False
    other = timetable.cell[p, chosen]
    if other < 0:
        shift(problem, timetable, lecture, p, chosen)
    else:
        _exchange(problem, timetable, lecture, other)
    return True


@inner
def eject(problem, timetable, lecture, violation, rng):
    """Put the lecture where few stand against it, and those somewhere else."""
    p1, r1 = timetable.period[lecture], timetable.room[lecture]
    if p1 >= 0:
        shift(problem, timetable, lecture, NOWHERE, NOWHERE)
    target = _least_opposed(problem, timetable, lecture, p1, rng)
    if target < 0:
        if p1 >= 0:
            shift(problem, timetable, lecture, p1, r1)
        return False
    ejected = np.empty(timetable.cell.shape[1], np.int64)
    n_ejected = _clear(problem, timetable, lecture, target, ejected, rng)
    shift(problem, timetable, lecture, target, _best_room(problem, timetable, lecture, target))
    for i in range(n_ejected):
        if not place_best(problem, timetable, ejected[i], violation, target, rng):
            place_best(problem, timetable, ejected[i], violation, NOWHERE, rng)
    return True


@inner
def _least_opposed(problem, timetable, lecture, barred, rng):
    """Choose among the periods with the fewest lectures in conflict."""
    course, chosen, least, ties = problem.course[lecture], -1, 0, 0
    for p in range(len(problem.day)):
        if p == barred or not can_enter(problem, timetable, lecture, p):
            continue
        led, least, ties = leads(timetable.conflicts[p, course], least, ties, rng)
        if led:
            chosen = p
    return chosen


@inner
def _clear(problem, timetable, lecture, period, ejected, rng):
    """Take the lectures in conflict out of a period, or one at random if no room is free."""
    course, n_ejected, free = problem.course[lecture], 0, False
    n_rooms = timetable.cell.shape[1]
    for r in range(n_rooms):
        other = timetable.cell[period, r]
        if other >= 0 and in_conflict(problem, course, problem.course[other]):
            ejected[n_ejected] = other
            n_ejected += 1
            shift(problem, timetable, other, NOWHERE, NOWHERE)
        free = free or timetable.cell[period, r] < 0
    if not free:
        ejected[0] = timetable.cell[period, below(rng, n_rooms)]
        n_ejected = 1
        shift(problem, timetable, ejected[0], NOWHERE, NOWHERE)
    return n_ejected


@inner
def _best_room(problem, timetable, lecture, period):
    best, least = NOWHERE, 0.0
    for r in range(timetable.cell.shape[1]):
        if timetable.cell[period, r] < 0:
            cost = 1000.0 * shift_violations(problem, timetable, lecture, period, r)
            cost += shift_cost(problem, timetable, lecture, period, r)
            if best < 0 or cost < least:
                best, least = r, cost
    return best


@kernel
def lecture_costs(problem, timetable, violation):
    """Find what each lecture's place costs, by kind.

    Returns
    -------
    NDArray[np.float64]
        Weighted cost, shape (n_lectures, 5), in the order of `KINDS`. A
        curriculum's day counts for each of its lectures that day.
    """
    costs = np.zeros((len(timetable.period), 5))
    for lecture in range(len(timetable.period)):
        course = problem.course[lecture]
        p, r = timetable.period[lecture], timetable.room[lecture]
        if p < 0:
            costs[lecture, NO_PLACE] = violation
            continue
        costs[lecture, CONFLICT] = violation * timetable.conflicts[p, course]
        costs[lecture, ROOM] = room_share(problem, timetable, lecture)
        if enabled(problem.hard_suitability):
            costs[lecture, ROOM] += violation * problem.unsuitable[course, r]
        costs[lecture, DAYS] = days_share(problem, timetable, lecture)
        for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
            q = problem.curricula[k]
            cost = day_cost(problem, slots_of(timetable, q, problem.day[p]))
            costs[lecture, CURRICULUM] += problem.multiplicity[q] * cost
    return costs


@inner
def lecture_violations(problem, timetable, lecture):
    """Count the violations that a lecture takes part in."""
    p = timetable.period[lecture]
    if p < 0:
        return 1
    violations = int64(timetable.conflicts[p, problem.course[lecture]])
    if enabled(problem.hard_suitability):
        violations += problem.unsuitable[problem.course[lecture], timetable.room[lecture]]
    return violations
