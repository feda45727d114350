"""Read and write a solution of ITC-2019."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...names import did_you_mean
from ..model.checks import shown
from ..model.instance import Instance
from .instance_writer import DECLARATION, tag
from .xml_reader import XmlReader

if TYPE_CHECKING:
    from ..model.solution import Solution

_ABOUT = ("runtime", "cores", "technique", "author", "institution", "country")


class _SolutionReader(XmlReader):
    root = "solution"
    children: ClassVar = {"solution": ("class",), "solution/class": ("student",)}

    def __init__(
        self, path: str | os.PathLike[str], instance: Instance, data: bytes | None
    ) -> None:
        super().__init__(path, data)
        self.instance = instance
        self.times = np.full(len(instance.classes), -1)
        self.rooms = np.full(len(instance.classes), -1)
        self.enrolments: list[tuple[int, int]] = []
        self.about: dict[str, str] = {}
        self._class = -1
        self._students: set[int] = set()
        self._told: set[int] = set()

    def begin_solution(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name", self.instance.name)
        if name != self.instance.name:
            found = f"a solution of {shown(name)}"
            raise self.error(found, f"one of {shown(self.instance.name)}")
        self.about = {key: attributes[key] for key in _ABOUT if key in attributes}

    def begin_solution_class(self, attributes: dict[str, str]) -> None:
        k = self._position(self.text(attributes, "id"), self.instance.class_positions, "class")
        if k in self._told:
            raise self.error(f"class {self.instance.classes[k].id} again", "each class once")
        self._told.add(k)
        self._class = k
        self._students = set()
        if "start" in attributes or "days" in attributes or "weeks" in attributes:
            self.times[k] = self._time(k, attributes)
        if "room" in attributes:
            self.rooms[k] = self._position(attributes["room"], self.instance.room_positions, "room")

    def _time(self, k: int, attributes: dict[str, str]) -> int:
        days, weeks = self.text(attributes, "days"), self.text(attributes, "weeks")
        start = self.number(attributes, "start")
        for index, time in enumerate(self.instance.classes[k].times):
            if time.start == start and time.days == days and time.weeks == weeks:
                return index
        name = self.instance.classes[k].id
        found = f"class {name} on days {shown(days)[1:-1]} from {start}"
        raise self.error(f"{found} in weeks {shown(weeks)[1:-1]}", "one of its times")

    def begin_solution_class_student(self, attributes: dict[str, str]) -> None:
        text = self.text(attributes, "id")
        student = self._position(text, self.instance.student_positions, "student")
        if student in self._students:
            raise self.error(f"student {text} again", "each student of a class once")
        self._students.add(student)
        self.enrolments.append((student, self._class))

    def _position(self, name: str, positions: dict[str, int], what: str) -> int:
        if name not in positions:
            close = did_you_mean(name, positions) if len(positions) < 10_000 else ""
            raise self.error(f"unknown {what} {shown(name)}", f"the id of a {what}{close}")
        return positions[name]


def read_solution(
    path: str | os.PathLike[str], instance: Instance, data: bytes | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], dict[str, str]]:
    """Read a solution of an instance from a file, or from its bytes.

    Returns
    -------
    tuple
        What a `Solution` is made of beside the instance: times, rooms, enrolments, and
        what the file tells about itself.

    Raises
    ------
    FormatError
        If the file cannot be read, something in it is wrong, or it is of another
        instance.
    """
    reader = _SolutionReader(path, instance, data)
    reader.parse()
    pairs = np.array(reader.enrolments, np.int64).reshape(-1, 2)
    return reader.times, reader.rooms, pairs, reader.about


def solution_text(solution: Solution) -> str:
    """Return the text of a solution's file."""
    instance = solution.instance
    lines = [DECLARATION, tag("solution", {"name": instance.name, **solution.about})]
    students: list[list[int]] = [[] for _ in instance.classes]
    for student, k in solution.enrolments.tolist():
        students[k].append(student)
    for k, one in enumerate(instance.classes):
        head: dict[str, Any] = {"id": one.id}
        if solution.times[k] >= 0:
            time = one.times[solution.times[k]]
            head |= {"days": time.days, "start": time.start, "weeks": time.weeks}
        if solution.rooms[k] >= 0:
            head["room"] = instance.rooms[solution.rooms[k]].id
        lines.append("  " + tag("class", head, not students[k]))
        if students[k]:
            ids = (instance.students[student].id for student in students[k])
            lines += ["    " + tag("student", {"id": one}, True) for one in ids]
            lines.append("  </class>")
    return "\n".join([*lines, "</solution>", ""])
