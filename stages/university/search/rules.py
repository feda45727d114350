"""The rules as kernels: whether two places break one, and what is in excess."""

from ...search.compiling import inner
from .search_problem import (
    ATTEND,
    BITS,
    DAYS,
    DIFFERENT_ROOM,
    DISTRIBUTION,
    GAP,
    MAX_BREAKS,
    MAX_DAY_LOAD,
    MAX_DAYS,
    SAME_ROOM,
    SPAN,
    WEEKS,
)


@inner
def breaks(problem, kind, parameter, time, room, other_time, other_room):
    """Tell whether two times, in two rooms, break a rule between their classes."""
    if kind == GAP:
        return problem.gap[time, other_time] < parameter
    if kind == ATTEND:
        return problem.gap[time, other_time] < problem.travel[room, other_room]
    if kind == BITS:
        return (problem.bits[time, other_time] & parameter) != 0
    if kind == SPAN:
        return problem.span[time, other_time] > parameter
    if kind == SAME_ROOM:
        return room != other_room
    if kind == DIFFERENT_ROOM:
        return room == other_room
    return problem.gap[time, other_time] >= 0


@inner
def excess(problem, timetable, rule, k, time):
    """Count what is in excess of a rule over all of some classes, with class k at a time."""
    first, last = problem.global_starts[rule], problem.global_starts[rule + 1]
    kind = problem.global_kind[rule]
    most, gap = problem.global_first[rule], problem.global_second[rule]
    all_days = 0
    all_weeks = 0
    size = 0
    order = timetable.order
    for at in range(first, last):
        one = problem.global_classes[at]
        there = time if one == k else timetable.time[one]
        all_days |= problem.days[there]
        all_weeks |= problem.weeks[there]
        # By start, so that blocks are met in their order.
        place = size
        if kind > MAX_DAY_LOAD:
            while place > 0 and problem.start[order[place - 1]] > problem.start[there]:
                order[place] = order[place - 1]
                place -= 1
        order[place] = there
        size += 1
    total = 0
    if kind == MAX_DAYS:
        while all_days:
            total += all_days & 1
            all_days >>= 1
        return max(0, total - most)
    for week in range(problem.numbers[WEEKS]):
        if not (all_weeks >> week) & 1:
            continue
        for day in range(problem.numbers[DAYS]):
            if not (all_days >> day) & 1:
                continue
            if kind == MAX_DAY_LOAD:
                total += _overload(problem, order, size, week, day, most)
            else:
                total += _bad_blocks(problem, order, size, week, day, kind, most, gap)
    return total


@inner
def _overload(problem, order, size, week, day, most):
    load = 0
    for at in range(size):
        there = order[at]
        if (problem.weeks[there] >> week) & (problem.days[there] >> day) & 1:
            load += problem.end[there] - problem.start[there]
    return max(0, load - most)


@inner
def _bad_blocks(problem, order, size, week, day, kind, most, gap):
    """Count too many blocks of a day, or those that are too long."""
    blocks = 0
    long_ones = 0
    begin = 0
    reach = 0
    in_block = 0
    for at in range(size):
        there = order[at]
        if not (problem.weeks[there] >> week) & (problem.days[there] >> day) & 1:
            continue
        if in_block == 0 or problem.start[there] - reach > gap:
            if in_block > 1 and reach - begin > most:
                long_ones += 1
            blocks += 1
            in_block = 0
            begin = problem.start[there]
            reach = problem.end[there]
        in_block += 1
        reach = max(reach, problem.end[there])
    if in_block > 1 and reach - begin > most:
        long_ones += 1
    if kind == MAX_BREAKS:
        return max(0, blocks - most - 1)
    return long_ones


@inner
def global_cost(problem, rule, surplus):
    """Return the weighted cost of a rule's excess; the division is once a rule."""
    cost = problem.global_cost[rule] * surplus
    if problem.global_kind[rule] != MAX_DAYS:
        cost //= problem.numbers[WEEKS]
    return cost * problem.numbers[DISTRIBUTION]
