"""A timetable that kernels change, and what a change is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...search.compiling import NOWHERE, ONE_LESS, ONE_MORE, inner, kernel
from ...search.record import Record
from .rules import breaks, excess, global_cost
from .search_problem import CONFLICT, MOST_SHARED, SearchProblem

LISTED = 0x8000
"""Marks the classes that are among another's partners."""

STUDENTS = MOST_SHARED
"""The rest of the bits: how many students two classes share."""

LEAST_TOUCHED = 256
"""Moves since the best timetable that are remembered at least."""

HARD, COST = range(2)
"""Positions in `Timetable.total` and in `Timetable.change`."""


@dataclass(frozen=True, eq=False)
class Timetable(Record):
    """Times, rooms and bundles, with what is counted.

    Attributes
    ----------
    row, time
        Row of each class's time option, and which of the different times it is.
    option
        Row of each class's room option; -1 for none.
    room
        Room of each class; the number of rooms for none.
    occupants, occupied, seat
        Classes of each room in any order, how many, and where each class stands.
    busy
        How many classes of a room overlap each of the different times, (n_rooms + 1, n_times).
    bundle
        Bundle of each demand.
    attend
        Students of each class.
    shared
        Students whom two classes have in common, (n_classes, n_classes); with `LISTED`
        where one is among the other's partners.
    partners, n_partners
        Classes with which each has students in common, or had, from `near_starts` on; and
        how many.
    surplus
        Excess of each rule over all of some classes.
    weight, room_weight, global_weight
        Weight of each required rule between two classes, of two classes that overlap in
        each room, and of what is in excess of each rule over all of some classes.
    own
        What each class's place costs by rules with others: violations, weighted, and
        cost, (n_classes, 2).
    total
        Violations, weighted, and weighted cost.
    change
        What the last place that was looked at would have as `own`, the change of
        violations and cost, int64 (6,): see `Place`.
    touched, n_touched
        Which classes, and behind them which demands, have moved since the best timetable
        was kept, and how often one has; more than there is room for where that is not
        known, int64 (1,).
    order, others, leaving, entering
        Room to work in.
    """

    row: NDArray[np.int32]
    time: NDArray[np.int32]
    option: NDArray[np.int32]
    room: NDArray[np.int32]
    occupants: NDArray[np.int32]
    occupied: NDArray[np.int32]
    seat: NDArray[np.int32]
    busy: NDArray[np.int16]
    bundle: NDArray[np.int32]
    attend: NDArray[np.int64]
    shared: NDArray[np.uint16]
    partners: NDArray[np.int32]
    n_partners: NDArray[np.int32]
    surplus: NDArray[np.int64]
    weight: NDArray[np.int64]
    room_weight: NDArray[np.int64]
    global_weight: NDArray[np.int64]
    own: NDArray[np.int64]
    total: NDArray[np.int64]
    change: NDArray[np.int64]
    touched: NDArray[np.int32]
    n_touched: NDArray[np.int64]
    order: NDArray[np.int64]
    others: NDArray[np.int32]
    leaving: NDArray[np.int32]
    entering: NDArray[np.int32]


