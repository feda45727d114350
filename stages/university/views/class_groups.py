"""The classes of a timetable by whom or what they concern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ...names import did_you_mean
from ..errors import TimetableError
from ..model.checks import shown

if TYPE_CHECKING:
    from ..model.instance import Instance
    from ..model.solution import Solution

By = Literal["room", "course", "class", "group", "student"]
KINDS: tuple[By, ...] = get_args(By)
PLURALS: dict[By, str] = {
    "room": "rooms",
    "course": "courses",
    "class": "classes",
    "group": "student groups",
    "student": "students",
}


@dataclass(frozen=True)
class ClassGroups:
    """The classes of each room, course, class, student group or student.

    Attributes
    ----------
    by
        What the groups are.
    names
        Id of each group.
    groups, classes
        A row for each class of each group, ascending by group and start: the group, and
        the class's position.
    """

    by: By
    names: list[str]
    groups: NDArray[np.int64]
    classes: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Classes of each group, shape (n_groups,)."""
        return np.bincount(self.groups, minlength=len(self.names))

    def of(self, group: int) -> NDArray[np.int64]:
        """Return the positions of a group's classes, by start."""
        first, end = np.searchsorted(self.groups, [group, group + 1])
        return self.classes[first:end]

    def position(self, name: str) -> int:
        """Return which group has an id.

        Raises
        ------
        TimetableError
            If there is none.
        """
        try:
            return self.names.index(name)
        except ValueError:
            some = ", ".join(self.names[:5]) + (", …" if len(self.names) > 5 else "")
            close = did_you_mean(name, self.names) if len(self.names) < 10_000 else ""
            raise TimetableError(
                f"unknown {self.by} {shown(name)}, expected one of {some or 'none'}{close}"
            ) from None

    def busiest(self, most: int) -> NDArray[np.int64]:
        """Return the groups with the most classes, at most so many, in their own order."""
        return np.sort(np.argsort(-self.sizes, kind="stable")[:most])


def student_groups(instance: Instance) -> dict[str, list[int]]:
    """Return the students who ask for the same courses, by the courses' ids.

    Groups of one student are left out; the largest comes first.
    """
    by_courses: dict[tuple[int, ...], list[int]] = {}
    for s, student in enumerate(instance.students):
        key = tuple(sorted(instance.course_positions[course] for course in student.courses))
        by_courses.setdefault(key, []).append(s)
    groups = {
        " + ".join(instance.courses[c].id for c in courses): students
        for courses, students in by_courses.items()
        if courses and len(students) > 1
    }
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def group_classes(solution: Solution, by: By) -> ClassGroups:
    """Group the classes of a timetable that have a time.

    Parameters
    ----------
    solution
        The timetable.
    by
        ``"room"``, ``"course"``, ``"class"``, ``"group"`` (students who ask for the same
        courses) or ``"student"``.

    Raises
    ------
    TimetableError
        For another `by`.
    """
    instance = solution.instance
    every = np.arange(len(instance.classes))
    members: Any = {
        "room": (instance.rooms, solution.rooms, every),
        "course": (instance.courses, _courses(instance), every),
        "class": (instance.classes, every, every),
        "student": (instance.students, *solution.enrolments.T),
    }
    if by == "group":
        found = student_groups(instance)
        names = list(found)
        of_student = np.full(len(instance.students), -1)
        for group, students in enumerate(found.values()):
            of_student[students] = group
        students, classes = solution.enrolments.T
        pairs = np.unique(np.stack([of_student[students], classes], axis=1), axis=0)
        groups, classes = pairs.reshape(-1, 2).T
    elif by in members:
        things, groups, classes = members[by]
        names = [one.id for one in things]
    else:
        expected = f"one of {', '.join(KINDS)}{did_you_mean(by, KINDS)}"
        raise TimetableError(f"found by={shown(by)}, expected {expected}")
    there = (groups >= 0) & (solution.times[classes] >= 0)
    groups, classes = groups[there], classes[there]
    start = instance.tables.start[solution.time_rows[classes]]
    order = np.lexsort((classes, start, groups))
    return ClassGroups(by, names, groups[order], classes[order])


def _courses(instance: Instance) -> NDArray[np.int64]:
    tables = instance.tables
    return tables.course[tables.configuration[tables.subpart]]
