"""What a curriculum's day costs, by the timeslots that are occupied.

A day is a word with a bit for each timeslot. What it costs is looked up in a table
of all days, as long as that is small; the days of an instance that has more
timeslots, or too many days for other bits, are computed from the bits each time.
Which of the two is a matter of the problem's type: the other is compiled away.
"""

from numba import int64, uint64

from ....search.bits import leading_zeros, popcount, trailing_zeros
from ....search.compiling import inner
from .weights import enabled


@inner
def slots_of(timetable, q, day):
    """Return the timeslots in which a curriculum has a lecture on a day, as bits."""
    return uint64(timetable.mask[q, day])


@inner
def slot_bit(problem, period):
    """Return the bit of a period's timeslot."""
    return uint64(1) << uint64(problem.slot[period])


@inner
def day_cost(problem, slots):
    """Weighted cost of one curriculum's day, nothing clashing in it."""
    if enabled(problem.by_bits):
        return _cost_of_bits(problem, slots)
    return problem.day_cost[slots]


@inner
def turned(problem, slots, slot):
    """Tell what turning a timeslot from free to occupied, or back, changes in a day's cost."""
    if enabled(problem.by_bits):
        other = slots ^ (uint64(1) << slot)
        return _cost_of_bits(problem, other) - _cost_of_bits(problem, slots)
    return problem.turned[slots, slot]


@inner
def _cost_of_bits(problem, slots):
    count = popcount(slots)
    alone = popcount(slots & ~(slots << uint64(1)) & ~(slots >> uint64(1)))
    # An empty day has 64 zeros on either side.
    windows = 64 - leading_zeros(slots) - trailing_zeros(slots) - count
    off_load = max(problem.min_load - count, 0) + max(count - problem.max_load, 0)
    cost = problem.isolated * alone + problem.windows * windows + problem.load * off_load
    return cost * int64(slots != uint64(0))


@inner
def turned_at_bits(problem, timetable, course, period):
    """Sum what a lecture more or less of a course in a period changes in its curricula's days."""
    day, slot = problem.day[period], uint64(problem.slot[period])
    change = int64(0)
    for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
        q = problem.curricula[k]
        change += problem.multiplicity[q] * turned(problem, slots_of(timetable, q, day), slot)
    return change
