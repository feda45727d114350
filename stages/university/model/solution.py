"""A timetable of a university, and who attends what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import TimetableError
from .instance import Instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from ..tables.rows import TableOf
    from ..views.class_groups import By


class Solution:
    """A time and a room for classes of an instance, and the students of each.

    It may be incomplete or break rules, which `evaluate` tells. Arrays are read-only.

    Parameters
    ----------
    instance
        What it is a solution of.
    times
        Which of its times each class has, from 0 in the order in which it lists them; -1
        for none, shape (n_classes,).
    rooms
        Position of each class's room in the instance; -1 for none, shape (n_classes,).
    enrolments
        Rows ``(student, class)`` of positions, shape (n, 2), in any order.
    about
        What the file's head says beside the name, as ``{"technique": "…"}``; no part of
        whether two solutions are equal.

    Raises
    ------
    TimetableError
        If an array has another shape, something other than whole numbers, or a number
        that stands for nothing.
    """

    __module__ = "schoolbell.stages.university"

    def __init__(
        self,
        instance: Instance,
        times: ArrayLike,
        rooms: ArrayLike,
        enrolments: ArrayLike = (),
        about: Mapping[str, str] | None = None,
    ) -> None:
        n = len(instance.classes)
        n_times = np.diff(instance.tables.time_starts)
        self.instance = instance
        self.times = _indices(times, (n,), n_times, -1, "times")
        self.rooms = _indices(rooms, (n,), len(instance.rooms), -1, "rooms")
        pairs = np.array(enrolments if np.size(enrolments) else np.empty((0, 2), np.int64))
        sizes = np.array([len(instance.students), n])
        pairs = _indices(pairs, (len(pairs), 2), sizes, 0, "enrolments")
        self.enrolments = np.unique(pairs, axis=0)
        self.enrolments.flags.writeable = False
        if len(self.enrolments) < len(pairs):
            raise TimetableError("enrolments have a student twice in a class, expected once")
        self.about = dict(about or {})

    @classmethod
    def read(cls, path: str | os.PathLike[str], instance: Instance) -> Solution:
        """Read a solution's file, ``.xml`` or ``.xml.gz``.

        Raises
        ------
        FormatError
            If the file cannot be read, something in it is wrong, or it is of another
            instance.
        """
        from ..formats.solution_format import read_solution

        return cls(instance, *read_solution(path, instance))

    @classmethod
    def loads(cls, text: str, instance: Instance) -> Solution:
        """Read the text of a solution's file.

        Raises
        ------
        FormatError
            If something in it is wrong.
        """
        from ..formats.solution_format import read_solution

        return cls(instance, *read_solution("<text>", instance, text.encode()))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a solution's file, ``.xml`` or ``.xml.gz``; the suffix tells which.

        Raises
        ------
        TimetableError
            If the suffix is another one.
        OSError
            If the file cannot be written; an older one is left as it was.
        """
        from ..formats.files import write_xml

        write_xml(path, self.dumps())

    def dumps(self) -> str:
        """Return the text of the solution's file."""
        from ..formats.solution_format import solution_text

        return solution_text(self)

    def to_frame(self, of: TableOf = "classes") -> DataFrame:
        """Return the timetable as a table of pandas.

        Parameters
        ----------
        of
            ``"classes"``: a row for each class with its course, its time and room in
            words, and how many attend it. ``"rooms"``: a row for each class of each room,
            by day and start. ``"enrolments"``: a row for each student of each class.
            ``"students"``: the same with time and room, by student, day and start.

        Raises
        ------
        TimetableError
            For another `of`.
        ImportError
            Where pandas is not installed.
        """
        from ..tables.export import frame

        return frame(self, of)

    def write_csv(self, path: str | os.PathLike[str], of: TableOf = "classes") -> None:
        """Write the table that `to_frame` returns as a CSV file.

        Raises
        ------
        TimetableError
            For another `of`.
        OSError
            If the file cannot be written; an older one is left as it was.
        """
        from ..tables.export import write_csv

        write_csv(self, path, of)

    def plot(
        self,
        by: By = "room",
        which: str | None = None,
        week: int | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the timetable with matplotlib.

        Classes that no room, or no student, can have together are red.

        Parameters
        ----------
        by
            Whose timetable: ``"room"``, ``"course"``, ``"class"``, ``"group"`` (students
            who ask for the same courses, named by them: ``"logic + art"``) or
            ``"student"``.
        which
            Id of one of them, whose week is drawn with a column for each day and each
            class at its true length; None for all, a row each with the days beside each
            other. Of more than 50 the busiest are drawn, as the title says.
        week
            Number of the week to draw, from 1; None for all weeks in one picture, where
            each class says its weeks.
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
            For another `by`, a `which` that is not in the instance, and a `week` that it
            does not have.
        ImportError
            Where matplotlib is not installed.
        """
        from ..views.plotting import plot

        return plot(self, by, which, week, ax)

    @property
    def time_rows(self) -> NDArray[np.int64]:
        """Row of each class's time among all options of the instance's tables; -1 for none."""
        rows = self.instance.tables.time_starts[:-1] + self.times
        return np.where(self.times >= 0, rows, -1).astype(np.int64)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Solution):
            return NotImplemented
        return (
            np.array_equal(self.times, other.times)
            and np.array_equal(self.rooms, other.rooms)
            and np.array_equal(self.enrolments, other.enrolments)
            and self.instance == other.instance
        )

    def __hash__(self) -> int:
        return hash((self.instance.name, self.times.tobytes(), self.rooms.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:
        values = (self.instance, self.times, self.rooms, self.enrolments, self.about)
        return type(self), values

    def _repr_html_(self) -> str:
        """Show the weeks by room, course and student group in a notebook."""
        from ..views.notebook_view import solution_html

        return solution_html(self)

    def __repr__(self) -> str:
        placed, n = int((self.times >= 0).sum()), len(self.times)
        return (
            f"<Solution of {self.instance.name!r}: {placed} of {n} classes placed, "
            f"{len(self.enrolments)} enrolments>"
        )


def _indices(
    values: ArrayLike, shape: tuple[int, ...], sizes: Any, low: int, what: str
) -> NDArray[np.int64]:
    array = np.array(values)
    if array.shape != shape or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise TimetableError(
            f"{what} must be whole numbers of shape {shape}, got {array.dtype} of shape "
            f"{array.shape}"
        )
    most = np.broadcast_to(sizes, array.shape)
    wrong = np.argwhere((array < low) | (array >= most))
    if len(wrong):
        at = tuple(int(k) for k in wrong[0])
        place = ", ".join(map(str, at))
        found = f"{what}[{place}] is {array[at]}"
        raise TimetableError(f"{found}, expected {low} to {most[at] - 1}")
    array = array.astype(np.int64)
    array.flags.writeable = False
    return array
