"""A generated university: its faculties, and the rooms that they share."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..model.course import Course
from ..model.curriculum import Curriculum
from ..model.room import Room
from .course_draft import CourseDraft
from .faculty_plan import FacultyPlan

COMMON_CAPACITIES = (9, 12, 16, 20, 25, 30, 36, 42, 48, 54, 60, 70, 80, 90, 100, 130, 160, 216)
LARGE_ROOM_STEP = 24

UNSUITABLE = 0.13
"""Share of the rooms that do not suit a course, where there are few rooms."""

MAX_MEAN_UNSUITABLE = 2.3
"""Mean number of unsuitable rooms of a course, where there are many."""

DAY_OFF = 0.65
"""How often a teacher who is not always there is away for whole days."""


@dataclass(frozen=True)
class CampusPlan:
    """Faculties whose courses have periods, and the number of rooms for these.

    Parameters
    ----------
    plans
        The faculties.
    days, periods_per_day
        The week.
    n_rooms
        Number of rooms; no period has more lectures.
    """

    plans: list[FacultyPlan]
    days: int
    periods_per_day: int
    n_rooms: int

    @cached_property
    def drafts(self) -> list[CourseDraft]:
        """The courses of all faculties."""
        return [course for plan in self.plans for course in plan.courses]

    @cached_property
    def lecture_course(self) -> NDArray[np.int64]:
        """Course of each lecture, ascending."""
        return np.repeat(np.arange(len(self.drafts)), [draft.lectures for draft in self.drafts])

    @cached_property
    def lecture_period(self) -> NDArray[np.int64]:
        """Period of each lecture in the hidden timetable."""
        return np.array([period for draft in self.drafts for period in draft.periods], np.int64)

    @cached_property
    def course_ids(self) -> list[str]:
        """Ids of the courses."""
        return _ids("c", len(self.drafts))

    def courses(self) -> list[Course]:
        """Name the courses and their teachers."""
        teachers = _ids("t", sum(plan.n_teachers for plan in self.plans))
        offsets = np.cumsum([0] + [plan.n_teachers for plan in self.plans]).tolist()
        owners = [k for k, plan in enumerate(self.plans) for _ in plan.courses]
        return [
            Course(
                course_id,
                teachers[offsets[owner] + draft.teacher],
                draft.lectures,
                draft.min_working_days,
                draft.students,
                draft.double_lectures,
            )
            for course_id, owner, draft in zip(self.course_ids, owners, self.drafts, strict=True)
        ]

    def curricula(self) -> list[Curriculum]:
        """Name the curricula."""
        members = []
        first = 0
        for plan in self.plans:
            for curriculum in plan.curricula:
                members.append(tuple(self.course_ids[first + c] for c in curriculum))
            first += len(plan.courses)
        names = _ids("q", len(members))
        return [Curriculum(name, courses) for name, courses in zip(names, members, strict=True)]

    def draw_rooms(self, rng: np.random.Generator) -> list[Room]:
        """Draw rooms, from small to large, for lectures as large as those that there are."""
        students = np.array([draft.students for draft in self.drafts])[self.lecture_course]
        ranks = (np.arange(self.n_rooms) + 1) / self.n_rooms
        wanted = np.quantile(students, ranks) * rng.uniform(1.0, 1.35, self.n_rooms)
        capacities = np.sort([_common_capacity(seats) for seats in wanted.tolist()])
        most = max(1, round(np.sqrt(self.n_rooms) * rng.uniform(0.4, 1.0)))
        # Squares, so that a campus has large and small buildings.
        buildings = (most * rng.random(self.n_rooms) ** 2).astype(np.int64)
        return [
            Room(name, int(seats), str(building))
            for name, seats, building in zip(
                _ids("r", self.n_rooms), capacities, buildings, strict=True
            )
        ]

    def assign_rooms(self, capacities: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give each lecture a room of its own in its period, one that is large enough if possible.

        Parameters
        ----------
        capacities
            Seats of the rooms, ascending.

        Returns
        -------
        array
            Room of each lecture.
        """
        students = np.array([draft.students for draft in self.drafts])[self.lecture_course]
        rooms = np.empty(len(students), np.int64)
        for period in range(self.days * self.periods_per_day):
            lectures = np.flatnonzero(self.lecture_period == period)
            lectures = lectures[np.argsort(students[lectures], kind="stable")]
            rank = np.arange(len(lectures))
            fitting = np.searchsorted(capacities, students[lectures])
            # The smallest free room that fits, lecture by lecture; the last ones may not.
            taken = rank + np.maximum.accumulate(fitting - rank)
            rooms[lectures] = np.minimum(taken, self.n_rooms - len(lectures) + rank)
        return rooms

    def draw_unavailability(self, rng: np.random.Generator) -> list[tuple[str, int, int]]:
        """Draw when teachers are away; never in the periods of the hidden timetable."""
        rows = []
        first = 0
        for plan in self.plans:
            courses_of: list[list[int]] = [[] for _ in range(plan.n_teachers)]
            for k, draft in enumerate(plan.courses):
                courses_of[draft.teacher].append(k)
            for courses in courses_of:
                if rng.random() >= plan.faculty.unavailable_share:
                    continue
                used = [period for k in courses for period in plan.courses[k].periods]
                share = rng.normal(plan.faculty.unavailable_periods, 0.15)
                away = self._draw_away(used, float(np.clip(share, 0.04, 0.8)), rng)
                for k in courses:
                    name = self.course_ids[first + k]
                    rows += [(name, *divmod(period, self.periods_per_day)) for period in away]
            first += len(plan.courses)
        return rows

    def _draw_away(self, used: list[int], share: float, rng: np.random.Generator) -> list[int]:
        """Draw about a share of the week, first of all days that have no lecture."""
        slots = self.periods_per_day
        free = np.ones((self.days, slots), np.bool_)
        free.reshape(-1)[used] = False
        order = rng.random(free.shape)
        if rng.random() < DAY_OFF:
            free_days = np.all(free, axis=1, keepdims=True)
            order -= 2.0 * free_days * rng.permutation(self.days)[:, None]
        order[~free] = np.inf
        number = min(round(share * free.size), int(np.count_nonzero(free)))
        return np.argsort(order, axis=None)[:number].tolist()

    def draw_room_constraints(
        self, rooms: list[Room], lecture_rooms: NDArray[np.int64], rng: np.random.Generator
    ) -> list[tuple[str, str]]:
        """Draw rooms that do not suit; never those that the hidden timetable uses."""
        mean = min(UNSUITABLE * self.n_rooms, MAX_MEAN_UNSUITABLE)
        numbers = rng.poisson(mean, len(self.drafts))
        courses = np.repeat(np.arange(len(self.drafts)), numbers)
        unsuitable = courses * self.n_rooms + rng.integers(self.n_rooms, size=len(courses))
        used = self.lecture_course * self.n_rooms + lecture_rooms
        pairs = np.setdiff1d(unsuitable, used)
        return [
            (self.course_ids[pair // self.n_rooms], rooms[pair % self.n_rooms].id)
            for pair in pairs.tolist()
        ]


def _ids(prefix: str, number: int) -> list[str]:
    width = max(2, len(str(number)))
    return [f"{prefix}{k:0{width}}" for k in range(1, number + 1)]


def _common_capacity(seats: float) -> int:
    for capacity in COMMON_CAPACITIES:
        if capacity >= seats:
            return capacity
    return LARGE_ROOM_STEP * int(np.ceil(seats / LARGE_ROOM_STEP))
