"""A timetable from the points of view of the constraints."""

from functools import cached_property
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from ..model.solution import Solution


class PlacedLectures:
    """The lectures of a solution, and how courses and curricula spread over the week.

    Every lecture of the solution counts, those that are too many as well.

    Parameters
    ----------
    solution
        The timetable.
    """

    def __init__(self, solution: Solution) -> None:
        self.instance = solution.instance
        self.courses = solution.courses
        self.periods = solution.periods
        self.rooms = solution.rooms

    @cached_property
    def occupied(self) -> NDArray[np.bool_]:
        """Whether a course has a lecture in a period, shape (n_courses, n_periods)."""
        table = np.zeros((self.instance.n_courses, self.instance.n_periods), np.bool_)
        table[self.courses, self.periods] = True
        return table

    @cached_property
    def course_days(self) -> NDArray[np.bool_]:
        """Whether a course has a lecture on a day, shape (n_courses, days)."""
        shape = (self.instance.n_courses, self.instance.days, self.instance.periods_per_day)
        return np.any(self.occupied.reshape(shape), axis=2)

    @cached_property
    def of_curricula(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """A row for each curriculum of each lecture: the curriculum, and the lecture's row."""
        return self.instance.curricula_of(self.courses)

    @cached_property
    def curriculum_counts(self) -> NDArray[np.int64]:
        """Lectures of each curriculum, shape (n_curricula, days, periods_per_day)."""
        instance = self.instance
        curricula, lectures = self.of_curricula
        cells = instance.n_curricula * instance.n_periods
        keys = curricula * instance.n_periods + self.periods[lectures]
        counts = np.bincount(keys, minlength=cells)
        return counts.reshape(instance.n_curricula, instance.days, instance.periods_per_day)

    def when(self, period: SupportsIndex) -> str:
        """Tell a period in words."""
        day, timeslot = divmod(int(period), self.instance.periods_per_day)
        return f"day {day}, timeslot {timeslot}"

    def course(self, position: SupportsIndex) -> str:
        """Return the id of a course."""
        return self.instance.courses[position].id

    def room(self, position: SupportsIndex) -> str:
        """Return the id of a room."""
        return self.instance.rooms[position].id

    def curriculum(self, position: SupportsIndex) -> str:
        """Return the id of a curriculum."""
        return self.instance.curricula[position].id
