"""DoubleLectures in the search: the lectures of a course are compared in pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....search.compiling import NOWHERE, inner
from .weights import units

if TYPE_CHECKING:
    from ...model.instance import Instance


@inner
def change(problem, timetable, lecture, p1, r1, p2, r2):
    """Change of the lectures that are no doubles, if one of the course goes elsewhere."""
    course = problem.course[lecture]
    if not problem.double[course]:
        return 0
    before = alone(problem, timetable, course, lecture, p1, r1)
    after = alone(problem, timetable, course, lecture, p2, r2)
    return units(problem.double_lectures) * (after - before)


@inner
def total(problem, timetable, course):
    """Cost of a course, from its lectures' places alone."""
    if not problem.double[course]:
        return 0
    units_found = alone(problem, timetable, course, NOWHERE, NOWHERE, NOWHERE)
    return units(problem.double_lectures) * units_found


@inner
def alone(problem, timetable, course, lecture, p, r):
    """Units of a course that asks for doubles, if one of its lectures were at (p, r)."""
    found = 0
    for one in range(problem.starts[course], problem.starts[course + 1]):
        p_one = p if one == lecture else timetable.period[one]
        r_one = r if one == lecture else timetable.room[one]
        same_day, paired = False, False
        for two in range(problem.starts[course], problem.starts[course + 1]):
            p_two = p if two == lecture else timetable.period[two]
            if one == two or p_one < 0 or p_two < 0 or problem.day[p_one] != problem.day[p_two]:
                continue
            same_day = True
            r_two = r if two == lecture else timetable.room[two]
            paired |= r_one == r_two and abs(p_one - p_two) == 1
        found += same_day and not paired
    return found


@inner
def price_rooms(problem, periods, rooms, lecture, near, line):
    """Charge for rooms other than that of the course's lecture next to this one."""
    course = problem.course[lecture]
    for other in range(problem.starts[course], problem.starts[course + 1]):
        if periods[other] == near and rooms[other] >= 0:
            # Apart, both lectures stand alone.
            line += 2 * problem.price_double
            line[rooms[other]] -= 2 * problem.price_double


def most(instance: Instance) -> NDArray[np.int64]:
    """Return the most units that moving one lecture of each course can win."""
    return np.where(instance.course_double, instance.course_lectures.astype(np.int64), 0)
