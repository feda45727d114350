"""What is counted of a timetable, so that what a move changes in a constraint is quick to find."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import int64
from numpy.typing import NDArray

from ....search.compiling import inner
from ....search.record import Record
from .constraint_arrays import ConstraintArrays
from .weights import enabled, units


@dataclass(frozen=True, eq=False)
class Counters(Record):
    """Counters that constraints look at; the part of a `Timetable` that is theirs alone.

    Attributes
    ----------
    on_day
        Lectures of a course on a day, int16 (n_courses, n_days).
    working_days
        Days on which a course has lectures, int64 (n_courses,).
    in_building
        Lectures of a merged curriculum in a period and building, int16
        (n_merged, n_periods, n_buildings); (1, 1, 1) without TravelDistance.
    slack
        The most that moving a lecture of a course can win beside the days of its
        curricula and the size of its room, int64 (n_courses,).
    """

    on_day: NDArray[np.int16]
    working_days: NDArray[np.int64]
    in_building: NDArray[np.int16]
    slack: NDArray[np.int64]


def empty_counters(
    problem: ConstraintArrays, n_merged: int, n_days: int, n_periods: int
) -> dict[str, Any]:
    """Return the counters of a timetable in which no lecture has a place."""
    n_courses, n_buildings = len(problem.students), int(problem.building.max(initial=0)) + 1
    buildings = (1, 1, 1)
    if problem.travel_distance is not None:
        buildings = (n_merged, n_periods, n_buildings)
    return {
        "on_day": np.zeros((n_courses, n_days), np.int16),
        "working_days": np.zeros(n_courses, np.int64),
        "in_building": np.zeros(buildings, np.int16),
        "slack": problem.slack + (problem.min_working_days or 0) * (problem.min_days > 0),
    }


def cost_when_empty(problem: ConstraintArrays) -> int:
    """Return what a timetable costs in which no lecture has a place."""
    # Each course lacks all of its working days.
    return int(problem.min_days.sum()) * (problem.min_working_days or 0)


@inner
def count_in_course(problem, timetable, course, day, sign):
    """Count a lecture of a course more, or one less, on a day."""
    before = timetable.on_day[course, day]
    timetable.on_day[course, day] = before + sign
    if before != 0 and before + sign != 0:
        return
    days = timetable.working_days[course] + sign
    timetable.working_days[course] = days
    if enabled(problem.min_working_days):
        # Where a day is lacking, one more wins.
        lacking = int64(days < problem.min_days[course])
        slack = problem.slack[course] + units(problem.min_working_days) * lacking
        timetable.slack[course] = slack


@inner
def count_in_curriculum(problem, timetable, q, p, r, sign):
    """Count a lecture of a curriculum more, or one less, in a period and room."""
    if enabled(problem.travel_distance):
        timetable.in_building[q, p, problem.building[r]] += sign


@inner
def count_other_room(problem, timetable, lecture, r):
    """Count a lecture in another room than it has, in its period."""
    if enabled(problem.travel_distance):
        course, p = problem.course[lecture], timetable.period[lecture]
        old, new = problem.building[timetable.room[lecture]], problem.building[r]
        for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
            q = problem.curricula[k]
            timetable.in_building[q, p, old] -= 1
            timetable.in_building[q, p, new] += 1
