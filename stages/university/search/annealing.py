"""Simulated annealing over times, rooms and sections at once, in chunks.

Required rules are relaxed: a violation has a weight that grows while any is left and
falls with the temperature while there is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...search.compiling import copy_into, inner, kernel
from ...search.random import below, uniform
from ...search.record import Record
from .moves import (
    CHAIN,
    LONGEST,
    any_free,
    cheapest_free,
    draw_option,
    draw_row,
    try_chain,
    try_class,
    try_room,
)
from .search_problem import SearchProblem
from .student_moves import (
    MOST_SWITCHES,
    try_exchange,
    try_leave,
    try_student,
    try_with_students,
)
from .timetable import (
    ANYHOW,
    COST,
    COST_CHANGE,
    HARD,
    HARD_CHANGE,
    Timetable,
    in_trouble,
    look,
    look_at_bundle,
    put,
    take_bundle,
    weigh_evenly,
    weigh_heavier,
)

MOVES_MADE, MOVES_LEFT, ACCEPTED, LOWEST, STUCK, N_TROUBLED, N_CROWDED = range(7)
"""Positions in `Anneal.clock`."""

VIOLATION, TEMPERATURE, LEAST, MOST = range(4)
"""Positions in `Anneal.settings`."""

# Part of the moves of classes that are of one that breaks a required rule, as long as one does.
FOCUS = 0.1

# Their temperature, in weights of a violation.
RESTLESS = 0.1

# After so many spells with violations, and none without ever, those that are there weigh more.
HEAVIER = 10

# After so many spells with violations, the best timetable is gone back to.
PATIENCE = 150

# Part of the moves of students that are of one in a class that is too full, as long as one is
# listed as such.
LEAVING = 0.5

# Part of the moves of classes to other times with which their students change sections.
WITH_STUDENTS = 0.15

# Part of the chains that push away those too with which a rule costs more than so many
# temperatures.
PUSHING, DEAR = 0.2, 2.0

# Moves after which the temperature and the weight of a violation are fitted.
SPELL = 1000


@dataclass(frozen=True, eq=False)
class Schedule:
    """How an anneal cools.

    Attributes
    ----------
    start, end
        First and last temperature, in units of cost.
    moves
        Moves in all.
    chains
        Part of the moves of classes that are chains.
    violation
        Least weight of a violation, in temperatures.
    floor
        Least weight of a violation, in units of cost.
    students
        Part of the moves that are of students.
    most
        Most weight of a violation, in units of cost: more than any change can win.
    """

    start: float
    end: float
    moves: int
    chains: float = 0.15
    violation: float = 8.0
    floor: float = 5.0
    students: float = 0.4
    most: float = 1e6


@dataclass(frozen=True, eq=False)
class Anneal(Record):
    """An anneal in progress.

    Attributes
    ----------
    best_row, best_option, best_bundle
        The best timetable seen.
    best_total
        Its violations and cost.
    settings
        float64 (4,): weight of a violation, temperature, and least and most weight of a
        violation.
    clock
        int64 (7,): moves proposed, left, accepted, the fewest violations of late, for
        how many spells there were some, and how many classes are in `troubled` and in
        `crowded`.
    rng
        Random state, uint64 (4,).
    troubled
        Classes that broke a required rule when the spell began, and may do so still.
    crowded
        Classes that were too full when the spell began, and may be so still; none once a
        timetable without violations is known.
    queue, log
        Room to work in for a chain, and for students who change sections.
    """

    best_row: NDArray[np.int32]
    best_option: NDArray[np.int32]
    best_bundle: NDArray[np.int32]
    best_total: NDArray[np.int64]
    settings: NDArray[np.float64]
    clock: NDArray[np.int64]
    rng: NDArray[np.uint64]
    troubled: NDArray[np.int32]
    crowded: NDArray[np.int32]
    queue: NDArray[np.int64]
    log: NDArray[np.int64]


def start_anneal(timetable: Timetable, schedule: Schedule, rng: NDArray[np.uint64]) -> Anneal:
    """Begin an anneal from a timetable, which is changed from now on."""
    least = max(schedule.floor, schedule.violation * schedule.start)
    timetable.n_touched[0] = len(timetable.touched) + 1
    return Anneal(
        timetable.row.copy(),
        timetable.option.copy(),
        timetable.bundle.copy(),
        timetable.total.copy(),
        np.array([least, schedule.start, least, max(schedule.most, least)]),
        np.array([0, schedule.moves, 0, 1 << 60, 0, 0, 0], np.int64),
        rng,
        np.zeros(len(timetable.row), np.int32),
        np.zeros(len(timetable.row), np.int32),
        np.zeros((LONGEST + 1, CHAIN), np.int64),
        np.zeros((MOST_SWITCHES, 2), np.int64),
    )


def anneal_chunk(
    problem: SearchProblem, timetable: Timetable, anneal: Anneal, schedule: Schedule, moves: int
) -> None:
    """Propose a number of moves."""
    run_moves(
        problem,
        timetable,
        anneal,
        schedule.start,
        schedule.end,
        schedule.chains,
        schedule.violation,
        schedule.floor,
        schedule.students,
        moves,
    )


@inner
def _keep_best(timetable, anneal):
    total, best = timetable.total, anneal.best_total
    if total[HARD] < best[HARD] or (total[HARD] == best[HARD] and total[COST] < best[COST]):
        n = timetable.n_touched[0]
        if n <= len(timetable.touched):
            # On the way down a better one comes every few moves: only what moved is copied.
            for at in range(n):
                item = timetable.touched[at]
                demand = item - len(timetable.row)
                if demand >= 0:
                    anneal.best_bundle[demand] = timetable.bundle[demand]
                else:
                    anneal.best_row[item] = timetable.row[item]
                    anneal.best_option[item] = timetable.option[item]
        else:
            copy_into(anneal.best_row, timetable.row)
            copy_into(anneal.best_option, timetable.option)
            copy_into(anneal.best_bundle, timetable.bundle)
        timetable.n_touched[0] = 0
        copy_into(best, total)


@inner
def _go_back(problem, timetable, anneal):
    """Make the best timetable the present one."""
    for k in range(len(timetable.row)):
        row, option = anneal.best_row[k], anneal.best_option[k]
        if row != timetable.row[k] or option != timetable.option[k]:
            look(problem, timetable, k, row, option, ANYHOW, 1.0)
            put(problem, timetable, k, row, option)
    for demand in range(len(timetable.bundle)):
        if anneal.best_bundle[demand] != timetable.bundle[demand]:
            look_at_bundle(problem, timetable, demand, anneal.best_bundle[demand], True)
            timetable.total[HARD] += timetable.change[HARD_CHANGE]
            timetable.total[COST] += timetable.change[COST_CHANGE]
            take_bundle(problem, timetable, demand, anneal.best_bundle[demand])


@inner
def _move_student(problem, timetable, anneal, bound, violation):
    rng = anneal.rng
    if anneal.clock[N_CROWDED] > 0 and uniform(rng) < LEAVING:
        k = _crowded_class(problem, timetable, anneal)
        if k >= 0:
            return try_leave(problem, timetable, k, bound, violation, rng)
    demand = problem.free[below(rng, len(problem.free))]
    course = problem.demand_course[demand]
    if uniform(rng) < 0.6:
        first = problem.course_starts[course]
        bundle = first + below(rng, problem.course_starts[course + 1] - first)
        if bundle != timetable.bundle[demand]:
            return try_student(problem, timetable, demand, bundle, bound, violation)
        return False
    first = problem.takers_starts[course]
    at = first + below(rng, problem.takers_starts[course + 1] - first)
    other = problem.takers[at]
    if timetable.bundle[other] != timetable.bundle[demand]:
        return try_exchange(problem, timetable, demand, other, bound)
    return False


@inner
def _list_troubled(problem, timetable, anneal):
    """List the classes that break a required rule with others.

    Until a timetable without violations is known, those too that are too full.
    """
    n_troubled = 0
    n_crowded = 0
    if timetable.total[HARD] > 0:
        for at in range(len(problem.movable)):
            k = problem.movable[at]
            if in_trouble(problem, timetable, k):
                anneal.troubled[n_troubled] = k
                n_troubled += 1
    if anneal.best_total[HARD] > 0:
        for k in range(len(problem.limit)):
            if timetable.attend[k] > problem.limit[k]:
                anneal.crowded[n_crowded] = k
                n_crowded += 1
    anneal.clock[N_TROUBLED] = n_troubled
    anneal.clock[N_CROWDED] = n_crowded


@inner
def _crowded_class(problem, timetable, anneal):
    """Return a class that is too full, any of them; -1 for none."""
    clock = anneal.clock
    while clock[N_CROWDED] > 0:
        at = below(anneal.rng, clock[N_CROWDED])
        k = anneal.crowded[at]
        if timetable.attend[k] > problem.limit[k]:
            return k
        # No longer: the last takes its place.
        clock[N_CROWDED] -= 1
        anneal.crowded[at] = anneal.crowded[clock[N_CROWDED]]
    return -1


@inner
def _class_in_trouble(problem, timetable, anneal):
    """Return a class that breaks a required rule with others, any of them; -1 for none."""
    clock, rng = anneal.clock, anneal.rng
    while clock[N_TROUBLED] > 0:
        at = below(rng, clock[N_TROUBLED])
        k = anneal.troubled[at]
        if in_trouble(problem, timetable, k):
            return k
        # No longer: the last takes its place.
        clock[N_TROUBLED] -= 1
        anneal.troubled[at] = anneal.troubled[clock[N_TROUBLED]]
    return -1


@inner
def _move_class(problem, timetable, anneal, bound, violation, chains):
    rng = anneal.rng
    k = -1
    if timetable.total[HARD] > 0 and uniform(rng) < FOCUS:
        k = _class_in_trouble(problem, timetable, anneal)
        chains = 0.5
        if k >= 0 and anneal.best_total[HARD] > 0:
            # At whatever cost: what is in trouble must get about.
            bound = max(bound, -RESTLESS * violation * math.log(1.0 - uniform(rng)))
    if k < 0:
        k = problem.movable[below(rng, len(problem.movable))]
    row, option = timetable.row[k], timetable.option[k]
    n_rows = problem.time_starts[k + 1] - problem.time_starts[k]
    n_options = problem.room_starts[k + 1] - problem.room_starts[k]
    what = uniform(rng)
    if n_options > 1 and (n_rows == 1 or what < 0.3):
        new = draw_option(problem, k, rng)
        if new == option:
            return False
        return try_room(problem, timetable, k, new, bound, violation, anneal.queue, rng)
    new_row = draw_row(problem, k, rng)
    if new_row == row:
        return False
    if uniform(rng) < chains:
        if n_options > 1 and what < 0.65:
            option = draw_option(problem, k, rng)
        dear = ANYHOW
        if uniform(rng) < PUSHING:
            dear = DEAR * anneal.settings[TEMPERATURE]
        return try_chain(
            problem, timetable, k, new_row, option, bound, violation, dear, anneal.queue, rng
        )
    if n_options > 1:
        if what < 0.5:
            option = cheapest_free(problem, timetable, k, new_row, rng)
        elif what < 0.8:
            option = any_free(problem, timetable, k, new_row, rng)
    if timetable.attend[k] > 0 and uniform(rng) < WITH_STUDENTS:
        course = problem.class_course[k]
        return try_with_students(
            problem, timetable, k, course, new_row, option, bound, violation, anneal.log, rng
        )
    return try_class(problem, timetable, k, new_row, option, bound, violation)


@kernel
def run_moves(problem, timetable, anneal, start, end, chains, least, floor, students, moves):
    """Propose a number of moves."""
    clock, settings, rng = anneal.clock, anneal.settings, anneal.rng
    n_free, n_movable = len(problem.free), len(problem.movable)
    if n_free == 0:
        students = 0.0
    if n_movable == 0:
        students = 1.0
    if n_free + n_movable == 0:
        moves = 0
    for _ in range(moves):
        # By the anneal's moves: where a chunk begins and ends makes no difference.
        if clock[MOVES_MADE] % SPELL == 0:
            made, left = clock[MOVES_MADE], clock[MOVES_LEFT]
            part = made / max(1, made + left)
            temperature = start * math.exp(part * math.log(end / start))
            settings[TEMPERATURE] = temperature
            lowest = max(floor, least * temperature)
            settings[LEAST] = lowest
            if clock[LOWEST] == 0:
                settings[VIOLATION] = max(lowest, settings[VIOLATION] * 0.99)
                clock[STUCK] = 0
            else:
                settings[VIOLATION] = min(settings[MOST], settings[VIOLATION] * 1.06)
                clock[STUCK] += 1
                if anneal.best_total[HARD] > 0:
                    if clock[STUCK] % HEAVIER == 0:
                        weigh_heavier(problem, timetable)
                        # Of what was weighed differently nothing can be compared.
                        anneal.best_total[HARD] = timetable.total[HARD] + 1
                        _keep_best(timetable, anneal)
                elif clock[STUCK] > PATIENCE:
                    _go_back(problem, timetable, anneal)
                    clock[STUCK] = 0
            clock[LOWEST] = timetable.total[HARD]
            _list_troubled(problem, timetable, anneal)
        violation = settings[VIOLATION]
        bound = -settings[TEMPERATURE] * math.log(1.0 - uniform(rng))
        if uniform(rng) < students:
            done = _move_student(problem, timetable, anneal, bound, violation)
        else:
            done = _move_class(problem, timetable, anneal, bound, violation, chains)
        if done:
            clock[ACCEPTED] += 1
            clock[LOWEST] = min(clock[LOWEST], timetable.total[HARD])
            if timetable.total[HARD] <= anneal.best_total[HARD]:
                if timetable.total[HARD] == 0 and anneal.best_total[HARD] > 0:
                    weigh_evenly(problem, timetable)
                    settings[VIOLATION] = settings[LEAST]
                _keep_best(timetable, anneal)
        clock[MOVES_MADE] += 1
        clock[MOVES_LEFT] = max(0, clock[MOVES_LEFT] - 1)
