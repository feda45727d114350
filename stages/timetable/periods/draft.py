"""A timetable as the CP-SAT stage changes it: by course and period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...ragged import ranks
from ..model.solution import Solution

if TYPE_CHECKING:
    from ..model.instance import Instance


@dataclass(frozen=True, slots=True)
class Draft:
    """Which course has a lecture in which period and room.

    Attributes
    ----------
    instance
        What is timetabled.
    placed
        Whether a course has a lecture in a period, shape (n_courses, n_periods).
    rooms
        Its room, -1 where there is none (yet), int32 of the same shape.
    """

    instance: Instance
    placed: NDArray[np.bool_]
    rooms: NDArray[np.int32]

    @classmethod
    def of_lectures(
        cls, instance: Instance, periods: NDArray[np.int32], rooms: NDArray[np.int32]
    ) -> Draft:
        """Take a period and a room for each lecture, -1 for none, shape (n_lectures,)."""
        placed = np.zeros(instance.available.shape, np.bool_)
        table = np.full(placed.shape, -1, np.int32)
        there = np.flatnonzero(periods >= 0)
        cells = instance.lecture_course[there], periods[there]
        placed[cells] = True
        table[cells] = rooms[there]
        return cls(instance, placed, table)

    @classmethod
    def of_periods(cls, instance: Instance, placed: NDArray[np.bool_]) -> Draft:
        """Take periods without rooms, shape (n_courses, n_periods)."""
        return cls(instance, placed, np.full(placed.shape, -1, np.int32))

    def lecture_arrays(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return a period and a room for each lecture, -1 for none, shape (n_lectures,)."""
        periods = np.full(self.instance.n_lectures, -1, np.int32)
        rooms = periods.copy()
        courses, columns = np.nonzero(self.placed)
        counts = self.placed.sum(axis=1)
        lectures = self.instance.course_starts[courses] + ranks(counts)
        periods[lectures] = columns
        rooms[lectures] = self.rooms[courses, columns]
        return periods, rooms

    def solution(self) -> Solution:
        """Return the solution; a lecture without a room is one that is missing."""
        periods, rooms = self.lecture_arrays()
        periods = np.where(rooms >= 0, periods, -1).astype(np.int32)
        return Solution.of_lectures(self.instance, periods, rooms)

    @property
    def missing(self) -> int:
        """Lectures without a period or without a room."""
        return self.instance.n_lectures - int((self.rooms >= 0).sum())

    def scarce_rooms(self) -> list[NDArray[np.bool_]]:
        """Find the sets of rooms that more lectures need in some period than there are."""
        from ..search.building.room_assignment import scarce_rooms

        found = {}
        for period in np.flatnonzero((self.placed & (self.rooms < 0)).any(axis=0)):
            courses = np.flatnonzero(self.placed[:, period])
            for rooms in scarce_rooms(self.instance.suitable, courses, self.rooms[courses, period]):
                found[rooms.tobytes()] = rooms
        return list(found.values())

    def change(self, courses: NDArray[np.intp], placed: NDArray[np.bool_]) -> Draft:
        """Return a draft with new periods for some courses, their new lectures without rooms.

        Parameters
        ----------
        courses
            Courses to change, shape (n,).
        placed
            Their periods, shape (n, n_periods).
        """
        everyone = self.placed.copy()
        everyone[courses] = placed
        return Draft(self.instance, everyone, np.where(everyone, self.rooms, -1).astype(np.int32))
