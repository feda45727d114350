"""Simulated annealing over moves, swaps and Kempe chains, in chunks.

Temperature levels with a cut-off on accepted moves follow R. Bellio,
S. Ceschia, L. Di Gaspero, A. Schaerf, T. Urli, *Feature-based tuning of
simulated annealing applied to the curriculum-based course timetabling
problem*, Computers & OR 65, 2016. The threshold of acceptance is drawn before
a move is evaluated, so that a bad move is left as soon as it passes it.
"""

from dataclasses import dataclass

import numpy as np
from numba import float64, int64, uint64
from numpy.typing import NDArray

from ...search.compiling import NOWHERE, copy_into, inner, kernel
from ...search.random import next_uint64
from ...search.record import Record
from ..constraints.search.hard import pair_violations, shift_violations
from ..constraints.search.terms import (
    ALONE,
    course_cost,
    curricula_cost,
    least_course_cost,
    pair_cost,
    pair_room_cost,
    room_cost,
)
from ..constraints.search.weights import COST, VIOLATIONS, enabled
from .double_chains import try_double_chain
from .kempe import REJECTED, apply_chain, best_free_room, chain_change, find_chain
from .pairs import try_pair
from .proposals import (
    BLOCK,
    DICE,
    LECTURE,
    LONGEST,
    PERIOD,
    cell_room,
    propose_any,
    propose_cell,
    propose_chain,
    propose_move,
    propose_pair,
)
from .search_problem import SearchProblem
from .timetable import Timetable, build_timetable, can_enter, exchange, link, relocate, shift

MOVES_LEFT, LEVEL, LEVEL_MOVES, LEVEL_CHANGES, MOVES_MADE, ACCEPTED = range(6)
"""Positions in `Anneal.clock`."""


@dataclass(frozen=True)
class Schedule(Record):
    """How an anneal cools.

    Attributes
    ----------
    start, end
        First and last temperature, in units of cost.
    moves
        Moves proposed in all; what the cut-off saves goes to later levels.
    levels
        Number of temperatures, geometric between `start` and `end`.
    cutoff
        A level ends early when its accepted moves that changed the cost reach this
        part of its moves.
    kempe
        Part of the proposals that are Kempe chains.
    best_room
        Part of the proposals that move a lecture to the best free room of another
        period; the rest go to any cell and exchange lectures if it is taken.
    pair
        Part of the proposals that move two lectures that follow one another.
    double
        Part of the proposals that are two Kempe chains between periods that follow one
        another.
    violation
        Cost that one violation counts as.
    """

    start: float
    end: float
    moves: int
    levels: int = 400
    cutoff: float = 0.02
    kempe: float = 0.15
    best_room: float = 0.35
    pair: float = 0.2
    double: float = 0.07
    violation: float = 100.0


@dataclass(frozen=True, eq=False)
class Anneal:
    """An anneal in progress: what a chunk needs and changes.

    Attributes
    ----------
    timetable
        The present timetable.
    best_period, best_room
        The best timetable seen, int64 (n_lectures,).
    best_total
        Its violations and cost, int64 (2,).
    proposals, bounds
        Room to work in for moves that are drawn, uint64 (3, BLOCK) and float64 (BLOCK,).
    pool
        The lectures that moves are proposed for, int64; others move only when they
        exchange places with one of these.
    rng
        Random state, uint64 (4,).
    clock
        int64 (6,): moves left, level, moves left in the level, changes of the cost
        that may still be accepted in it, moves proposed and moves accepted in all.
    """

    timetable: Timetable
    best_period: NDArray[np.int64]
    best_room: NDArray[np.int64]
    best_total: NDArray[np.int64]
    proposals: NDArray[np.uint64]
    bounds: NDArray[np.float64]
    pool: NDArray[np.int64]
    rng: NDArray[np.uint64]
    clock: NDArray[np.int64]

    @property
    def moves_left(self) -> int:
        """Moves until the anneal ends."""
        return int(self.clock[MOVES_LEFT])


