"""Read an instance of ITC-2019."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from ..errors import InstanceItem
from ..model.checks import shown
from ..model.configuration import Configuration
from ..model.course import Course
from ..model.course_class import CourseClass
from ..model.distribution import Distribution
from ..model.limits import MAX_OPTIONS
from ..model.room import Room
from ..model.room_option import RoomOption
from ..model.student import Student
from ..model.subpart import Subpart
from ..model.time import Time
from ..model.weights import Weights
from .xml_reader import XmlReader

_COURSE = "problem/courses/course"
_CLASS = f"{_COURSE}/config/subpart/class"


class InstanceReader(XmlReader):
    """Reads a ``<problem>`` into what an `Instance` is made of."""

    root = "problem"
    children: ClassVar = {
        "problem": ("optimization", "rooms", "courses", "distributions", "students"),
        "problem/rooms": ("room",),
        "problem/rooms/room": ("travel", "unavailable"),
        "problem/courses": ("course",),
        _COURSE: ("config",),
        f"{_COURSE}/config": ("subpart",),
        f"{_COURSE}/config/subpart": ("class",),
        _CLASS: ("room", "time"),
        "problem/distributions": ("distribution",),
        "problem/distributions/distribution": ("class",),
        "problem/students": ("student",),
        "problem/students/student": ("course",),
    }
    single = frozenset(f"problem/{name}" for name in children["problem"])

    def __init__(self, path: str | os.PathLike[str], data: bytes | None = None) -> None:
        super().__init__(path, data)
        self._head: dict[str, Any] = {}
        self._lines: dict[str, list[int]] = {
            name: []
            for name in ("rooms", "travel", "courses", "classes", "distributions", "students")
        }
        # Half of a large file.
        self._travel_lines = self._lines["travel"]
        self._rooms: list[Room] = []
        self._travel: list[tuple[str, str, int]] = []
        self._courses: list[Course] = []
        self._distributions: list[Distribution] = []
        self._students: list[Student] = []
        self._attributes: dict[str, str] = {}
        self._class_attributes: dict[str, str] = {}
        self._configurations: list[Configuration] = []
        self._subparts: list[Subpart] = []
        self._classes: list[CourseClass] = []
        self._times: list[Time] = []
        self._room_options: list[RoomOption] = []
        self._ids: list[str] = []
        self._of: list[dict[str, str]] = []
        # Equal times and rooms of classes are one object: few of them are different.
        self._known_times: dict[tuple[tuple[str, str], ...], Time] = {}
        self._known_rooms: dict[tuple[str, int], RoomOption] = {}
        self._options = 0

    def read(self, on_progress: Callable[[float], object] | None = None) -> dict[str, Any]:
        """Return the arguments of the `Instance`.

        Raises
        ------
        FormatError
            If the file cannot be read or something in it is wrong.
        """
        self.parse(on_progress)
        return {
            **self._head,
            "rooms": tuple(self._rooms),
            "travel": tuple(self._travel),
            "courses": tuple(self._courses),
            "distributions": tuple(self._distributions),
            "students": tuple(self._students),
        }

    def line_of(self, item: InstanceItem | None) -> int:
        """Return the line on which a part of the instance begins; the last one for none."""
        if item is None or item.index >= len(self._lines.get(item.section, ())):
            return self.line
        return self._lines[item.section][item.index]

    def begin_problem(self, attributes: dict[str, str]) -> None:
        """Note the name and the size of the term."""
        self._head = {
            "name": attributes.get("name", ""),
            "days": self.number(attributes, "nrDays"),
            "weeks": self.number(attributes, "nrWeeks"),
            "slots_per_day": self.number(attributes, "slotsPerDay"),
        }

    def begin_problem_optimization(self, attributes: dict[str, str]) -> None:
        """Note the weights."""
        names = ("time", "room", "distribution", "student")
        self._head["weights"] = Weights(*(self.number(attributes, name) for name in names))

    def begin_problem_rooms_room(self, attributes: dict[str, str]) -> None:
        """Begin a room."""
        self._attributes = attributes
        self._lines["rooms"].append(self.line)
        self._times = []

    def begin_problem_rooms_room_travel(self, attributes: dict[str, str]) -> None:
        """Note the travel to another room."""
        self._count()
        self._travel_lines.append(self.line)
        here = self.text(self._attributes, "id")
        there = self.text(attributes, "room")
        self._travel.append((here, there, self.number(attributes, "value")))

    def begin_problem_rooms_room_unavailable(self, attributes: dict[str, str]) -> None:
        """Note a time at which the room is closed."""
        self._count()
        self._times.append(self._time(attributes))

    def end_problem_rooms_room(self) -> None:
        """Make the room."""
        capacity = self.number(self._attributes, "capacity", 0)
        self._rooms.append(Room(self.text(self._attributes, "id"), capacity, tuple(self._times)))

    def begin_problem_courses_course(self, attributes: dict[str, str]) -> None:
        """Begin a course."""
        self._lines["courses"].append(self.line)
        self._of.append(attributes)
        self._configurations = []

    def begin_problem_courses_course_config(self, attributes: dict[str, str]) -> None:
        """Begin a configuration."""
        self._of.append(attributes)
        self._subparts = []

    def begin_problem_courses_course_config_subpart(self, attributes: dict[str, str]) -> None:
        """Begin a subpart."""
        self._of.append(attributes)
        self._classes = []

    def begin_problem_courses_course_config_subpart_class(self, attributes: dict[str, str]) -> None:
        """Begin a class."""
        self._class_attributes = attributes
        self._lines["classes"].append(self.line)
        self._times = []
        self._room_options = []

    def begin_problem_courses_course_config_subpart_class_room(
        self, attributes: dict[str, str]
    ) -> None:
        """Note a room of the class."""
        self._count()
        key = (self.text(attributes, "id"), self.number(attributes, "penalty", 0))
        option = self._known_rooms.get(key)
        if option is None:
            option = self._known_rooms[key] = RoomOption(*key)
        self._room_options.append(option)

    def begin_problem_courses_course_config_subpart_class_time(
        self, attributes: dict[str, str]
    ) -> None:
        """Note a time of the class."""
        self._count()
        self._times.append(self._time(attributes))

    def _time(self, attributes: dict[str, str]) -> Time:
        key = tuple(attributes.items())
        time = self._known_times.get(key)
        if time is None:
            time = self._known_times[key] = Time(
                self.text(attributes, "days"),
                self.number(attributes, "start"),
                self.number(attributes, "length"),
                self.text(attributes, "weeks"),
                self.number(attributes, "penalty", 0),
            )
        return time

    def end_problem_courses_course_config_subpart_class(self) -> None:
        """Make the class."""
        attributes = self._class_attributes
        name = self.text(attributes, "id")
        if self.flag(attributes, "room", True) != bool(self._room_options):
            found = f"class {shown(name)} with {len(self._room_options)} rooms"
            raise self.error(found, "one or more, or else room='false'")
        self._classes.append(
            CourseClass(
                name,
                self.number(attributes, "limit", 0),
                tuple(self._times),
                tuple(self._room_options),
                attributes.get("parent"),
            )
        )

    def end_problem_courses_course_config_subpart(self) -> None:
        """Make the subpart."""
        name = self.text(self._of.pop(), "id")
        self._subparts.append(Subpart(name, tuple(self._classes)))

    def end_problem_courses_course_config(self) -> None:
        """Make the configuration."""
        name = self.text(self._of.pop(), "id")
        self._configurations.append(Configuration(name, tuple(self._subparts)))

    def end_problem_courses_course(self) -> None:
        """Make the course."""
        name = self.text(self._of.pop(), "id")
        self._courses.append(Course(name, tuple(self._configurations)))

    def begin_problem_distributions_distribution(self, attributes: dict[str, str]) -> None:
        """Begin a distribution."""
        self._lines["distributions"].append(self.line)
        self._attributes = attributes
        self._ids = []

    def begin_problem_distributions_distribution_class(self, attributes: dict[str, str]) -> None:
        """Note a class of the distribution."""
        self._count()
        self._ids.append(self.text(attributes, "id"))

    def end_problem_distributions_distribution(self) -> None:
        """Make the distribution."""
        attributes = self._attributes
        required = self.flag(attributes, "required", False)
        penalty = None if required else self.number(attributes, "penalty")
        kind = self.text(attributes, "type")
        self._distributions.append(Distribution(kind, tuple(self._ids), penalty))

    def begin_problem_students_student(self, attributes: dict[str, str]) -> None:
        """Begin a student."""
        self._lines["students"].append(self.line)
        self._attributes = attributes
        self._ids = []

    def begin_problem_students_student_course(self, attributes: dict[str, str]) -> None:
        """Note a course that the student asks for."""
        self._count()
        self._ids.append(self.text(attributes, "id"))

    def end_problem_students_student(self) -> None:
        """Make the student."""
        self._students.append(Student(self.text(self._attributes, "id"), tuple(self._ids)))

    def _count(self) -> None:
        # An instance checks its numbers when it has been read; memory must last until then.
        self._options += 1
        if self._options > MAX_OPTIONS:
            raise self.error(f"more than {MAX_OPTIONS:,} options and references", "fewer")
