"""The rows of a solution's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..cost.class_rules import room_penalties
from ..cost.words import clock, day_name, numbers, week_names
from ..errors import TimetableError

if TYPE_CHECKING:
    from ..model.solution import Solution

TableOf = Literal["classes", "enrolments"]

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
ENROLMENT_COLUMNS = ("student", "course", "class")


def table_columns(solution: Solution, of: TableOf) -> dict[str, list[Any]]:
    """Return a solution's table, column by column.

    Parameters
    ----------
    solution
        The solution.
    of
        ``"classes"``: a row for each class, where it stands in its course, when and where
        it is, and how many attend it; what a class lacks is None. ``"enrolments"``: a row
        for each student of each class.

    Raises
    ------
    TimetableError
        For another `of`.
    """
    if of == "classes":
        rows, names = _class_rows(solution), CLASS_COLUMNS
    elif of == "enrolments":
        rows, names = _enrolment_rows(solution), ENROLMENT_COLUMNS
    else:
        raise TimetableError(f"of is {of!r}, expected 'classes' or 'enrolments'")
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


def _enrolment_rows(solution: Solution) -> list[tuple[str, str, str]]:
    instance = solution.instance
    tables = instance.tables
    of_course = tables.course[tables.configuration[tables.subpart]].tolist()
    return [
        (instance.students[student].id, instance.courses[of_course[k]].id, instance.classes[k].id)
        for student, k in solution.enrolments.tolist()
    ]