def start_anneal(
    problem: SearchProblem,
    period: NDArray[np.integer],
    room: NDArray[np.integer],
    schedule: Schedule,
    rng: NDArray[np.uint64],
    pool: NDArray[np.int64] | None = None,
) -> Anneal:
    """Begin an anneal from a timetable, of all lectures or of a pool of them."""
    timetable = build_timetable(problem, period, room)
    clock = np.array([schedule.moves, -1, 0, 0, 0, 0], np.int64)
    pool = np.arange(len(period)) if pool is None else pool
    is_open = np.diff(problem.open_starts)[problem.course[pool]] > 0
    return Anneal(
        timetable,
        timetable.period.copy(),
        timetable.room.copy(),
        timetable.total.copy(),
        np.empty((3, BLOCK), np.uint64),
        np.empty(BLOCK),
        pool[is_open],
        rng,
        clock,
    )


def anneal_chunk(problem: SearchProblem, anneal: Anneal, schedule: Schedule, moves: int) -> Anneal:
    """Go on with an anneal for a number of moves; a task for an executor.

    Returns
    -------
    Anneal
        The same anneal, changed in place; in another process, its copy.
    """
    run_moves(
        problem,
        anneal.timetable,
        anneal.best_period,
        anneal.best_room,
        anneal.best_total,
        anneal.proposals,
        anneal.bounds,
        anneal.pool,
        anneal.rng,
        anneal.clock,
        schedule,
        moves,
    )
    return anneal


@kernel
def run_moves(
    problem,
    timetable,
    best_period,
    best_room,
    best_total,
    proposals,
    bounds,
    pool,
    rng,
    clock,
    schedule,
    moves,
):
    """Propose a number of moves, fewer if the anneal ends before."""
    chain_draws = uint64(schedule.kempe * 65536.0)
    best_draws = uint64((schedule.kempe + schedule.best_room) * 65536.0)
    pair_draws = uint64((schedule.kempe + schedule.best_room + schedule.pair) * 65536.0)
    double_draws = pair_draws + uint64(schedule.double * 65536.0)
    violation = schedule.violation
    temperature = _temperature(schedule, clock[LEVEL])
    moves = min(moves, clock[MOVES_LEFT])
    if len(pool) == 0:
        # Nothing can move.
        clock[MOVES_LEFT] -= moves
        clock[MOVES_MADE] += moves
        return
    while moves > 0:
        if clock[LEVEL_MOVES] <= 0 or clock[LEVEL_CHANGES] <= 0:
            _next_level(schedule, clock, clock[MOVES_LEFT])
            temperature = _temperature(schedule, clock[LEVEL])
        size = min(moves, clock[LEVEL_MOVES], BLOCK)
        moves -= size
        clock[MOVES_LEFT] -= size
        clock[LEVEL_MOVES] -= size
        clock[MOVES_MADE] += size
        kind = next_uint64(rng) >> uint64(48)
        is_chain = kind < chain_draws or pair_draws <= kind < double_draws
        if timetable.total[VIOLATIONS] > 0:
            # Where something clashes, only an evaluation tells what a move is worth.
            kept = propose_any(
                problem, timetable, proposals, bounds, pool, rng, temperature, size, is_chain
            )
        elif is_chain:
            kept = propose_chain(
                problem, timetable, proposals, bounds, pool, rng, temperature, size, True
            )
        elif kind < best_draws:
            kept = propose_move(
                problem, timetable, proposals, bounds, pool, rng, temperature, size, False
            )
        elif kind < pair_draws:
            kept = propose_pair(
                problem, timetable, proposals, bounds, pool, rng, temperature, size, False
            )
        else:
            kept = propose_cell(
                problem, timetable, proposals, bounds, pool, rng, temperature, size, False
            )
        for i in range(kept):
            lecture, p2 = int64(proposals[LECTURE, i]), int64(proposals[PERIOD, i])
            dice = proposals[DICE, i]
            r2, bound = int64(cell_room(problem, dice)), bounds[i]
            violations, cost = timetable.total[VIOLATIONS], timetable.total[COST]
            if kind < chain_draws and timetable.conflicts[p2, problem.course[lecture]] > 0:
                accepted = _try_chain(problem, timetable, lecture, p2, bound)
            elif kind < best_draws:
                accepted = _try_period(problem, timetable, lecture, p2, r2, bound, violation)
            elif kind < pair_draws:
                accepted = try_pair(problem, timetable, lecture, p2, dice >> uint64(12), bound)
            elif kind < double_draws and timetable.total[VIOLATIONS] == 0:
                accepted = try_double_chain(
                    problem, timetable, lecture, p2, dice >> uint64(12), bound, LONGEST
                )
            else:
                accepted = try_cell(problem, timetable, lecture, p2, r2, bound, violation)
            if accepted:
                total = timetable.total
                # Moves that cost nothing go on in the coldest timetable: they tell no temperature.
                clock[LEVEL_CHANGES] -= total[VIOLATIONS] != violations or total[COST] != cost
                clock[ACCEPTED] += 1
                if total[VIOLATIONS] < best_total[VIOLATIONS] or (
                    total[VIOLATIONS] == best_total[VIOLATIONS] and total[COST] < best_total[COST]
                ):
                    copy_into(best_total, total)
                    copy_into(best_period, timetable.period)
                    copy_into(best_room, timetable.room)


