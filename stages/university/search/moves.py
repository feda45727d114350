"""Moves of classes, with those that they push away."""

from ...search.compiling import inner
from ...search.random import below
from .rules import breaks
from .search_problem import ATTEND, BITS, DIFFERENT_ROOM, SAME_ROOM, SPAN
from .timetable import (
    ANYHOW,
    COST,
    COST_CHANGE,
    HARD,
    HARD_CHANGE,
    closed_times,
    look,
    met,
    put,
)

LONGEST = 24
"""Most classes that a chain moves."""

KLASS, OLD_ROW, OLD_OPTION, PUSHER, KIND, PARAMETER = range(6)
"""Columns of a chain: a class, where it was, who pushed it, and by which rule."""

CHAIN = 6
"""How many columns that are."""

# Most classes that those push who are in each other's way; more, where they go together.
_DEEP = 12

# Times of a pushed class that are tried, and rooms at each.
_TRIES = 40
_ROOMS = 4


@inner
def draw_row(problem, k, rng):
    """Draw a time of a class."""
    first = problem.time_starts[k]
    return first + below(rng, problem.time_starts[k + 1] - first)


@inner
def draw_option(problem, k, rng):
    """Draw a room option of a class; -1 where it needs none."""
    first, last = problem.room_starts[k], problem.room_starts[k + 1]
    if first == last:
        return -1
    return first + below(rng, last - first)


@inner
def is_free(problem, timetable, k, row, option):
    """Tell whether nobody else is in a room, and it is not closed, at a time."""
    if closed_times(problem, k, row, option) > 0:
        return False
    return met(problem, timetable, k, problem.room[option], problem.time_id[row]) == 0


@inner
def cheapest_free(problem, timetable, k, row, rng):
    """Return the cheapest free room option at a time, any of equals; else one drawn."""
    first = problem.room_starts[k]
    count = problem.room_starts[k + 1] - first
    if count == 0:
        return -1
    shift = below(rng, count)
    best = first + shift
    found = False
    for turn in range(count):
        at = shift + turn
        option = first + (at - count if at >= count else at)
        if not found and closed_times(problem, k, row, best) > 0:
            # Rather one that is taken than one that is closed.
            best = option
        if (not found or problem.room_cost[option] < problem.room_cost[best]) and is_free(
            problem, timetable, k, row, option
        ):
            best = option
            found = True
    return best


@inner
def any_free(problem, timetable, k, row, rng):
    """Return a free room option at a time, of a few that are drawn; else the last one drawn."""
    option = draw_option(problem, k, rng)
    if option < 0:
        return option
    for _ in range(_ROOMS):
        if is_free(problem, timetable, k, row, option):
            break
        option = draw_option(problem, k, rng)
    return option


@inner
def try_class(problem, timetable, k, row, option, bound, violation):
    """Move a class if energy grows by no more than a bound."""
    if look(problem, timetable, k, row, option, bound, violation):
        put(problem, timetable, k, row, option)
        return True
    return False


@inner
def _push(queue, size, k, pusher, kind, parameter, most):
    for at in range(size):
        if queue[at, KLASS] == k:
            return size
    if size < most:
        queue[size, KLASS] = k
        queue[size, PUSHER], queue[size, KIND], queue[size, PARAMETER] = pusher, kind, parameter
        return size + 1
    return LONGEST + 1


@inner
def _find_pushed(problem, timetable, k, queue, size, dear):
    """Append the classes with which a class breaks a required rule; too many if over LONGEST.

    Those too, with which it breaks a rule at more than some cost, as long as there is room.
    """
    time, room = timetable.time[k], timetable.room[k]
    for at in range(problem.hard_starts[k], problem.hard_starts[k + 1]):
        other = problem.hard_other[at]
        kind, parameter = problem.hard_kind[at], problem.hard_parameter[at]
        there, other_room = timetable.time[other], timetable.room[other]
        if breaks(problem, kind, parameter, time, room, there, other_room):
            most = LONGEST if kind in (BITS, SPAN) else _DEEP
            size = _push(queue, size, other, k, kind, parameter, most)
            if size > LONGEST:
                return size
    if timetable.option[k] >= 0 and met(problem, timetable, k, room, time) > 0:
        for seat in range(timetable.occupied[room]):
            other = timetable.occupants[room, seat]
            if other != k and problem.gap[time, timetable.time[other]] < 0:
                size = _push(queue, size, other, -1, 0, 0, _DEEP)
                if size > LONGEST:
                    return size
    if dear < ANYHOW:
        for at in range(problem.soft_starts[k], problem.soft_starts[k + 1]):
            if problem.soft_cost[at] > dear and size < LONGEST:
                other = problem.soft_other[at]
                kind, parameter = problem.soft_kind[at], problem.soft_parameter[at]
                there, other_room = timetable.time[other], timetable.room[other]
                if breaks(problem, kind, parameter, time, room, there, other_room):
                    size = _push(queue, size, other, k, kind, parameter, LONGEST)
    return size


