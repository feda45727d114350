"""Attempts to make one class cost less: all of a kind of moves, of which none makes it worse."""

from ...search.compiling import inner, kernel
from ...search.random import below
from .moves import (
    KLASS,
    any_free,
    cheapest_free,
    draw_option,
    try_chain,
    try_class,
    try_room,
)
from .student_moves import try_exchange, try_student
from .timetable import ANYHOW, COST, HARD, closed_times

TIME, ROOM, CHAIN, STUDENTS = range(4)
"""Kinds of attempts."""

# Attempts with students of a course, and times of a chain.
_STUDENTS = 60
_CHAINS = 25


@kernel
def class_costs(problem, timetable, violation, costs):
    """Count for each class what its place costs by itself and with others."""
    for k in range(len(costs)):
        row, option = timetable.row[k], timetable.option[k]
        hard = timetable.own[k, HARD] + closed_times(problem, k, row, option)
        cost = 0.5 * timetable.own[k, COST] + problem.time_cost[row]
        if option >= 0:
            cost += problem.room_cost[option]
        for at in range(problem.member_starts[k], problem.member_starts[k + 1]):
            if timetable.surplus[problem.members[at]] > 0:
                cost += 1.0
                if problem.global_cost[problem.members[at]] < 0:
                    hard += 1
        costs[k] = hard * violation + cost


@inner
def _try_times(problem, timetable, k, violation, rng):
    n_rows = problem.time_starts[k + 1] - problem.time_starts[k]
    shift = below(rng, n_rows)
    for turn in range(n_rows):
        at = shift + turn
        row = problem.time_starts[k] + (at - n_rows if at >= n_rows else at)
        option = cheapest_free(problem, timetable, k, row, rng)
        try_class(problem, timetable, k, row, option, 0.0, violation)


@inner
def _try_rooms(problem, timetable, k, violation, queue, rng):
    for option in range(problem.room_starts[k], problem.room_starts[k + 1]):
        if option != timetable.option[k]:
            try_room(problem, timetable, k, option, 0.0, violation, queue, rng)


@inner
def _try_chains(problem, timetable, k, violation, queue, rng):
    n_rows = problem.time_starts[k + 1] - problem.time_starts[k]
    for _ in range(min(n_rows, _CHAINS)):
        row = problem.time_starts[k] + below(rng, n_rows)
        option = any_free(problem, timetable, k, row, rng)
        if below(rng, 2) == 0:
            option = draw_option(problem, k, rng)
        if row != timetable.row[k] or option != timetable.option[k]:
            dear = 1.0 if below(rng, 2) == 0 else ANYHOW
            try_chain(problem, timetable, k, row, option, 0.0, violation, dear, queue, rng)


@inner
def _try_students(problem, timetable, course, violation, rng):
    first = problem.takers_starts[course]
    n_takers = problem.takers_starts[course + 1] - first
    start = problem.course_starts[course]
    n_bundles = problem.course_starts[course + 1] - start
    if n_takers == 0 or n_bundles < 2:
        return
    for _ in range(_STUDENTS):
        demand = problem.takers[first + below(rng, n_takers)]
        bundle = start + below(rng, n_bundles)
        if bundle != timetable.bundle[demand]:
            try_student(problem, timetable, demand, bundle, 0.0, violation)
        other = problem.takers[first + below(rng, n_takers)]
        if timetable.bundle[other] != timetable.bundle[demand]:
            try_exchange(problem, timetable, demand, other, 0.0)


@kernel
def attempt(problem, timetable, k, course, kind, violation, queue, rng):
    """Make all moves of a kind that do not make a class, or its course's students, cost more."""
    queue[0, KLASS] = k
    if kind == TIME:
        _try_times(problem, timetable, k, violation, rng)
    elif kind == ROOM:
        _try_rooms(problem, timetable, k, violation, queue, rng)
    elif kind == CHAIN:
        _try_chains(problem, timetable, k, violation, queue, rng)
    else:
        _try_students(problem, timetable, course, violation, rng)