def build_timetable(
    problem: SearchProblem,
    row: NDArray[np.int64],
    option: NDArray[np.int64],
    bundle: NDArray[np.int64],
) -> Timetable:
    """Make a timetable of rows of times and of room options, and of bundles."""
    n, n_rooms = len(row), len(problem.travel) - 1
    in_room = np.bincount(problem.room, minlength=n_rooms)
    n_rules = int(problem.hard_id.max(initial=-1)) + 1
    most = int(np.diff(problem.student_starts).max(initial=0))
    largest = int(np.diff(problem.bundle_starts).max(initial=0))
    shared = n if len(bundle) else 0
    room_for_touched = max(LEAST_TOUCHED, (n + len(bundle)) // 8)
    timetable = Timetable(
        row=row.astype(np.int32),
        time=problem.time_id[row],
        option=option.astype(np.int32),
        room=np.full(n, n_rooms, np.int32),
        occupants=np.zeros((n_rooms + 1, int(in_room.max(initial=0)) + 1), np.int32),
        occupied=np.zeros(n_rooms + 1, np.int32),
        seat=np.zeros(n, np.int32),
        busy=np.zeros((n_rooms + 1, len(problem.days)), np.int16),
        bundle=np.full(len(bundle), -1, np.int32),
        attend=np.zeros(n, np.int64),
        shared=np.zeros((shared, shared), np.uint16),
        partners=np.zeros(len(problem.near), np.int32),
        n_partners=np.zeros(n, np.int32),
        surplus=np.zeros(len(problem.global_kind), np.int64),
        weight=np.ones(n_rules, np.int64),
        room_weight=np.ones(n_rooms + 1, np.int64),
        global_weight=np.ones(len(problem.global_kind), np.int64),
        own=np.zeros((n, 2), np.int64),
        total=np.zeros(2, np.int64),
        change=np.zeros(6, np.int64),
        touched=np.zeros(room_for_touched, np.int32),
        n_touched=np.full(1, room_for_touched + 1, np.int64),
        order=np.zeros(n + 1, np.int64),
        others=np.zeros((most + 1) * (largest + 1), np.int32),
        leaving=np.zeros(largest + 1, np.int32),
        entering=np.zeros(largest + 1, np.int32),
    )
    fill(problem, timetable, bundle.astype(np.int32))
    return timetable


def seat_occupants(timetable: Timetable, occupants: object) -> None:
    """Let the classes of each room stand in an order; a ValueError for others than those there."""
    mine = timetable.occupants
    if not isinstance(occupants, np.ndarray) or occupants.shape != mine.shape:
        raise ValueError(f"occupants must be of shape {mine.shape}, got {occupants!r:.40}")
    for room, count in enumerate(timetable.occupied.tolist()):
        there = occupants[room, :count]
        if not np.array_equal(np.sort(there), np.sort(mine[room, :count])):
            raise ValueError(f"occupants of room {room} are not those that are there")
        mine[room, :count] = there
        timetable.seat[mine[room, :count]] = np.arange(count)


@inner
def conflict(problem, time, room, other_time, other_room):
    """Tell whether nobody can attend at two times in two rooms."""
    return problem.gap[time, other_time] < problem.travel[room, other_room]


@inner
def closed_times(problem, k, row, option):
    """Count the closed times of a room that a class overlaps."""
    if option < 0:
        return 0
    first = problem.room_starts[k]
    n_rooms = problem.room_starts[k + 1] - first
    at = (row - problem.time_starts[k]) * n_rooms + option - first
    return np.int64(problem.closed[problem.closed_starts[k] + at])


ANYHOW = 1e18
"""A bound that no place is too dear for, closed rooms included."""

# What `look` leaves in `Timetable.change`.
NEW_HARD, NEW_COST, HARD_CHANGE, COST_CHANGE = 0, 1, 2, 3


@inner
def look(problem, timetable, k, row, option, bound, violation):
    """Tell whether a class can be at another place for no more than a bound.

    What the place would cost by rules with others is left in `Timetable.change`, with
    what all would change; of a place that is too dear nothing that can be used is left.
    """
    change = timetable.change
    old_row, old_option = timetable.row[k], timetable.option[k]
    old_hard, old_cost = timetable.own[k, HARD], timetable.own[k, COST]
    static = problem.time_cost[row] - problem.time_cost[old_row]
    closed = 0
    room = timetable.room[k]
    if option >= 0:
        static += problem.room_cost[option] - problem.room_cost[old_option]
        closed = closed_times(problem, k, row, option)
        closed -= closed_times(problem, k, old_row, old_option)
        if closed > 0 and bound < ANYHOW:
            return False
        room = problem.room[option]
    time = problem.time_id[row]
    # What the new place costs more than this is too dear.
    most = bound + old_hard * violation + old_cost - static - closed * violation
    hard = 0
    for at in range(problem.hard_starts[k], problem.hard_starts[k + 1]):
        other = problem.hard_other[at]
        if breaks(
            problem,
            problem.hard_kind[at],
            problem.hard_parameter[at],
            time,
            room,
            timetable.time[other],
            timetable.room[other],
        ):
            hard += timetable.weight[problem.hard_id[at]]
            if hard * violation > most:
                return False
    if option >= 0:
        hard += met(problem, timetable, k, room, time) * timetable.room_weight[room]
        if hard * violation > most:
            return False
    most -= hard * violation
    cost = 0
    for at in range(problem.soft_starts[k], problem.soft_starts[k + 1]):
        other = problem.soft_other[at]
        if breaks(
            problem,
            problem.soft_kind[at],
            problem.soft_parameter[at],
            time,
            room,
            timetable.time[other],
            timetable.room[other],
        ):
            cost += problem.soft_cost[at]
    if cost > most:
        return False
    if timetable.attend[k] > 0 and problem.numbers[CONFLICT] > 0:
        weight = problem.numbers[CONFLICT]
        first = problem.near_starts[k]
        for at in range(first, first + timetable.n_partners[k]):
            other = timetable.partners[at]
            if conflict(problem, time, room, timetable.time[other], timetable.room[other]):
                cost += (np.int64(timetable.shared[k, other]) & STUDENTS) * weight
                if cost > most:
                    return False
    hard_change = hard - old_hard + closed
    cost_change = cost - old_cost + static
    if time != timetable.time[k]:
        for at in range(problem.member_starts[k], problem.member_starts[k + 1]):
            rule = problem.members[at]
            surplus = excess(problem, timetable, rule, k, time)
            old = timetable.surplus[rule]
            if problem.global_cost[rule] < 0:
                hard_change += (surplus - old) * timetable.global_weight[rule]
            else:
                cost_change += global_cost(problem, rule, surplus)
                cost_change -= global_cost(problem, rule, old)
    change[NEW_HARD] = hard
    change[NEW_COST] = cost
    change[HARD_CHANGE] = hard_change
    change[COST_CHANGE] = cost_change
    return hard_change * violation + cost_change <= bound


@inner
def touch(timetable, item):
    """Remember that a class, or behind all classes a demand, has moved."""
    n = timetable.n_touched[0]
    if n < len(timetable.touched):
        timetable.touched[n] = item
    timetable.n_touched[0] = n + 1


@inner
def put(problem, timetable, k, row, option):
    """Move a class to the place that was looked at last, and count what changes with it."""
    touch(timetable, k)
    change = timetable.change
    old_time, old_room = timetable.time[k], timetable.room[k]
    time = problem.time_id[row]
    room = old_room if option < 0 else problem.room[option]
    for at in range(problem.hard_starts[k], problem.hard_starts[k + 1]):
        other = problem.hard_other[at]
        kind, parameter = problem.hard_kind[at], problem.hard_parameter[at]
        there, other_room = timetable.time[other], timetable.room[other]
        before = breaks(problem, kind, parameter, old_time, old_room, there, other_room)
        after = breaks(problem, kind, parameter, time, room, there, other_room)
        if before != after:
            weight = timetable.weight[problem.hard_id[at]]
            timetable.own[other, HARD] += weight if after else -weight
    for at in range(problem.soft_starts[k], problem.soft_starts[k + 1]):
        other = problem.soft_other[at]
        kind, parameter = problem.soft_kind[at], problem.soft_parameter[at]
        there, other_room = timetable.time[other], timetable.room[other]
        before = breaks(problem, kind, parameter, old_time, old_room, there, other_room)
        after = breaks(problem, kind, parameter, time, room, there, other_room)
        if before != after:
            cost = problem.soft_cost[at]
            timetable.own[other, COST] += cost if after else -cost
    if timetable.attend[k] > 0 and problem.numbers[CONFLICT] > 0:
        first = problem.near_starts[k]
        at = 0
        while at < timetable.n_partners[k]:
            other = timetable.partners[first + at]
            shared = np.int64(timetable.shared[k, other]) & STUDENTS
            if shared == 0:
                # No longer one: the last takes its place.
                timetable.shared[k, other] = 0
                timetable.n_partners[k] -= 1
                timetable.partners[first + at] = timetable.partners[first + timetable.n_partners[k]]
                continue
            at += 1
            there, other_room = timetable.time[other], timetable.room[other]
            before = conflict(problem, old_time, old_room, there, other_room)
            after = conflict(problem, time, room, there, other_room)
            if before != after:
                cost = shared * problem.numbers[CONFLICT]
                timetable.own[other, COST] += cost if after else -cost
    if option >= 0:
        _meet_occupants(problem, timetable, k, old_time, old_room, ONE_LESS)
        _occupy(problem, timetable, old_room, old_time, ONE_LESS)
    timetable.row[k] = row
    timetable.time[k] = time
    if option >= 0:
        if room != old_room:
            _leave_room(timetable, k)
            _enter_room(timetable, k, room)
        timetable.option[k] = option
        _occupy(problem, timetable, room, time, ONE_MORE)
        _meet_occupants(problem, timetable, k, time, room, ONE_MORE)
    if time != old_time:
        for at in range(problem.member_starts[k], problem.member_starts[k + 1]):
            rule = problem.members[at]
            timetable.surplus[rule] = excess(problem, timetable, rule, NOWHERE, NOWHERE)
    timetable.own[k, HARD] = change[NEW_HARD]
    timetable.own[k, COST] = change[NEW_COST]
    timetable.total[HARD] += change[HARD_CHANGE]
    timetable.total[COST] += change[COST_CHANGE]


@inner
def met(problem, timetable, k, room, time):
    """Count the other classes of a room that overlap a time."""
    count = np.int64(timetable.busy[room, time])
    if room == timetable.room[k] and problem.gap[time, timetable.time[k]] < 0:
        count -= 1
    return count


@inner
def _occupy(problem, timetable, room, time, sign):
    for at in range(timetable.busy.shape[1]):
        timetable.busy[room, at] += np.int16(sign) * np.int16(problem.gap[time, at] < 0)


@inner
def _meet_occupants(problem, timetable, k, time, room, sign):
    if met(problem, timetable, k, room, time) == 0:
        return
    for seat in range(timetable.occupied[room]):
        other = timetable.occupants[room, seat]
        if problem.gap[time, timetable.time[other]] < 0 and other != k:
            timetable.own[other, HARD] += sign * timetable.room_weight[room]


@inner
def _leave_room(timetable, k):
    room = timetable.room[k]
    last = timetable.occupied[room] - 1
    other = timetable.occupants[room, last]
    timetable.occupants[room, timetable.seat[k]] = other
    timetable.seat[other] = timetable.seat[k]
    timetable.occupied[room] = last


@inner
def _enter_room(timetable, k, room):
    timetable.room[k] = room
    timetable.seat[k] = timetable.occupied[room]
    timetable.occupants[room, timetable.occupied[room]] = k
    timetable.occupied[room] += 1


@inner
def holds(problem, bundle, k):
    for at in range(problem.bundle_starts[bundle], problem.bundle_starts[bundle + 1]):
        if problem.bundle_classes[at] == k:
            return True
    return False


@inner
def _collect(problem, timetable, demand, old, new):
    """List a student's other classes, those that change with a bundle, and count them."""
    student = problem.demand_student[demand]
    n_others = 0
    for one in range(problem.student_starts[student], problem.student_starts[student + 1]):
        bundle = timetable.bundle[one]
        if one != demand and bundle >= 0:
            for at in range(problem.bundle_starts[bundle], problem.bundle_starts[bundle + 1]):
                timetable.others[n_others] = problem.bundle_classes[at]
                n_others += 1
    n_leaving = 0
    n_entering = 0
    if old >= 0:
        for at in range(problem.bundle_starts[old], problem.bundle_starts[old + 1]):
            k = problem.bundle_classes[at]
            if holds(problem, new, k):
                timetable.others[n_others] = k
                n_others += 1
            else:
                timetable.leaving[n_leaving] = k
                n_leaving += 1
    for at in range(problem.bundle_starts[new], problem.bundle_starts[new + 1]):
        k = problem.bundle_classes[at]
        if old < 0 or not holds(problem, old, k):
            timetable.entering[n_entering] = k
            n_entering += 1
    return n_others, n_leaving, n_entering


@inner
def _conflicts(problem, timetable, moving, n_moving, n_others):
    """Count the conflicts of a student's moving classes with the others and each other."""
    total = 0
    for i in range(n_moving):
        k = moving[i]
        time, room = timetable.time[k], timetable.room[k]
        for at in range(n_others):
            other = timetable.others[at]
            there, other_room = timetable.time[other], timetable.room[other]
            if conflict(problem, time, room, there, other_room):
                total += 1
        for at in range(i):
            other = moving[at]
            there, other_room = timetable.time[other], timetable.room[other]
            if conflict(problem, time, room, there, other_room):
                total += 1
    return total


@inner
def look_at_bundle(problem, timetable, demand, new, limited):
    """Leave in `Timetable.change` what it changes that a student takes a course another way.

    Limits count only where they are to.
    """
    old = timetable.bundle[demand]
    n_others, n_leaving, n_entering = _collect(problem, timetable, demand, old, new)
    hard = 0
    if limited:
        for i in range(n_entering):
            k = timetable.entering[i]
            if timetable.attend[k] >= problem.limit[k]:
                hard += 1
        for i in range(n_leaving):
            k = timetable.leaving[i]
            if timetable.attend[k] > problem.limit[k]:
                hard -= 1
    found = _conflicts(problem, timetable, timetable.entering, n_entering, n_others)
    found -= _conflicts(problem, timetable, timetable.leaving, n_leaving, n_others)
    timetable.change[HARD_CHANGE] = hard
    timetable.change[COST_CHANGE] = found * problem.numbers[CONFLICT]


@inner
def _count_shared(problem, timetable, a, b, sign):
    count = timetable.shared[a, b] + sign
    if not count & LISTED:
        count += LISTED
        timetable.partners[problem.near_starts[a] + timetable.n_partners[a]] = b
        timetable.n_partners[a] += 1
    timetable.shared[a, b] = count


@inner
def _share(problem, timetable, a, b, sign):
    _count_shared(problem, timetable, a, b, sign)
    _count_shared(problem, timetable, b, a, sign)
    if conflict(
        problem, timetable.time[a], timetable.room[a], timetable.time[b], timetable.room[b]
    ):
        timetable.own[a, COST] += sign * problem.numbers[CONFLICT]
        timetable.own[b, COST] += sign * problem.numbers[CONFLICT]


@inner
def _enrol(problem, timetable, moving, n_moving, n_others, sign):
    for i in range(n_moving):
        k = moving[i]
        timetable.attend[k] += sign
        for at in range(n_others):
            _share(problem, timetable, k, timetable.others[at], sign)
        for at in range(i):
            _share(problem, timetable, k, moving[at], sign)


@inner
def take_bundle(problem, timetable, demand, new):
    """Let a student take a course another way; the totals are the caller's to count."""
    old = timetable.bundle[demand]
    n_others, n_leaving, n_entering = _collect(problem, timetable, demand, old, new)
    _enrol(problem, timetable, timetable.leaving, n_leaving, n_others, ONE_LESS)
    _enrol(problem, timetable, timetable.entering, n_entering, n_others, ONE_MORE)
    timetable.bundle[demand] = new
    touch(timetable, len(timetable.row) + demand)


@kernel
def fill(problem, timetable, bundles):
    """Count everything in a new timetable, with the bundles that are given."""
    n = len(timetable.time)
    for k in range(n):
        if timetable.option[k] >= 0:
            room = problem.room[timetable.option[k]]
            _enter_room(timetable, k, room)
            _occupy(problem, timetable, room, timetable.time[k], ONE_MORE)
    for demand in range(len(bundles)):
        # Of two demands the later one counts what they share.
        take_bundle(problem, timetable, demand, bundles[demand])
    count(problem, timetable)


@inner
def count(problem, timetable):
    """Count violations and cost anew."""
    n = len(timetable.time)
    twice_hard = 0
    twice_cost = 0
    hard = 0
    cost = 0
    for k in range(n):
        time, room = timetable.time[k], timetable.room[k]
        own_hard = 0
        own_cost = 0
        for at in range(problem.hard_starts[k], problem.hard_starts[k + 1]):
            other = problem.hard_other[at]
            kind, parameter = problem.hard_kind[at], problem.hard_parameter[at]
            there, other_room = timetable.time[other], timetable.room[other]
            if breaks(problem, kind, parameter, time, room, there, other_room):
                own_hard += timetable.weight[problem.hard_id[at]]
        if timetable.option[k] >= 0:
            own_hard += met(problem, timetable, k, room, time) * timetable.room_weight[room]
        for at in range(problem.soft_starts[k], problem.soft_starts[k + 1]):
            other = problem.soft_other[at]
            kind, parameter = problem.soft_kind[at], problem.soft_parameter[at]
            there, other_room = timetable.time[other], timetable.room[other]
            if breaks(problem, kind, parameter, time, room, there, other_room):
                own_cost += problem.soft_cost[at]
        if timetable.attend[k] > 0:
            first = problem.near_starts[k]
            for at in range(first, first + timetable.n_partners[k]):
                other = timetable.partners[at]
                there, other_room = timetable.time[other], timetable.room[other]
                shared = np.int64(timetable.shared[k, other]) & STUDENTS
                if conflict(problem, time, room, there, other_room):
                    own_cost += shared * problem.numbers[CONFLICT]
        timetable.own[k, HARD] = own_hard
        timetable.own[k, COST] = own_cost
        twice_hard += own_hard
        twice_cost += own_cost
        hard += closed_times(problem, k, timetable.row[k], timetable.option[k])
        hard += max(0, timetable.attend[k] - problem.limit[k])
        cost += problem.time_cost[timetable.row[k]]
        if timetable.option[k] >= 0:
            cost += problem.room_cost[timetable.option[k]]
    for rule in range(len(problem.global_kind)):
        surplus = excess(problem, timetable, rule, NOWHERE, NOWHERE)
        timetable.surplus[rule] = surplus
        if problem.global_cost[rule] < 0:
            hard += surplus * timetable.global_weight[rule]
        else:
            cost += global_cost(problem, rule, surplus)
    timetable.total[HARD] = hard + twice_hard // 2
    timetable.total[COST] = cost + twice_cost // 2


count_all = kernel(count.py_func)


@inner
def weigh_heavier(problem, timetable):
    """Add one to the weight of each required rule between classes that is broken."""
    for k in range(len(timetable.time)):
        if timetable.own[k, HARD] == 0:
            continue
        time, room = timetable.time[k], timetable.room[k]
        for at in range(problem.hard_starts[k], problem.hard_starts[k + 1]):
            other = problem.hard_other[at]
            kind, parameter = problem.hard_kind[at], problem.hard_parameter[at]
            there, other_room = timetable.time[other], timetable.room[other]
            if other < k and breaks(problem, kind, parameter, time, room, there, other_room):
                timetable.weight[problem.hard_id[at]] += 1
        if timetable.option[k] >= 0 and met(problem, timetable, k, room, time) > 0:
            timetable.room_weight[room] += 1
    for rule in range(len(timetable.surplus)):
        if problem.global_cost[rule] < 0 and timetable.surplus[rule] > 0:
            timetable.global_weight[rule] += 1
    count(problem, timetable)


@inner
def in_trouble(problem, timetable, k):
    """Tell whether a class breaks a required rule with others."""
    if timetable.own[k, HARD] > 0:
        return True
    for at in range(problem.member_starts[k], problem.member_starts[k + 1]):
        rule = problem.members[at]
        if problem.global_cost[rule] < 0 and timetable.surplus[rule] > 0:
            return True
    return closed_times(problem, k, timetable.row[k], timetable.option[k]) > 0


@inner
def weigh_evenly(problem, timetable):
    """Give each required rule between classes the weight of one violation."""
    for rule in range(len(timetable.weight)):
        timetable.weight[rule] = 1
    for room in range(len(timetable.room_weight)):
        timetable.room_weight[room] = 1
    for rule in range(len(timetable.global_weight)):
        timetable.global_weight[rule] = 1
    count(problem, timetable)
