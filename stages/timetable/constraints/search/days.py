"""What a curriculum's day costs, by the timeslots that are occupied.

A day is a word with a bit for each timeslot. What it costs is looked up in a table
of all days, as long as that is small; the days of an instance that has more
timeslots, or too many days for other bits, are computed from the bits each time.
Which of the two is a matter of the problem's type: the other is compiled away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import int64, uint64
from numpy.typing import NDArray

from ....search.bits import leading_zeros, popcount, trailing_zeros
from ....search.compiling import inner
from .weights import enabled

if TYPE_CHECKING:
    from ...model.formulation import Formulation
    from ...model.instance import Instance


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


@inner
def clashing_day_cost(problem, timetable, q, day, less, more):
    """Cost of a curriculum's day by its counts, with a lecture less and one more."""
    slots = len(problem.day) // timetable.mask.shape[1]
    first_period = day * slots
    lectures, alone, occupied, first, last = 0, 0, 0, -1, -1
    left, mask = 0, 0
    here = _lectures_at(timetable, q, first_period, less, more)
    for slot in range(slots):
        right = 0
        if slot + 1 < slots:
            right = _lectures_at(timetable, q, first_period + slot + 1, less, more)
        if here > 0:
            lectures += here
            occupied += 1
            mask |= 1 << slot
            last = slot
            if first < 0:
                first = slot
            if left == 0 and right == 0:
                alone += here
        left, here = here, right
    if lectures == 0:
        return 0
    windows = last - first + 1 - occupied
    off_load = max(problem.min_load - lectures, 0) + max(lectures - problem.max_load, 0)
    cost = problem.isolated * alone + problem.windows * windows + problem.load * off_load
    if enabled(problem.by_day):
        cost += problem.of_days[mask]
    return cost


@inner
def _lectures_at(timetable, q, period, less, more):
    return timetable.count[q, period] - (period == less) + (period == more)


def cost_of_all_days(instance: Instance, formulation: Formulation) -> NDArray[np.int64]:
    """Tell what a curriculum's day costs by the bit mask of its occupied timeslots."""
    isolated, windows, load = _weights(formulation)
    slots = instance.periods_per_day
    mask = np.arange(1 << slots, dtype=np.int64)
    bits = (mask[:, None] >> np.arange(slots)) & 1
    padded = np.pad(bits, ((0, 0), (1, 1)))
    count = bits.sum(axis=1)
    alone = (bits & (1 - padded[:, :-2]) & (1 - padded[:, 2:])).sum(axis=1)
    first = bits.argmax(axis=1)
    last = slots - 1 - bits[:, ::-1].argmax(axis=1)
    gaps = np.where(count > 0, last - first + 1 - count, 0)
    excess = np.maximum(instance.min_load - count, 0) + np.maximum(count - instance.max_load, 0)
    off_load = np.where(count > 0, excess, 0)
    return (isolated * alone + windows * gaps + load * off_load).astype(np.int64)


def steepest_turn(instance: Instance, formulation: Formulation) -> int:
    """Bound what one timeslot more or less changes in a day's cost, where there is no table."""
    isolated, windows, load = _weights(formulation)
    slots = instance.periods_per_day
    # A lecture joins two that were isolated; or is the first of a day, or as far away as can be.
    by_load = max(1, instance.min_load - 1, 1 - instance.max_load)
    return 2 * isolated + windows * max(slots - 2, 0) + load * by_load


def _weights(formulation: Formulation) -> list[int]:
    names = ("IsolatedLectures", "Windows", "StudentMinMaxLoad")
    return [int(formulation.weights.get(name, 0)) for name in names]
