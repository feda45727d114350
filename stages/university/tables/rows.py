"""The rows of a solution's tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..cost.class_rules import room_penalties
from ..cost.words import clock, day_name, numbers, week_names
from ..errors import TimetableError

if TYPE_CHECKING:
    from ..model.solution import Solution

TableOf = Literal["classes", "rooms", "enrolments", "students"]

CLASS_COLUMNS = (
    "course",
    "configuration",
    "subpart",
    "class",
    "days",
    "start",
    "end",
    "weeks",
    "room",
    "students",
    "limit",
    "time_penalty",
    "room_penalty",
)
ROOM_COLUMNS = (
    "room",
    "capacity",
    "days",
    "start",
    "end",
    "weeks",
    "class",
    "course",
    "students",
)
ENROLMENT_COLUMNS = ("student", "course", "class")
STUDENT_COLUMNS = ("student", "days", "start", "end", "weeks", "class", "course", "room")


def table_columns(solution: Solution, of: TableOf) -> dict[str, list[Any]]:
    """Return a solution's table, column by column.

    Parameters
    ----------
    solution
        The solution.
    of
        ``"classes"``: a row for each class, where it stands in its course, when and where
        it is, and how many attend it; what a class lacks is None. ``"rooms"``: what is in
        each room, by day and start. ``"enrolments"``: a row for each student of each class.
        ``"students"``: the week of each student, by day and start.

    Raises
    ------
    TimetableError
        For another `of`.
    """
    if of not in _TABLES:
        expected = ", ".join(map(repr, get_args(TableOf)))
        raise TimetableError(f"of is {of!r}, expected one of {expected}")
    make, names = _TABLES[of]
    rows = make(solution)
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


def _class_rows(solution: Solution) -> list[tuple[Any, ...]]:
    instance = solution.instance
    students = np.bincount(solution.enrolments[:, 1], minlength=len(instance.classes)).tolist()
    penalties = room_penalties(solution).tolist()
    rows = []
    for course in instance.courses:
        for configuration in course.configurations:
            for subpart in configuration.subparts:
                for one in subpart.classes:
                    k = len(rows)
                    room = int(solution.rooms[k])
                    rows.append(
                        (
                            course.id,
                            configuration.id,
                            subpart.id,
                            one.id,
                            *_when(solution, k),
                            None if room < 0 else instance.rooms[room].id,
                            students[k],
                            one.limit,
                            *_time_penalty(solution, k),
                            None if penalties[k] < 0 else penalties[k],
                        )
                    )
    return rows


def _when(solution: Solution, k: int) -> tuple[str | None, ...]:
    at = int(solution.times[k])
    if at < 0:
        return None, None, None, None
    time = solution.instance.classes[k].times[at]
    slots = solution.instance.slots_per_day
    days = ", ".join(day_name(day) for day in numbers(time.days))
    return days, clock(time.start, slots), clock(time.end, slots), week_names(time.weeks)


def _time_penalty(solution: Solution, k: int) -> tuple[int | None]:
    at = int(solution.times[k])
    return (None if at < 0 else solution.instance.classes[k].times[at].penalty,)


def _courses(solution: Solution) -> list[str]:
    """Return the id of each class's course."""
    instance, tables = solution.instance, solution.instance.tables
    courses = tables.course[tables.configuration[tables.subpart]].tolist()
    return [instance.courses[c].id for c in courses]


def _by_day_and_start(solution: Solution) -> NDArray[np.int64]:
    """Return where each class stands among all, by first day and start; without a time last."""
    tables, rows = solution.instance.tables, solution.time_rows
    first_day = np.where(rows >= 0, tables.days[rows] & -tables.days[rows], 1 << 62)
    order = np.lexsort((tables.start[rows], first_day))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _room_rows(solution: Solution) -> list[tuple[Any, ...]]:
    instance = solution.instance
    students = np.bincount(solution.enrolments[:, 1], minlength=len(instance.classes)).tolist()
    courses = _courses(solution)
    order = np.lexsort((_by_day_and_start(solution), solution.rooms))
    rows = []
    for k in order[solution.rooms[order] >= 0].tolist():
        room = instance.rooms[solution.rooms[k]]
        about = (instance.classes[k].id, courses[k], students[k])
        rows.append((room.id, room.capacity, *_when(solution, k), *about))
    return rows


def _student_rows(solution: Solution) -> list[tuple[Any, ...]]:
    instance = solution.instance
    courses = _courses(solution)
    students, classes = solution.enrolments.T
    order = np.lexsort((_by_day_and_start(solution)[classes], students))
    rooms = [None if r < 0 else instance.rooms[r].id for r in solution.rooms.tolist()]
    about = [
        (*_when(solution, k), one.id, courses[k], rooms[k])
        for k, one in enumerate(instance.classes)
    ]
    return [
        (instance.students[student].id, *about[k])
        for student, k in solution.enrolments[order].tolist()
    ]


def _enrolment_rows(solution: Solution) -> list[tuple[Any, ...]]:
    instance = solution.instance
    courses = _courses(solution)
    return [
        (instance.students[student].id, courses[k], instance.classes[k].id)
        for student, k in solution.enrolments.tolist()
    ]


_TABLES: dict[str, tuple[Callable[[Solution], list[tuple[Any, ...]]], tuple[str, ...]]] = {
    "classes": (_class_rows, CLASS_COLUMNS),
    "rooms": (_room_rows, ROOM_COLUMNS),
    "enrolments": (_enrolment_rows, ENROLMENT_COLUMNS),
    "students": (_student_rows, STUDENT_COLUMNS),
}