@inner
def _temperature(schedule, level):
    step = min(max(level, 0), schedule.levels - 1) / max(schedule.levels - 1, 1)
    return schedule.start * (schedule.end / schedule.start) ** step


@inner
def _next_level(schedule, clock, moves_left):
    clock[LEVEL] = min(clock[LEVEL] + 1, schedule.levels - 1)
    clock[LEVEL_MOVES] = max(moves_left // (schedule.levels - clock[LEVEL]), 1)
    clock[LEVEL_CHANGES] = max(int(clock[LEVEL_MOVES] * schedule.cutoff), 1)
    if clock[LEVEL] == schedule.levels - 1:
        # The last level has nowhere to leave its moves to.
        clock[LEVEL_CHANGES] = clock[LEVEL_MOVES] + 1


@inner
def try_cell(problem, timetable, lecture, p2, r2, bound, violation):
    """Move a lecture to a cell, exchanging it with the lecture there, if the cost allows.

    Parameters
    ----------
    bound
        The most that the cost may rise.
    violation
        Cost that one violation counts as.

    Returns
    -------
    bool
        Whether the move was made.
    """
    course = problem.course[lecture]
    if not problem.available[course, p2]:
        return False
    other = timetable.cell[p2, r2]
    if other >= 0:
        if timetable.period[lecture] < 0:
            return _try_ejection(problem, timetable, lecture, other, bound, violation)
        return _try_exchange(problem, timetable, lecture, other, bound, violation)
    return _try_shift(problem, timetable, lecture, p2, r2, bound, violation)


@inner
def _most_gain(problem, course, violation):
    """Bound what moving a lecture of a course wins beside the violations that it adds.

    Less than half of what a violation counts: moves that add one and win more are too
    rare to look for, but without this the courses of many curricula would be
    evaluated to the end for every conflict.
    """
    return min(float64(problem.gain[course]), 0.4 * violation)


@inner
def _try_shift(problem, timetable, lecture, p2, r2, bound, violation):
    course = problem.course[lecture]
    violations = shift_violations(problem, timetable, lecture, p2, r2)
    p1, r1 = timetable.period[lecture], timetable.room[lecture]
    cost = room_cost(problem, course, r2)
    if p1 >= 0:
        cost -= room_cost(problem, course, r1)
    if violations * violation + cost - _most_gain(problem, course, violation) > bound:
        return False
    if p1 != p2 and not can_enter(problem, timetable, lecture, p2):
        return False
    cost += course_cost(problem, timetable, lecture, p1, r1, p2, r2)
    cost += curricula_cost(problem, timetable, course, p1, r1, p2, r2, NOWHERE)
    if violations * violation + cost > bound:
        return False
    timetable.total[VIOLATIONS] += violations
    timetable.total[COST] += cost
    if p1 >= 0:
        relocate(problem, timetable, lecture, p2, r2)
    else:
        link(problem, timetable, lecture, p2, r2)
    return True


@inner
def _try_period(problem, timetable, lecture, p2, first_room, bound, violation):
    """Move a lecture to another period, into the free room there that suits it best."""
    course = problem.course[lecture]
    p1, r1 = timetable.period[lecture], timetable.room[lecture]
    if p1 < 0 or p1 == p2:
        return False
    violations = timetable.conflicts[p2, course] - timetable.conflicts[p1, course]
    cost = -room_cost(problem, course, r1)
    if enabled(problem.hard_suitability):
        violations -= problem.unsuitable[course, r1]
    if violations * violation + cost - _most_gain(problem, course, violation) > bound:
        return False
    if not can_enter(problem, timetable, lecture, p2):
        return False
    if not enabled(problem.rooms_of_curricula):
        # All that does not depend on the new room; a room can win back no more than this.
        by_period = curricula_cost(problem, timetable, course, p1, r1, p2, r1, NOWHERE)
        by_period += least_course_cost(problem, timetable, lecture, p1, p2, ALONE)
        if violations * violation + cost + by_period > bound:
            return False
    r2 = best_free_room(problem, timetable, lecture, p2, first_room)
    if r2 < 0:
        return False
    if enabled(problem.hard_suitability):
        violations += problem.unsuitable[course, r2]
    cost += room_cost(problem, course, r2)
    cost += course_cost(problem, timetable, lecture, p1, r1, p2, r2)
    cost += curricula_cost(problem, timetable, course, p1, r1, p2, r2, NOWHERE)
    if violations * violation + cost > bound:
        return False
    timetable.total[VIOLATIONS] += violations
    timetable.total[COST] += cost
    relocate(problem, timetable, lecture, p2, r2)
    return True


@inner
def _try_exchange(problem, timetable, lecture, other, bound, violation):
    c, d = problem.course[lecture], problem.course[other]
    p1, r1 = timetable.period[lecture], timetable.room[lecture]
    p2, r2 = timetable.period[other], timetable.room[other]
    if c == d or not problem.available[d, p1]:
        return False
    violations = pair_violations(problem, timetable, lecture, other)
    cost = pair_room_cost(problem, c, r1, d, r2)
    gain = _most_gain(problem, c, violation) + _most_gain(problem, d, violation)
    if violations * violation + cost - gain > bound:
        return False
    if p1 != p2 and not (
        can_enter(problem, timetable, lecture, p2) and can_enter(problem, timetable, other, p1)
    ):
        return False
    cost += pair_cost(problem, timetable, lecture, other)
    if violations * violation + cost > bound:
        return False
    timetable.total[VIOLATIONS] += violations
    timetable.total[COST] += cost
    exchange(problem, timetable, lecture, other)
    return True


@inner
def _try_ejection(problem, timetable, lecture, other, bound, violation):
    """Let a lecture without a place take another's; rare, so it is tried out and undone."""
    p, r = timetable.period[other], timetable.room[other]
    violations, cost = timetable.total[VIOLATIONS], timetable.total[COST]
    shift(problem, timetable, other, NOWHERE, NOWHERE)
    if can_enter(problem, timetable, lecture, p):
        shift(problem, timetable, lecture, p, r)
        change = (timetable.total[VIOLATIONS] - violations) * violation
        change = change + timetable.total[COST] - cost
        if change <= bound:
            return True
        shift(problem, timetable, lecture, NOWHERE, NOWHERE)
    shift(problem, timetable, other, p, r)
    return False


@inner
def _try_chain(problem, timetable, lecture, p2, bound):
    p1 = timetable.period[lecture]
    if p1 < 0 or p1 == p2 or timetable.conflicts[p1, problem.course[lecture]] > 0:
        return False
    size0, size1 = find_chain(problem, timetable, lecture, p2, LONGEST)
    if size0 == 0:
        return False
    cost = chain_change(problem, timetable, size0, size1, p1, p2, bound)
    if cost == REJECTED:
        return False
    timetable.total[COST] += cost
    apply_chain(problem, timetable, size0, size1, p1, p2)
    return True
