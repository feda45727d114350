"""Draws the courses, curricula and teachers of a generated faculty."""

from dataclasses import dataclass, field

import numpy as np

from .course_draft import CourseDraft
from .faculty import Faculty
from .week_planner import WeekPlanner

MEAN_TEACHERS = 0.82
"""Teachers per course."""

FULL_WEEK = 0.85
"""Largest share of the week that the lectures of a curriculum take."""

MIN_WORKING_DAYS = {1: (1,), 2: (2,), 3: (3, 3, 3, 3, 3, 3, 3, 2), 4: (4, 3), 5: (4,), 6: (4,)}
"""Choices for each number of lectures; courses with more lectures have long days."""

LONG_COURSE_DAYS = (2, 3, 3)


@dataclass
class FacultyPlan:
    """A faculty's courses, year by year, and what is made of them.

    Parameters
    ----------
    faculty
        Of which kind it is.
    groups
        Lectures of the courses of each year of a programme.

    Attributes
    ----------
    courses
        The courses, year after year, once they have periods.
    curricula
        Courses of each curriculum, numbered within the faculty.
    n_teachers
        Number of teachers.
    """

    faculty: Faculty
    groups: list[list[int]]
    courses: list[CourseDraft] = field(default_factory=list)
    curricula: list[list[int]] = field(default_factory=list)
    n_teachers: int = 0
    _masks: list[int] = field(default_factory=list)

    @classmethod
    def draw(cls, faculty: Faculty, n_courses: int, rng: np.random.Generator) -> "FacultyPlan":
        """Draw the courses' lectures and the years that they belong to."""
        numbers = list(faculty.lectures)
        lectures = rng.choice(numbers, n_courses, p=list(faculty.lectures.values())).tolist()
        groups = []
        while lectures:
            size = int(rng.integers(*faculty.group_size, endpoint=True))
            groups.append(lectures[:size])
            lectures = lectures[size:]
        return cls(faculty, groups)

    @property
    def n_lectures(self) -> int:
        """Lectures of all courses."""
        return sum(map(sum, self.groups))

    def fill(self, planner: WeekPlanner, n_periods: int, rng: np.random.Generator) -> None:
        """Give the courses periods, and make up curricula and teachers that fit these."""
        for group in self.groups:
            planner.begin_group()
            cohort = float(np.clip(rng.lognormal(np.log(self.faculty.cohort), 0.6), 8, 450))
            first = len(self.courses)
            for lectures in group:
                course = _draw_course(lectures, cohort, planner.place(lectures), rng)
                self.courses.append(course)
                self._masks.append(sum(1 << period for period in course.periods))
            year = list(range(first, len(self.courses)))
            self._draw_curricula(year, n_periods, rng)
        self._draw_teachers(rng)

    def _draw_curricula(self, year: list[int], n_periods: int, rng: np.random.Generator) -> None:
        """Draw tracks of a year: a common core, and what is chosen besides."""
        limit = int(FULL_WEEK * n_periods)
        low, high = self.faculty.curriculum_size
        core = self._extend([], year, int(rng.integers(1, max(low, 2))), limit)
        number = 1 + int(rng.poisson(self.faculty.curricula_per_course * len(year)))
        covered = set()
        for _ in range(number):
            choice = rng.permutation(year).tolist()
            while rng.random() < self.faculty.from_other_years:
                choice.insert(0, int(rng.integers(len(self.courses))))
            size = int(rng.integers(low, high, endpoint=True))
            curriculum = self._extend(core, choice, size, limit)
            self.curricula.append(curriculum)
            covered.update(curriculum)
        while rest := [course for course in year if course not in covered]:
            curriculum = self._extend([], rest + core, int(rng.integers(1, low + 1)), limit)
            self.curricula.append(curriculum)
            covered.update(curriculum)

    def _extend(self, start: list[int], choice: list[int], size: int, limit: int) -> list[int]:
        """Add courses that meet none of those that are there; the first one fits always."""
        curriculum = list(start)
        mask = 0
        for course in start:
            mask |= self._masks[course]
        for course in choice:
            if len(curriculum) >= size:
                break
            other = self._masks[course]
            fits = not curriculum or (mask | other).bit_count() <= limit
            if not mask & other and fits and course not in curriculum:
                curriculum.append(course)
                mask |= other
        return curriculum

    def _draw_teachers(self, rng: np.random.Generator) -> None:
        """Give each course a teacher; one with several courses is free for each of them."""
        busy: list[int] = []
        for c in rng.permutation(len(self.courses)).tolist():
            mask = self._masks[c]
            teacher = len(busy)
            if busy and rng.random() > MEAN_TEACHERS:
                tried = rng.integers(len(busy), size=4).tolist()
                teacher = next((t for t in tried if not busy[t] & mask), teacher)
            if teacher == len(busy):
                busy.append(0)
            busy[teacher] |= mask
            self.courses[c].teacher = teacher
        self.n_teachers = len(busy)


def _draw_course(
    lectures: int, cohort: float, periods: list[int], rng: np.random.Generator
) -> CourseDraft:
    days = int(rng.choice(MIN_WORKING_DAYS.get(lectures, LONG_COURSE_DAYS)))
    share = 1.0 if rng.random() < 0.35 else rng.beta(1.3, 1.5)
    students = max(2, round(cohort * share * rng.uniform(0.85, 1.0)))
    double = rng.random() < (0.75 if lectures >= 4 else 0.03)
    return CourseDraft(lectures, days, students, bool(double), periods)
