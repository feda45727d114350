"""What a move changes in the days of curricula, whatever its rooms."""

from numba import int64, uint64

from ....search.compiling import NOWHERE, inner
from .days import clashing_day_cost, day_cost, slot_bit, slots_of, turned, turned_at_bits
from .weights import enabled


@inner
def turned_at(problem, timetable, course, period):
    """Change of the days of a course's curricula with a lecture more or less in a period.

    One less if the course has a lecture there, else one more; nothing may clash.
    """
    if enabled(problem.by_bits):
        return turned_at_bits(problem, timetable, course, period)
    value = timetable.turning[uint64(course), problem.column[uint64(period)]]
    return int64(value) - int64(problem.zero[0])


@inner
def clean_days(problem, timetable, course, p1, p2):
    """Change of the days of a course's curricula where nothing clashes.

    Curricula with a lecture in both periods are left out: they exchange them.
    """
    day1, day2 = problem.day[p1], problem.day[p2]
    alone = timetable.conflicts[p2, course] == 0 and timetable.lecture[course, p2] < 0
    if day1 != day2 and alone:
        return turned_at(problem, timetable, course, p1) + turned_at(problem, timetable, course, p2)
    # Of what follows nothing can be foreseen, so nothing branches.
    change = int64(0)
    slot1, slot2 = uint64(problem.slot[p1]), uint64(problem.slot[p2])
    first, end = problem.curricula_starts[course], problem.curricula_starts[course + 1]
    if day1 != day2:
        for k in range(first, end):
            q = problem.curricula[k]
            new = slots_of(timetable, q, day2)
            cost = turned(problem, new, slot2)
            cost += turned(problem, slots_of(timetable, q, day1), slot1)
            there = int64((new >> slot2) & uint64(1))
            change += problem.multiplicity[q] * cost * (1 - there)
        return change
    left = uint64(1) << slot1
    for k in range(first, end):
        q = problem.curricula[k]
        old = slots_of(timetable, q, day1)
        cost = turned(problem, old, slot1) + turned(problem, old ^ left, slot2)
        there = int64((old >> slot2) & uint64(1))
        change += problem.multiplicity[q] * cost * (1 - there)
    return change


@inner
def has_curriculum(problem, course, q):
    """Tell whether a course belongs to a merged curriculum."""
    for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
        if problem.curricula[k] >= q:
            return problem.curricula[k] == q
    return False


@inner
def day_shift(problem, timetable, q, p1, p2):
    """Change of IsolatedLectures, Windows and StudentMinMaxLoad of one curriculum."""
    if timetable.clash[q] > 0 or (p2 >= 0 and timetable.count[q, p2] > 0):
        return _clashing_day_shift(problem, timetable, q, p1, p2)
    if p1 >= 0 and p2 >= 0:
        return clean_day_shift(problem, timetable, q, p1, p2)
    if p1 < 0:
        new = slots_of(timetable, q, problem.day[p2])
        return day_cost(problem, new | slot_bit(problem, p2)) - day_cost(problem, new)
    old = slots_of(timetable, q, problem.day[p1])
    return day_cost(problem, old & ~slot_bit(problem, p1)) - day_cost(problem, old)


@inner
def clean_day_shift(problem, timetable, q, p1, p2):
    """Do the same where the curriculum has no clash and no lecture in the second period."""
    old = slots_of(timetable, q, problem.day[p1])
    without = old & ~slot_bit(problem, p1)
    if problem.day[p1] == problem.day[p2]:
        return day_cost(problem, without | slot_bit(problem, p2)) - day_cost(problem, old)
    new = slots_of(timetable, q, problem.day[p2])
    change = day_cost(problem, without) - day_cost(problem, old)
    return change + day_cost(problem, new | slot_bit(problem, p2)) - day_cost(problem, new)


@inner
def _clashing_day_shift(problem, timetable, q, p1, p2):
    change = 0
    d1 = problem.day[p1] if p1 >= 0 else NOWHERE
    d2 = problem.day[p2] if p2 >= 0 else NOWHERE
    if d1 >= 0:
        change -= clashing_day_cost(problem, timetable, q, d1, NOWHERE, NOWHERE)
        change += clashing_day_cost(problem, timetable, q, d1, p1, p2 if d2 == d1 else NOWHERE)
    if d2 >= 0 and d2 != d1:
        change -= clashing_day_cost(problem, timetable, q, d2, NOWHERE, NOWHERE)
        change += clashing_day_cost(problem, timetable, q, d2, NOWHERE, p2)
    return change