@inner
def _option_in(problem, k, room):
    """Return a class's option of a room; -1 for none."""
    for option in range(problem.room_starts[k], problem.room_starts[k + 1]):
        if problem.room[option] == room:
            return option
    return -1


@inner
def _row_at(problem, k, time):
    """Return a class's row of one of the different times; -1 for none."""
    for row in range(problem.time_starts[k], problem.time_starts[k + 1]):
        if problem.time_id[row] == time:
            return row
    return -1


@inner
def _pushed_at(problem, timetable, row, pusher, kind, parameter):
    """Tell whether a rule between times is broken by one row, beside the class that pushed."""
    time, there = problem.time_id[row], timetable.time[pusher]
    if kind == ATTEND:
        return problem.gap[there, time] < 0
    # From the side of the one that pushed, as the rule was looked up.
    return breaks(problem, kind, parameter, there, -1, time, -1)


@inner
def _place_best(problem, timetable, k, time, room, violation, queue, at, rng):
    """Put a class where it costs least: at a time in a room, or at some other places.

    Only where the rule by which it was pushed is kept: of many classes that are to be at
    the same time each one would stay with most of them.
    """
    best_row, best_option = timetable.row[k], timetable.option[k]
    pusher, kind, parameter = queue[at, PUSHER], queue[at, KIND], queue[at, PARAMETER]
    by_time = pusher >= 0 and kind != SAME_ROOM and kind != DIFFERENT_ROOM
    best = ANYHOW if by_time else 0.0
    first = problem.time_starts[k]
    n_rows = problem.time_starts[k + 1] - first
    shift = below(rng, n_rows)
    has_room = best_option >= 0
    old_option = best_option
    for turn in range(min(n_rows, _TRIES)):
        place = shift + turn
        row = first + (place - n_rows if place >= n_rows else place)
        if by_time and _pushed_at(problem, timetable, row, pusher, kind, parameter):
            continue
        option = old_option
        if has_room and not is_free(problem, timetable, k, row, option):
            option = any_free(problem, timetable, k, row, rng)
        if look(problem, timetable, k, row, option, best, violation):
            worth = timetable.change[HARD_CHANGE] * violation + timetable.change[COST_CHANGE]
            # Of equals the later, which a drawn shift makes any.
            if worth <= best:
                best, best_row, best_option = worth, row, option
    row = _row_at(problem, k, time)
    if row >= 0 and not (by_time and _pushed_at(problem, timetable, row, pusher, kind, parameter)):
        option = _option_in(problem, k, room) if has_room else -1
        if has_room == (option >= 0) and look(problem, timetable, k, row, option, best, violation):
            worth = timetable.change[HARD_CHANGE] * violation + timetable.change[COST_CHANGE]
            if worth <= best:
                best, best_row, best_option = worth, row, option
    if has_room:
        option = cheapest_free(problem, timetable, k, best_row, rng)
        if look(problem, timetable, k, best_row, option, best, violation):
            worth = timetable.change[HARD_CHANGE] * violation + timetable.change[COST_CHANGE]
            if worth < best:
                best, best_option = worth, option
    if best_row != timetable.row[k] or best_option != timetable.option[k]:
        look(problem, timetable, k, best_row, best_option, ANYHOW, violation)
        put(problem, timetable, k, best_row, best_option)


@inner
def _most_to_gain(problem, timetable, k, violation):
    """Return what a class's place costs: no other place can win more."""
    worth = timetable.own[k, HARD] * violation + timetable.own[k, COST]
    worth += problem.time_cost[timetable.row[k]]
    if timetable.option[k] >= 0:
        worth += problem.room_cost[timetable.option[k]]
    return worth


