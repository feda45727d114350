"""A timetable."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...files.atomic import write_atomically
from ...files.text_file import read_text
from ...names import did_you_mean
from ..errors import TimetableError, reading
from .checks import shown
from .instance import Instance
from .row_reader import RowReader

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Solution:
    """Lectures of an instance with a period and a room each.

    A timetable may be incomplete, have too many lectures of a course and break
    every constraint; `evaluate` tells. Solutions are equal if they have the same
    lectures of equal instances, in whatever order.

    Parameters
    ----------
    instance
        The problem.
    courses, periods, rooms
        Position of the course, period and position of the room of each lecture,
        three arrays of one length; they are copied.

    Raises
    ------
    TimetableError
        If the arrays differ in length or a number is out of range.
    """

    __module__ = "schoolbell.stages.timetable"

    __slots__ = ("courses", "instance", "periods", "rooms")

    def __init__(
        self, instance: Instance, courses: ArrayLike, periods: ArrayLike, rooms: ArrayLike
    ) -> None:
        self.instance = instance
        self.courses = _indices(courses, instance.n_courses, "courses")
        self.periods = _indices(periods, instance.n_periods, "periods")
        self.rooms = _indices(rooms, instance.n_rooms, "rooms")
        if not len(self.courses) == len(self.periods) == len(self.rooms):
            raise TimetableError(
                f"courses, periods and rooms must have one length, got {len(self.courses)}, "
                f"{len(self.periods)} and {len(self.rooms)}"
            )

    @classmethod
    def of_lectures(cls, instance: Instance, periods: ArrayLike, rooms: ArrayLike) -> Solution:
        """Build a timetable from the period and the room of each lecture.

        Parameters
        ----------
        instance
            The problem.
        periods, rooms
            Of each lecture, sorted by course, shape (n_lectures,); -1 in both
            for a lecture that has no place.

        Raises
        ------
        TimetableError
            If a shape is wrong, a number is out of range, or a lecture has only
            one of the two.
        """
        period_of, room_of = np.asarray(periods), np.asarray(rooms)
        shape = (instance.n_lectures,)
        if period_of.shape != shape or room_of.shape != shape:
            raise TimetableError(
                f"periods and rooms must have shape {shape}, got {period_of.shape} "
                f"and {room_of.shape}"
            )
        placed = period_of != -1
        if not np.array_equal(placed, room_of != -1):
            lecture = int(np.flatnonzero(placed != (room_of != -1))[0])
            raise TimetableError(f"lecture {lecture} has a period or a room but not both")
        return cls(instance, instance.lecture_course[placed], period_of[placed], room_of[placed])

    def lecture_arrays(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the period and the room of each lecture of the instance.

        Returns
        -------
        tuple of arrays
            Periods and rooms, each of shape (n_lectures,), sorted by course; -1
            for a lecture that has no place. The placed lectures of a course come
            first, in the order that they have here.

        Raises
        ------
        TimetableError
            If a course has more lectures than it should.
        """
        instance = self.instance
        counts = np.bincount(self.courses, minlength=instance.n_courses)
        beyond = np.flatnonzero(counts > instance.course_lectures)
        if len(beyond):
            course = instance.courses[beyond[0]]
            raise TimetableError(
                f"course {course.id} has {counts[beyond[0]]} lectures placed, "
                f"expected at most {course.lectures}"
            )
        order = np.argsort(self.courses, kind="stable")
        rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        lectures = instance.course_starts[self.courses[order]] + rank
        periods = np.full(instance.n_lectures, -1, np.int32)
        rooms = np.full(instance.n_lectures, -1, np.int32)
        periods[lectures] = self.periods[order]
        rooms[lectures] = self.rooms[order]
        return periods, rooms

    @classmethod
    def read(cls, path: str | os.PathLike[str], instance: Instance) -> Solution:
        """Read a solution file, one ``course room day timeslot`` a line.

        Raises
        ------
        FormatError
            If the file cannot be read or something in it is wrong.
        """
        with reading():
            text = read_text(path)
        reader = RowReader(text, path)
        courses, periods, rooms = [], [], []
        for columns in reader:
            if len(columns) != 4:
                raise reader.error("'course room day timeslot'")
            courses.append(_position(reader, columns[0], instance.course_positions, "course"))
            rooms.append(_position(reader, columns[1], instance.room_positions, "room"))
            day = reader.number(columns[2], "day", 0, instance.days - 1)
            timeslot = reader.number(columns[3], "timeslot", 0, instance.periods_per_day - 1)
            periods.append(day * instance.periods_per_day + timeslot)
        return cls(instance, courses, periods, rooms)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a solution file, sorted by course, period and room.

        Raises
        ------
        OSError
            If the file cannot be written; an older one is left as it was.
        """
        write_atomically(path, self.dumps())

    def dumps(self) -> str:
        """Return the text of the solution's file."""
        courses = [course.id for course in self.instance.courses]
        rooms = [room.id for room in self.instance.rooms]
        of_lectures, periods, in_rooms = self._sorted()
        days, timeslots = np.divmod(periods, self.instance.periods_per_day)
        columns = (of_lectures.tolist(), in_rooms.tolist(), days.tolist(), timeslots.tolist())
        rows = zip(*columns, strict=True)
        return "".join([f"{courses[c]} {rooms[r]} {day} {slot}\n" for c, r, day, slot in rows])

    def _sorted(self) -> NDArray[np.int32]:
        order = np.lexsort((self.rooms, self.periods, self.courses))
        return np.stack([self.courses, self.periods, self.rooms])[:, order]

    def plot(
        self,
        by: Literal["room", "curriculum", "teacher"] = "room",
        which: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the timetable with matplotlib.

        Lectures that must not meet but do are red.

        Parameters
        ----------
        by
            Whose timetable: that of rooms, curricula or teachers.
        which
            Id of one of them, whose week is drawn with a column for each day;
            None for all, a row each with a column for each period. Of more than
            50 the busiest are drawn, as the title says.
        ax
            Where to draw; a new figure of pyplot by default. The axes of a bare
            ``matplotlib.figure.Figure`` do without pyplot.

        Returns
        -------
        Axes
            Where it is drawn.

        Raises
        ------
        TimetableError
            For another `by`, and for a `which` that is not in the instance.
        ImportError
            Where matplotlib is not installed.
        """
        from ..views.plotting import plot

        return plot(self, by, which, ax)

    def __len__(self) -> int:
        return len(self.courses)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Solution):
            return NotImplemented
        return (
            len(self) == len(other)
            and np.array_equal(self._sorted(), other._sorted())
            and self.instance == other.instance
        )

    def __hash__(self) -> int:
        return hash((self.instance.name, self._sorted().tobytes()))

    def _repr_html_(self) -> str:
        """Show the weeks by room, curriculum and teacher in a notebook."""
        from ..views.notebook_view import solution_html

        return solution_html(self)

    def __repr__(self) -> str:
        placed, wanted = len(self), self.instance.n_lectures
        return f"<Solution of {self.instance.name!r}: {placed} of {wanted} lectures placed>"


def _indices(values: ArrayLike, size: int, what: str) -> NDArray[np.int32]:
    array = np.array(values)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise TimetableError(
            f"{what} must be a flat array of whole numbers, got {array.dtype} of "
            f"shape {array.shape}"
        )
    wrong = np.flatnonzero((array < 0) | (array >= size))
    if len(wrong):
        raise TimetableError(f"{what}[{wrong[0]}] is {array[wrong[0]]}, expected 0 to {size - 1}")
    array = array.astype(np.int32)
    array.flags.writeable = False
    return array


def _position(reader: RowReader, name: str, positions: dict[str, int], what: str) -> int:
    if name not in positions:
        close = did_you_mean(name, positions)
        raise reader.error(f"the id of a {what}{close}", f"unknown {what} {shown(name)}")
    return positions[name]
