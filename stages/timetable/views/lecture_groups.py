"""The lectures of a timetable by whom or what they concern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ...names import did_you_mean
from ..errors import TimetableError, shown

if TYPE_CHECKING:
    from ..model.solution import Solution

By = Literal["room", "curriculum", "teacher"]
KINDS: tuple[By, ...] = get_args(By)
PLURALS: dict[By, str] = {"room": "rooms", "curriculum": "curricula", "teacher": "teachers"}


@dataclass(frozen=True)
class LectureGroups:
    """The lectures of each room, each curriculum or each teacher.

    A lecture is in as many groups as its course has curricula, and in one
    otherwise.

    Attributes
    ----------
    by
        What the groups are.
    names
        Id of each group.
    groups, lectures
        A row for each lecture of each group, by group and period: the group,
        and the lecture's position in the solution.
    """

    by: By
    names: list[str]
    groups: NDArray[np.int64]
    lectures: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Lectures of each group, shape (n_groups,)."""
        return np.bincount(self.groups, minlength=len(self.names))

    def of(self, group: int) -> NDArray[np.int64]:
        """Return the positions of a group's lectures in the solution, by period."""
        first, end = np.searchsorted(self.groups, [group, group + 1])
        return self.lectures[first:end]

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
            raise TimetableError(
                f"unknown {self.by} {shown(name)}, expected one of {some or 'none'}"
                f"{did_you_mean(name, self.names)}"
            ) from None

    def busiest(self, most: int) -> NDArray[np.int64]:
        """Return the groups with the most lectures, at most so many, in their own order."""
        return np.sort(np.argsort(-self.sizes, kind="stable")[:most])


def group_lectures(solution: Solution, by: By) -> LectureGroups:
    """Group the lectures of a timetable.

    Parameters
    ----------
    solution
        The timetable.
    by
        ``"room"``, ``"curriculum"`` or ``"teacher"``.

    Raises
    ------
    TimetableError
        For another `by`.
    """
    instance = solution.instance
    every = np.arange(len(solution))
    if by == "room":
        names = [room.id for room in instance.rooms]
        groups, lectures = solution.rooms.astype(np.int64), every
    elif by == "curriculum":
        names = [curriculum.id for curriculum in instance.curricula]
        groups, lectures = instance.curricula_of(solution.courses)
    elif by == "teacher":
        # As they appear, which is how `course_teacher` numbers them.
        names = list(dict.fromkeys(course.teacher for course in instance.courses))
        groups, lectures = instance.course_teacher[solution.courses].astype(np.int64), every
    else:
        expected = f"one of {', '.join(KINDS)}{did_you_mean(by, KINDS)}"
        raise TimetableError(f"found by={shown(by)}, expected {expected}")
    order = np.lexsort((solution.courses[lectures], solution.periods[lectures], groups))
    return LectureGroups(by, names, groups[order], lectures[order])


def lecture_words(solution: Solution, by: By, lecture: int) -> list[str]:
    """Return what a lecture is in someone's week: course, room and teacher, but for whose it is."""
    course = solution.instance.courses[solution.courses[lecture]]
    room = solution.instance.rooms[solution.rooms[lecture]].id
    return {
        "room": [course.id, course.teacher],
        "teacher": [course.id, room],
        "curriculum": [course.id, room, course.teacher],
    }[by]


def day_names(days: int) -> list[str]:
    """Return what to call the days of a week: their names if there are no more than seven."""
    week = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    return week[:days] if days <= len(week) else [f"Day {day}" for day in range(days)]


def shortened(text: str, most: int) -> str:
    """Cut a name that is longer than so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
