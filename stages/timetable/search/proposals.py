"""Moves to look at, drawn by the block and sifted before any is looked at.

A move that is drawn and evaluated at once spends most of its time waiting: for
arrays that are read one after the other, and for branches that nobody can
foresee. Here a block of moves is drawn and judged without a branch, so that the
processor works on several at a time, and only those that may pass are evaluated.
"""

from typing import Any

import numpy as np
from numba import float64, int64, uint64

from ...search.compiling import inner
from ...search.random import pick, step
from ..constraints.search.curricula import turned_at
from ..constraints.search.hard import courses_have_bits
from ..constraints.search.terms import room_cost

# The most lectures of a Kempe chain that is looked at.
LONGEST = int64(8)
BLOCK = int64(32)
LECTURE, PERIOD, DICE = range(3)
"""Rows of a block of proposals."""
_LEVELS = 1024
_LOWEST = np.float32(np.log(_LEVELS))
_THRESHOLDS = -np.log((np.arange(_LEVELS) + 0.5) / _LEVELS).astype(np.float32)


@inner
def _threshold(bits):
    """Draw from the exponential distribution, to levels, and beyond the last of them.

    A rare long jump is what a slow anneal crosses its ridges by: the lowest of the
    levels of a uniform number is divided once more.
    """
    level, finer = bits & uint64(_LEVELS - 1), (bits >> uint64(20)) & uint64(_LEVELS - 1)
    beyond = _LOWEST + _THRESHOLDS[finer]
    return beyond if level == uint64(0) else _THRESHOLDS[level]


def proposer(judge: Any) -> Any:
    """Make the kernel that draws moves of one kind.

    Parameters
    ----------
    judge
        Kernel that tells from (problem, timetable, lecture, course, period, dice,
        bound) whether a move is worth an evaluation.
    """

    @inner
    def propose(problem, timetable, proposals, bounds, pool, rng, temperature, size, clashing):
        """Draw moves of lectures to periods and keep those that may be accepted.

        Of up to three periods that are drawn for a lecture, the first is taken in
        which it clashes, or does not clash, with others.

        Parameters
        ----------
        proposals
            Filled with lectures, periods and random bits, uint64 (3, BLOCK).
        bounds
            Filled with what each move's cost may rise by, float64 (BLOCK,).
        pool
            Lectures to choose from, each with a period that is available to it.
        size
            Moves to draw.
        clashing
            Whether periods are wanted in which the lecture clashes.

        Returns
        -------
        int
            How many are kept.
        """
        kept = uint64(0)
        n_pool = uint64(len(pool))
        conflicts = timetable.conflicts
        s0, s1, s2, s3 = rng[0], rng[1], rng[2], rng[3]
        for _ in range(size):
            bits, s0, s1, s2, s3 = step(s0, s1, s2, s3)
            dice, s0, s1, s2, s3 = step(s0, s1, s2, s3)
            lecture = uint64(pool[((bits & uint64(0xFFFFFFFF)) * n_pool) >> uint64(32)])
            course = uint64(problem.course[lecture])
            first = uint64(problem.open_starts[course])
            n_open = uint64(problem.open_starts[course + uint64(1)]) - first
            one, two = pick(bits >> uint64(48), n_open), pick(bits >> uint64(32), n_open)
            found = pick(dice >> uint64(48), n_open)
            period = uint64(problem.open_periods[first + two])
            found = two if (conflicts[period, course] > 0) == clashing else found
            period = uint64(problem.open_periods[first + one])
            found = one if (conflicts[period, course] > 0) == clashing else found
            period = uint64(problem.open_periods[first + found])
            bound = temperature * float64(_threshold(dice))
            proposals[LECTURE, kept] = lecture
            proposals[PERIOD, kept] = period
            proposals[DICE, kept] = dice
            bounds[kept] = bound
            kept += uint64(judge(problem, timetable, lecture, course, period, dice, bound))
        rng[0], rng[1], rng[2], rng[3] = s0, s1, s2, s3
        return int64(kept)

    return propose


@inner
def cell_room(problem, dice):
    """Choose the room of a move to any cell by the random bits of its proposal."""
    return pick(dice >> uint64(16), uint64(len(problem.capacity)))


@inner
def _anything(problem, timetable, lecture, course, period, dice, bound):
    """Keep all; where something clashes, moves have to be evaluated to be judged."""
    return True


@inner
def _may_move(problem, timetable, lecture, course, p2, dice, bound):
    """Judge a move to the best free room of a period."""
    p1 = uint64(timetable.period[lecture])
    least = turned_at(problem, timetable, course, p1) + turned_at(problem, timetable, course, p2)
    least -= room_cost(problem, course, uint64(timetable.room[lecture])) + timetable.slack[course]
    same_day = problem.day[p1] == problem.day[p2]
    clear = timetable.conflicts[p2, course] == 0
    return (p1 != p2) & clear & (same_day | (float64(least) <= bound))


@inner
def _may_enter_cell(problem, timetable, lecture, course, p2, dice, bound):
    """Judge a move to a cell, or an exchange with the lecture there."""
    p1, r1 = uint64(timetable.period[lecture]), uint64(timetable.room[lecture])
    r2 = cell_room(problem, dice)
    found = timetable.cell[p2, r2]
    taken = int64(found >= 0)
    d = uint64(problem.course[uint64(max(found, 0))])
    back = room_cost(problem, d, r1) - room_cost(problem, d, r2) - timetable.slack[d]
    rooms = room_cost(problem, course, r2) - room_cost(problem, course, r1)
    rooms += taken * back - timetable.slack[course]
    days = turned_at(problem, timetable, course, p1) + turned_at(problem, timetable, course, p2)
    days_back = turned_at(problem, timetable, d, p1) + turned_at(problem, timetable, d, p2)
    days += taken * days_back
    clashes = timetable.conflicts[p2, course] + taken * timetable.conflicts[p1, d]
    same_period = p1 == p2
    same_day = problem.day[p1] == problem.day[p2]
    # Within a day the two turns do not sum.
    least = rooms + days * int64(not same_day)
    return (clashes == 0) & ((same_day & (not same_period)) | (float64(least) <= bound))


@inner
def _may_move_pair(problem, timetable, lecture, course, p2, dice, bound):
    """Judge a move of a lecture and one beside it."""
    p1 = uint64(timetable.period[lecture])
    return (p1 != p2) & (timetable.conflicts[p2, course] == 0)


@inner
def _may_chain(problem, timetable, lecture, course, p2, dice, bound):
    """Judge a Kempe chain by the lectures that it takes first."""
    p1 = uint64(timetable.period[lecture])
    n_others = timetable.conflicts[p2, course]
    barred = uint64(0)
    if courses_have_bits(problem):
        for word in range(problem.conflict_bits.shape[1]):
            driven = problem.conflict_bits[course, word] & timetable.present[p2, word]
            barred |= driven & problem.closed[p1, word]
    return (p1 != p2) & (n_others > 0) & (n_others < LONGEST) & (barred == uint64(0))


propose_any = proposer(_anything)
propose_chain = proposer(_may_chain)
propose_move = proposer(_may_move)
propose_pair = proposer(_may_move_pair)
propose_cell = proposer(_may_enter_cell)
