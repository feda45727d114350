"""Two Kempe chains at once, between two pairs of periods that follow one another.

What `pairs` does for two lectures where there is nobody, this does where there is:
a lecture and one beside it go to another day and whoever is there comes back. One
chain alone leaves both days in disorder: the curricula of what it takes away and of
what it brings have their lectures beside empty periods.
"""

from numba import int64, uint8, uint64

from ...search.compiling import inner
from ..constraints.search.days import day_cost, slots_of
from ..constraints.search.weights import COST, VIOLATIONS
from .kempe import REJECTED, apply_chain, chain_change, find_chain, least_beyond_curricula
from .pairs import beside, neighbour
from .timetable import link, unlink


@inner
def try_double_chain(problem, timetable, first, p2, dice, bound, longest):
    """Exchange a lecture and one beside it with those that clash with them on another day.

    Returns
    -------
    bool
        Whether the move was made; never where something clashes.
    """
    c, p1 = problem.course[first], timetable.period[first]
    if timetable.total[VIOLATIONS] > 0 or problem.day[p1] == problem.day[p2]:
        return False
    q1 = beside(problem, p1, int64(dice & uint64(1)) * 2 - 1)
    q2 = beside(problem, p2, int64(dice & uint64(2)) - 1)
    if q1 < 0 or q2 < 0:
        return False
    second = neighbour(problem, timetable, c, q1, dice >> uint64(8))
    if second < 0:
        return False
    size0, size1 = find_chain(problem, timetable, first, p2, longest)
    if size0 == 0:
        return False
    _keep_chain(timetable, size0, size1)
    least = least_beyond_curricula(problem, timetable, size0, size1, p1, p2)
    size2, size3 = find_chain(problem, timetable, second, q2, longest)
    if size2 == 0:
        return False
    least += least_beyond_curricula(problem, timetable, size2, size3, q1, q2)
    least += _days_of_both(problem, timetable, size0, size1, size2, size3, p1, p2, q1, q2)
    if least > bound:
        return False
    return _try_out(problem, timetable, first, second, p1, p2, q1, q2, bound, longest)


@inner
def _keep_chain(timetable, size0, size1):
    """Copy a chain to where the next one does not overwrite it."""
    for i in range(size0):
        timetable.chain[2, i] = timetable.chain[0, i]
    for i in range(size1):
        timetable.chain[3, i] = timetable.chain[1, i]


@inner
def _days_of_both(problem, timetable, size0, size1, size2, size3, p1, p2, q1, q2):
    """Sum what the two chains together change in the days of curricula."""
    n_touched = int64(0)
    n_touched = _touch(problem, timetable, int64(2), size0, uint8(1), n_touched)
    n_touched = _touch(problem, timetable, int64(3), size1, uint8(1), n_touched)
    n_touched = _touch(problem, timetable, int64(0), size2, uint8(2), n_touched)
    n_touched = _touch(problem, timetable, int64(1), size3, uint8(2), n_touched)
    day1, day2 = problem.day[p1], problem.day[p2]
    slot1, slot2 = uint64(problem.slot[p1]), uint64(problem.slot[p2])
    slot3, slot4 = uint64(problem.slot[q1]), uint64(problem.slot[q2])
    change = int64(0)
    for k in range(n_touched):
        q = timetable.touched[k]
        touch = uint64(timetable.touch[q])
        timetable.touch[q] = uint8(0)
        old1, old2 = slots_of(timetable, q, day1), slots_of(timetable, q, day2)
        # A curriculum's lectures in two periods change places: two bits, if they differ.
        one = ((old1 >> slot1) ^ (old2 >> slot2)) & touch & uint64(1)
        two = ((old1 >> slot3) ^ (old2 >> slot4)) & (touch >> uint64(1))
        new1 = old1 ^ (one << slot1) ^ (two << slot3)
        new2 = old2 ^ (one << slot2) ^ (two << slot4)
        cost = day_cost(problem, new1) + day_cost(problem, new2)
        cost -= day_cost(problem, old1) + day_cost(problem, old2)
        change += problem.multiplicity[q] * cost
    return change


@inner
def _touch(problem, timetable, row, size, bit, n_touched):
    for i in range(size):
        course = problem.course[timetable.chain[row, i]]
        for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
            q = problem.curricula[k]
            timetable.touched[n_touched] = q
            n_touched += timetable.touch[q] == 0
            timetable.touch[q] |= bit
    return n_touched


@inner
def _try_out(problem, timetable, first, second, p1, p2, q1, q2, bound, longest):
    """Make one chain after the other, and take the first back if both cost too much."""
    unbounded = 1e18
    size0, size1 = find_chain(problem, timetable, first, p2, longest)
    before = chain_change(problem, timetable, size0, size1, p1, p2, unbounded)
    if before == REJECTED:
        return False
    for side in range(2):
        for i in range(size0 if side == 0 else size1):
            timetable.chain_room[2 + side, i] = timetable.room[timetable.chain[side, i]]
    apply_chain(problem, timetable, size0, size1, p1, p2)
    size2, size3 = find_chain(problem, timetable, second, q2, longest)
    change = chain_change(problem, timetable, size2, size3, q1, q2, bound - before)
    if change != REJECTED:
        timetable.total[COST] += before + change
        apply_chain(problem, timetable, size2, size3, q1, q2)
        return True
    for side in range(2):
        for i in range(size0 if side == 0 else size1):
            unlink(problem, timetable, timetable.chain[2 + side, i])
    for side in range(2):
        period = p1 if side == 0 else p2
        for i in range(size0 if side == 0 else size1):
            room = timetable.chain_room[2 + side, i]
            link(problem, timetable, timetable.chain[2 + side, i], period, room)
    return False
