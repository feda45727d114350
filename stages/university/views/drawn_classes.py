"""The classes of a timetable that a picture or a notebook shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..cost.placed_classes import PlacedClasses

if TYPE_CHECKING:
    from ..model.solution import Solution
    from .class_groups import ClassGroups

# Days that are there even when nothing takes place.
_LEAST_DAYS = 5


class DrawnClasses:
    """A timetable of which some classes are drawn: those of a week, or all."""

    def __init__(self, solution: Solution, groups: ClassGroups, week: int | None = None) -> None:
        self.solution = solution
        self.groups = groups
        self.week = week
        self.placed = placed = PlacedClasses.of(solution)
        instance = solution.instance
        noon = instance.slots_per_day // 2
        start, end = placed.start[placed.placed], placed.end[placed.placed]
        self.per_hour = max(1, instance.slots_per_day // 24)
        # Whole hours from the first that any class has to the end of the last.
        self.first = int(min(start, default=noon)) // self.per_hour * self.per_hour
        self.last = max(int(max(end, default=noon)), self.first + self.per_hour)
        used = int(np.bitwise_or.reduce(placed.days, initial=0)).bit_length()
        self.days = min(max(used, _LEAST_DAYS), instance.days)

    def of(self, group: int) -> NDArray[np.int64]:
        """Return the classes of a group that are drawn, by start."""
        classes = self.groups.of(group)
        if self.week is None:
            return classes
        return classes[(self.placed.weeks[classes] >> (self.week - 1)) & 1 == 1]

    def meetings(self, classes: NDArray[np.int64]) -> list[tuple[int, int]]:
        """Return each class with each of its days."""
        return [
            (int(k), day)
            for k in classes
            for day in range(self.days)
            if int(self.placed.days[k]) >> day & 1
        ]

    def clashing(self, classes: NDArray[np.int64]) -> set[int]:
        """Return the classes that no room, or no student, can have together."""
        if self.groups.by not in ("room", "student"):
            return set()
        a, b = (classes[k] for k in np.triu_indices(len(classes), 1))
        together = (
            self.placed.overlap(a, b) if self.groups.by == "room" else ~self.placed.attendable(a, b)
        )
        return {int(k) for k in np.concatenate([a[together], b[together]])}

    @property
    def when(self) -> str:
        """The week in words."""
        return "all weeks" if self.week is None else f"week {self.week}"

    def course(self, k: int) -> int:
        """Return the position of a class's course."""
        tables = self.solution.instance.tables
        return int(tables.course[tables.configuration[tables.subpart[k]]])

    def where(self, k: int) -> list[str]:
        """Return the room and the course of a class in words, but for whose week it is."""
        instance, room = self.solution.instance, int(self.solution.rooms[k])
        words = []
        if self.groups.by != "room" and room >= 0:
            words.append(f"room {instance.rooms[room].id}")
        if self.groups.by != "course":
            words.append(f"course {instance.courses[self.course(k)].id}")
        return words

    def color_of(self, k: int) -> int:
        """Return what gives a class its color: its course, but in the course's own week itself."""
        return k if self.groups.by in ("course", "class") else self.course(k)
