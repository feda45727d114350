"""What moving one lecture changes, constraint by constraint.

All functions take a lecture that is at (p1, r1) and goes to (p2, r2); a period
of -1 stands for "no place", so that the same code serves for placing and for
removing. None of them writes.
"""

import numpy as np
from numba import int64

from ....search.compiling import NOWHERE, inner
from . import double_lectures, min_working_days, room_stability, travel_distance
from .curricula import clean_days, day_shift, has_curriculum
from .hard import in_conflict
from .weights import VIOLATIONS, enabled, units

# A literal would compile a function that takes it a second time, for that value alone.
ALONE = np.bool_(True)
"""For `least_course_cost`, of a lecture that moves without others of its course."""


@inner
def shift_cost(problem, timetable, lecture, p2, r2):
    """Sum the weighted cost that a lecture's move to a free cell adds."""
    course = problem.course[lecture]
    p1, r1 = timetable.period[lecture], timetable.room[lecture]
    change = 0
    if p2 >= 0:
        change += room_cost(problem, course, r2)
    if p1 >= 0:
        change -= room_cost(problem, course, r1)
    change += course_cost(problem, timetable, lecture, p1, r1, p2, r2)
    return change + curricula_cost(problem, timetable, course, p1, r1, p2, r2, NOWHERE)


@inner
def room_cost(problem, course, room):
    """RoomCapacity, soft RoomSuitability and the tables of rooms, of a lecture in a room."""
    cost = 0
    if enabled(problem.room_capacity):
        beyond = problem.students[course] - problem.capacity[room]
        cost += units(problem.room_capacity) * max(beyond, 0)
    if enabled(problem.room_suitability):
        cost += units(problem.room_suitability) * problem.unsuitable[course, room]
    if enabled(problem.by_room):
        cost += problem.in_rooms[course, room]
    return cost


@inner
def period_cost(problem, course, p1, p2):
    """Change of the tables of periods."""
    change = int64(0)
    if p2 >= 0:
        change += problem.in_periods[course, p2]
    if p1 >= 0:
        change -= problem.in_periods[course, p1]
    return change


@inner
def course_cost(problem, timetable, lecture, p1, r1, p2, r2):
    """Change of what depends on the lecture's course."""
    change = 0
    if enabled(problem.min_working_days) and p1 != p2:
        change += min_working_days.change(problem, timetable, lecture, p1, p2)
    if enabled(problem.room_stability) and r1 != r2:
        change += room_stability.change(problem, timetable, lecture, r1, r2)
    if enabled(problem.double_lectures):
        change += double_lectures.change(problem, timetable, lecture, p1, r1, p2, r2)
    if enabled(problem.by_period):
        change += period_cost(problem, problem.course[lecture], p1, p2)
    return change


@inner
def least_course_cost(problem, timetable, lecture, p1, p2, stands_alone):
    """Bound `course_cost` from below, whatever the lecture's room and its new one.

    Parameters
    ----------
    stands_alone
        Whether the other lectures of the course stay where they are.
    """
    least = 0
    if enabled(problem.min_working_days) and stands_alone:
        least += min_working_days.change(problem, timetable, lecture, p1, p2)
    if enabled(problem.room_stability):
        least -= units(problem.room_stability)
    if enabled(problem.double_lectures):
        course = problem.course[lecture]
        if problem.double[course]:
            lectures = problem.starts[course + 1] - problem.starts[course]
            least -= units(problem.double_lectures) * lectures
    if enabled(problem.by_period):
        least += period_cost(problem, problem.course[lecture], p1, p2)
    return least


@inner
def course_total(problem, timetable, course):
    """Weighted cost of what depends on one course and not on its rooms' sizes.

    From its lectures' places alone, whatever the counters say.
    """
    total = 0
    if enabled(problem.min_working_days):
        total += min_working_days.total(problem, timetable, course)
    if enabled(problem.room_stability):
        total += room_stability.total(problem, timetable, course)
    if enabled(problem.double_lectures):
        total += double_lectures.total(problem, timetable, course)
    if enabled(problem.by_period):
        for lecture in range(problem.starts[course], problem.starts[course + 1]):
            total += period_cost(problem, course, NOWHERE, timetable.period[lecture])
    return total


@inner
def room_preference(problem, timetable, lecture, room):
    """Cost of a room for a lecture that leaves its own, to compare rooms by."""
    course = problem.course[lecture]
    cost = room_cost(problem, course, room)
    if enabled(problem.hard_suitability):
        cost += 1000 * problem.unsuitable[course, room]
    if enabled(problem.room_stability):
        cost += room_stability.change(problem, timetable, lecture, NOWHERE, room)
    return cost


@inner
def room_share(problem, timetable, lecture):
    """Cost of what is wrong with the room of a lecture."""
    room = timetable.room[lecture]
    cost = room_cost(problem, problem.course[lecture], room)
    if enabled(problem.room_stability):
        cost -= room_stability.change(problem, timetable, lecture, room, NOWHERE)
    return cost


@inner
def days_share(problem, timetable, lecture):
    """Cost of what is wrong with the days of a lecture's course, if it takes part in that."""
    if enabled(problem.min_working_days):
        return min_working_days.share(problem, timetable, lecture)
    return 0


@inner
def curricula_cost(problem, timetable, course, p1, r1, p2, r2, partner):
    """Change of what depends on the course's curricula.

    A partner is a course that takes the lecture's place, or -1: a curriculum of
    both is in the same periods and buildings as before.
    """
    change, clean = 0, False
    if p1 >= 0 and p2 >= 0:
        clean = timetable.total[VIOLATIONS] == 0
        clean = clean and timetable.conflicts[p2, course] == (partner >= 0)
    if clean:
        if p1 != p2:
            change = clean_days(problem, timetable, course, p1, p2)
        if not enabled(problem.rooms_of_curricula):
            return change
    for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
        q = problem.curricula[k]
        if partner >= 0 and has_curriculum(problem, partner, q):
            continue
        cost = 0
        if p1 != p2 and not clean:
            cost += day_shift(problem, timetable, q, p1, p2)
        if enabled(problem.travel_distance):
            cost += travel_distance.change(problem, timetable, q, p1, r1, p2, r2)
        change += problem.multiplicity[q] * cost
    return change


@inner
def chain_curricula_cost(problem, timetable, size0, size1, p1, p2):
    """Change of what depends on curricula and rooms, if a Kempe chain is made as planned."""
    change = 0
    if enabled(problem.travel_distance):
        change += travel_distance.chain_change(problem, timetable, size0, size1, p1, p2)
    return change


@inner
def pair_room_cost(problem, first_course, r1, second_course, r2):
    """Change of the room costs when two lectures exchange rooms r1 and r2."""
    change = room_cost(problem, first_course, r2) - room_cost(problem, first_course, r1)
    return change + room_cost(problem, second_course, r1) - room_cost(problem, second_course, r2)


@inner
def pair_cost(problem, timetable, first, second):
    """Sum the cost beyond the rooms' own that two lectures' exchange of cells adds.

    The lectures belong to different courses.
    """
    c, d = problem.course[first], problem.course[second]
    p1, r1 = timetable.period[first], timetable.room[first]
    p2, r2 = timetable.period[second], timetable.room[second]
    change = course_cost(problem, timetable, first, p1, r1, p2, r2)
    change += course_cost(problem, timetable, second, p2, r2, p1, r1)
    related = in_conflict(problem, c, d) != 0
    change += curricula_cost(problem, timetable, c, p1, r1, p2, r2, d if related else NOWHERE)
    return change + curricula_cost(problem, timetable, d, p2, r2, p1, r1, c if related else NOWHERE)
