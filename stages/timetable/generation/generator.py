"""Realistic instances of any size, with a timetable that proves them feasible."""

from math import ceil

import numpy as np

from ..errors import TimetableError
from ..model.checks import whole_number
from ..model.instance import Instance
from ..model.solution import Solution
from .campus_plan import CampusPlan
from .faculty import FACULTIES
from .faculty_plan import FacultyPlan
from .week_planner import WeekPlanner

MAX_GENERATED_COURSES = 20_000

OCCUPANCY = (0.5, 0.9)
"""Range of the share of rooms and periods that lectures take."""

FACULTY_COURSES = (60, 130)
"""Range of the courses of a faculty."""


def generate(courses: int, seed: int = 0, occupancy: float | None = None) -> Instance:
    """Make up a realistic instance that has a feasible timetable.

    Lectures, curricula, teachers, students, rooms and unavailable periods are
    distributed about as in the instances of ITC-2007 and their ``.ectt``
    versions. Large instances consist of many faculties on one campus.

    Parameters
    ----------
    courses
        Number of courses, 1 to 20,000; a course has about 3.5 lectures.
    seed
        The same seed gives the same instance.
    occupancy
        Share of rooms times periods that lectures take, above 0 and at most 1;
        by default drawn from 0.5 to 0.9.

    Raises
    ------
    TimetableError
        If a parameter is out of its range.
    """
    return generate_with_timetable(courses, seed, occupancy)[0]


def generate_with_timetable(
    courses: int, seed: int = 0, occupancy: float | None = None
) -> tuple[Instance, Solution]:
    """Make up an instance as `generate` does, and keep the timetable hidden in it.

    The timetable is made first and the constraints around it: it breaks no hard
    constraint of any formulation. Its cost is not low.

    Parameters
    ----------
    courses, seed, occupancy
        As of `generate`.

    Raises
    ------
    TimetableError
        If a parameter is out of its range.
    """
    n_courses = whole_number(courses, 1, MAX_GENERATED_COURSES, "courses")
    rng = np.random.default_rng(whole_number(seed, 0, 2**64 - 1, "seed"))
    if occupancy is None:
        occupancy = rng.uniform(*OCCUPANCY)
    elif not 0 < occupancy <= 1:
        raise TimetableError(f"occupancy must be above 0 and at most 1, got {occupancy}")
    campus = _draw_campus(n_courses, occupancy, rng)
    rooms = campus.draw_rooms(rng)
    lecture_rooms = campus.assign_rooms(np.array([room.capacity for room in rooms]))
    instance = Instance(
        f"Generated-{n_courses}-{seed}",
        campus.days,
        campus.periods_per_day,
        tuple(campus.courses()),
        tuple(rooms),
        tuple(campus.curricula()),
        tuple(campus.draw_unavailability(rng)),
        tuple(campus.draw_room_constraints(rooms, lecture_rooms, rng)),
        min_daily_lectures=2,
        max_daily_lectures=round(0.7 * campus.periods_per_day),
    )
    solution = Solution(instance, campus.lecture_course, campus.lecture_period, lecture_rooms)
    return instance, solution


def _draw_campus(n_courses: int, occupancy: float, rng: np.random.Generator) -> CampusPlan:
    plans: list[FacultyPlan] = []
    while n_courses > 0:
        faculty = FACULTIES[rng.choice(len(FACULTIES), p=[kind.share for kind in FACULTIES])]
        size = int(rng.integers(*FACULTY_COURSES, endpoint=True))
        # The last faculty takes what would be too little for another one.
        if n_courses - size < FACULTY_COURSES[0]:
            size = n_courses
        plans.append(FacultyPlan.draw(faculty, size, rng))
        n_courses -= size
    weeks = plans[0].faculty.weeks
    days, slots = list(weeks)[rng.choice(len(weeks), p=list(weeks.values()))]
    n_lectures = sum(plan.n_lectures for plan in plans)
    n_rooms = ceil(n_lectures / (days * slots * occupancy))
    planner = WeekPlanner(days, slots, n_rooms, rng)
    for plan in plans:
        plan.fill(planner, days * slots, rng)
    return CampusPlan(plans, days, slots, planner.n_rooms)