@inner
def try_chain(problem, timetable, k, row, option, bound, violation, dear, queue, rng):
    """Move a class, and place those that it pushes away anew, each where it costs least.

    Pushed are those with which it breaks a required rule, or one that costs more than
    `dear`. All of it is done, or undone if energy grows by more than a bound.
    """
    if closed_times(problem, k, row, option) > 0:
        return False
    before_hard, before_cost = timetable.total[HARD], timetable.total[COST]
    old_time, old_room = timetable.time[k], timetable.room[k]
    queue[0, KLASS] = k
    size = 1
    at = 0
    while at < size:
        one = queue[at, KLASS]
        queue[at, OLD_ROW], queue[at, OLD_OPTION] = timetable.row[one], timetable.option[one]
        at += 1
        if one == k:
            look(problem, timetable, one, row, option, ANYHOW, violation)
            put(problem, timetable, one, row, option)
        else:
            _place_best(problem, timetable, one, old_time, old_room, violation, queue, at - 1, rng)
        size = _find_pushed(problem, timetable, one, queue, size, dear)
        if size > LONGEST:
            break
        least = (timetable.total[HARD] - before_hard) * violation
        least += timetable.total[COST] - before_cost
        for later in range(at, size):
            least -= _most_to_gain(problem, timetable, queue[later, KLASS], violation)
        if least > bound:
            size = LONGEST + 1
            break
    change = (timetable.total[HARD] - before_hard) * violation
    change += timetable.total[COST] - before_cost
    if size <= LONGEST and change <= bound:
        return True
    while at > 0:
        at -= 1
        one = queue[at, KLASS]
        if (
            queue[at, OLD_ROW] != timetable.row[one]
            or queue[at, OLD_OPTION] != timetable.option[one]
        ):
            look(
                problem,
                timetable,
                one,
                queue[at, OLD_ROW],
                queue[at, OLD_OPTION],
                ANYHOW,
                violation,
            )
            put(problem, timetable, one, queue[at, OLD_ROW], queue[at, OLD_OPTION])
    return False


@inner
def try_room(problem, timetable, k, option, bound, violation, queue, rng):
    """Move a class to another room; who is there takes its room, or the cheapest free one."""
    room, row = problem.room[option], timetable.row[k]
    time = timetable.time[k]
    if closed_times(problem, k, row, option) > 0:
        return False
    if met(problem, timetable, k, room, time) == 0:
        return try_class(problem, timetable, k, row, option, bound, violation)
    size = 0
    for seat in range(timetable.occupied[room]):
        other = timetable.occupants[room, seat]
        if other != k and problem.gap[time, timetable.time[other]] < 0:
            if size == LONGEST:
                return False
            queue[size, KLASS], queue[size, OLD_OPTION] = other, timetable.option[other]
            size += 1
    before_hard, before_cost = timetable.total[HARD], timetable.total[COST]
    old_option, old_room = timetable.option[k], timetable.room[k]
    look(problem, timetable, k, row, option, ANYHOW, violation)
    put(problem, timetable, k, row, option)
    done = 0
    for at in range(size):
        other = queue[at, KLASS]
        there = timetable.row[other]
        new = _option_in(problem, other, old_room)
        if new < 0 or not is_free(problem, timetable, other, there, new):
            new = cheapest_free(problem, timetable, other, there, rng)
        if closed_times(problem, other, there, new) > 0:
            break
        # Whatever it costs, it leaves; at the end all is weighed.
        look(problem, timetable, other, there, new, ANYHOW, violation)
        put(problem, timetable, other, there, new)
        done += 1
        change = (timetable.total[HARD] - before_hard) * violation
        change += timetable.total[COST] - before_cost
        if at == size - 1 and change <= bound:
            return True
    while done > 0:
        done -= 1
        other = queue[done, KLASS]
        there = timetable.row[other]
        look(problem, timetable, other, there, queue[done, OLD_OPTION], ANYHOW, violation)
        put(problem, timetable, other, there, queue[done, OLD_OPTION])
    look(problem, timetable, k, row, old_option, ANYHOW, violation)
    put(problem, timetable, k, row, old_option)
    return False
