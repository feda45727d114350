"""A university: what is to be timetabled, and whom for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...names import did_you_mean
from ..errors import FormatError, InstanceError, InstanceItem
from . import limits
from .checks import parts, shown, unique_ids, whole_number
from .configuration import Configuration
from .course import Course
from .course_class import CourseClass
from .distribution import PAIR_KINDS, Distribution
from .room import Room
from .student import Student
from .subpart import Subpart
from .tables import Tables
from .weights import Weights


@dataclass(frozen=True)
class Instance:
    """Courses, rooms, rules and students of a university, as ITC-2019 has them.

    Instances are equal if their contents are; the order of everything counts, but not
    that of travel. Arrays are computed when first asked for.

    Parameters
    ----------
    name
        Name of the instance; one line of text.
    weeks
        Weeks of the term.
    rooms, courses, distributions, students
        Its parts; the ids of rooms, of courses, of students and of all classes are unique.
    weights
        How the parts of the cost are weighed.
    travel
        ``(room id, room id, slots)``: how long it takes from one room to another and back;
        0 where nothing is said.
    days
        Days of a week.
    slots_per_day
        Slots of a day, of 5 minutes by default.

    Raises
    ------
    InstanceError
        If an id is unknown or not unique, or a number impossible.
    """

    __module__ = "schoolbell.stages.university"

    name: str
    weeks: int
    rooms: tuple[Room, ...]
    courses: tuple[Course, ...]
    distributions: tuple[Distribution, ...] = ()
    students: tuple[Student, ...] = ()
    weights: Weights = field(default_factory=Weights)
    travel: tuple[tuple[str, str, int], ...] = ()
    days: int = 7
    slots_per_day: int = 288

    def __post_init__(self) -> None:
        if not isinstance(self.weights, Weights):
            raise InstanceError(f"weights {shown(self.weights)}", "Weights")
        days = whole_number(self.days, 1, limits.MAX_DAYS, "days")
        weeks = whole_number(self.weeks, 1, limits.MAX_WEEKS, "weeks")
        slots = whole_number(self.slots_per_day, 1, limits.MAX_SLOTS_PER_DAY, "slots_per_day")
        most = limits.MAX_DISTRIBUTIONS
        values: dict[str, Any] = {
            "name": _name(self.name),
            "days": days,
            "weeks": weeks,
            "slots_per_day": slots,
            "rooms": parts("rooms", self.rooms, Room, 0, limits.MAX_ROOMS),
            "courses": parts("courses", self.courses, Course, 1),
            "distributions": parts("distributions", self.distributions, Distribution, 0, most),
            "students": parts("students", self.students, Student, 0, limits.MAX_STUDENTS),
        }
        self._set(values)
        unique_ids("courses", self.courses, "course")
        unique_ids("rooms", self.rooms, "room")
        unique_ids("classes", self.classes, "class")
        unique_ids("students", self.students, "student")
        self._check_rooms()
        self._check_classes()
        self._check_parents()
        self._check_distributions()
        self._check_students()
        try:
            # Gone through more than once.
            self._set({"travel": tuple(self.travel)})
        except TypeError:
            raise InstanceError(f"travel {shown(self.travel)}", "rooms' ids and slots") from None
        self._set({"travel": self._checked_travel()})

    def _set(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        # Arrays are computed again: they are large, and would come back writable.
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def __repr__(self) -> str:
        return (
            f"<Instance {self.name!r}: {len(self.courses)} courses, {len(self.classes)} classes, "
            f"{len(self.rooms)} rooms, {self.weeks} weeks, {len(self.distributions)} "
            f"distributions, {len(self.students)} students>"
        )

    def _check_rooms(self) -> None:
        good = set()
        for k, room in enumerate(self.rooms):
            for time in room.unavailable:
                self._check_time(time, good, f"of room {room.id}", InstanceItem("rooms", k))

    def _check_time(self, time: Any, good: set[Any], of: str, item: InstanceItem) -> None:
        key = (len(time.days), time.start, time.length, len(time.weeks))
        if key in good:
            return
        try:
            time.check_fits(self.days, self.weeks, self.slots_per_day)
        except InstanceError as error:
            raise InstanceError(f"{error.found} {of}", error.expected, item) from None
        good.add(key)

    def _check_classes(self) -> None:
        if len(self.classes) > limits.MAX_CLASSES:
            found = f"{len(self.classes):,} classes"
            raise InstanceError(found, f"at most {limits.MAX_CLASSES:,}")
        good: set[Any] = set()
        for k, one in enumerate(self.classes):
            item = InstanceItem("classes", k)
            for time in one.times:
                self._check_time(time, good, f"of class {one.id}", item)
            for option in one.rooms:
                _known(option.room, self.room_positions, "room", f"of class {one.id}", item)
        for what in ("times", "rooms"):
            options = sum(len(getattr(one, what)) for one in self.classes)
            if options > limits.MAX_OPTIONS:
                found = f"{options:,} {what} of all classes"
                raise InstanceError(found, f"at most {limits.MAX_OPTIONS:,}")

    def _check_parents(self) -> None:
        for configuration in self._configurations():
            home = {
                one.id: subpart for subpart in configuration.subparts for one in subpart.classes
            }
            parents = {
                one.id: one.parent
                for subpart in configuration.subparts
                for one in subpart.classes
                if one.parent is not None
            }
            for child, parent in parents.items():
                if parent not in home or home[parent] is home[child]:
                    found = f"parent {shown(parent)} of class {child}"
                    expected = "a class of another subpart of its configuration"
                    item = InstanceItem("classes", self.class_positions[child])
                    raise InstanceError(found, expected, item)
            _check_no_circle(parents, self.class_positions)

    def _check_distributions(self) -> None:
        pairs = 0
        for k, distribution in enumerate(self.distributions):
            item = InstanceItem("distributions", k)
            for one in distribution.classes:
                _known(one, self.class_positions, "class", f"of {distribution.type}", item)
            if distribution.kind in PAIR_KINDS:
                pairs += len(distribution.classes) * (len(distribution.classes) - 1) // 2
        if pairs > limits.MAX_PAIRS:
            found = f"{pairs:,} pairs of classes in distributions"
            raise InstanceError(found, f"at most {limits.MAX_PAIRS:,}")

    def _check_students(self) -> None:
        # A student attends a class of each subpart at most, also where a solution is broken.
        sizes = {
            course.id: max(len(one.subparts) for one in course.configurations)
            for course in self.courses
        }
        demands = 0
        for k, student in enumerate(self.students):
            item = InstanceItem("students", k)
            for course in student.courses:
                _known(course, self.course_positions, "course", f"of student {student.id}", item)
            attended = sum(sizes[course] for course in student.courses)
            if attended > limits.MAX_CLASSES_OF_A_STUDENT:
                found = f"{attended:,} classes for student {student.id}"
                raise InstanceError(found, f"at most {limits.MAX_CLASSES_OF_A_STUDENT:,}", item)
            demands += len(student.courses)
        if demands > limits.MAX_DEMANDS:
            found = f"{demands:,} courses that students ask for"
            raise InstanceError(found, f"at most {limits.MAX_DEMANDS:,}")

    def _checked_travel(self) -> tuple[tuple[str, str, int], ...]:
        table = self._travel_table()
        if table is not None:
            names = np.array([room.id for room in self.rooms], object)
            first, second, value = table
            return tuple(zip(names[first], names[second], value.tolist(), strict=True))
        slots: dict[tuple[int, int], int] = {}
        for k, row in enumerate(self.travel):
            item = InstanceItem("travel", k)
            if not isinstance(row, tuple) or len(row) != 3:
                raise InstanceError(f"travel {shown(row)}", "two rooms' ids and slots", item)
            a = _known(row[0], self.room_positions, "room", "of travel", item)
            b = _known(row[1], self.room_positions, "room", "of travel", item)
            value = whole_number(row[2], 0, self.slots_per_day, "travel", item)
            if a == b:
                if value:
                    found = f"travel {value} from room {row[0]} to itself"
                    raise InstanceError(found, "two rooms", item)
                continue
            pair = (min(a, b), max(a, b))
            if slots.setdefault(pair, value) != value:
                found = f"travel {value} between rooms {row[0]} and {row[1]}"
                raise InstanceError(found, f"{slots[pair]}, as it was said before", item)
        return tuple(
            (self.rooms[a].id, self.rooms[b].id, value)
            for (a, b), value in sorted(slots.items())
            if value
        )

    def _travel_table(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None:
        """Return the rooms of travel, in order, and its slots; None where something is wrong.

        At once, since there may be a million of them.
        """
        positions = self.room_positions
        try:
            rows = [(positions[a], positions[b], index(value)) for a, b, value in self.travel]
        except (KeyError, TypeError, ValueError):
            return None
        if any(type(row) is not tuple for row in self.travel):
            return None
        try:
            table = np.array(rows, np.int64).reshape(-1, 3)
        except OverflowError:
            return None
        a, b, value = table.T
        if ((value < 0) | (value > self.slots_per_day) | ((a == b) & (value > 0))).any():
            return None
        keys = np.minimum(a, b) * len(positions) + np.maximum(a, b)
        keys, value = keys[a != b], value[a != b]
        keys, at, back = np.unique(keys, return_index=True, return_inverse=True)
        if (value != value[at][back]).any():
            return None
        far = value[at] > 0
        first, second = np.divmod(keys[far], max(1, len(positions)))
        return first, second, value[at][far]

    def with_fewer_options(
        self, courses: tuple[Course, ...], distributions: tuple[Distribution, ...]
    ) -> Instance:
        """Return an instance that differs in its classes' options and in its rules.

        Nothing is checked anew: the ids of courses, classes and their parents are to be
        the same, and all options among those that this instance has.
        """
        smaller = object.__new__(type(self))
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        smaller._set({**values, "courses": courses, "distributions": distributions})
        return smaller

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str],
        on_progress: Callable[[float], object] | None = None,
    ) -> Instance:
        """Read a file of ITC-2019, ``.xml`` or ``.xml.gz``.

        Parameters
        ----------
        path
            The file.
        on_progress
            Called with the part of it that has been read, 0 to 1, some times a second.

        Raises
        ------
        FormatError
            If the file cannot be read or something in it is wrong.
        """
        from ..formats.instance_reader import InstanceReader

        return cls._parse(InstanceReader(path), on_progress)

    @classmethod
    def loads(cls, text: str) -> Instance:
        """Read the text of an instance's file.

        Raises
        ------
        FormatError
            If something in it is wrong.
        """
        from ..formats.instance_reader import InstanceReader

        return cls._parse(InstanceReader("<text>", text.encode()), None)

    @classmethod
    def _parse(cls, reader: Any, on_progress: Callable[[float], object] | None) -> Instance:
        arguments = reader.read(on_progress)
        try:
            return cls(**arguments)
        except InstanceError as error:
            line = reader.line_of(error.item)
            raise FormatError(reader.path, line, error.found, error.expected) from None

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a file of ITC-2019, ``.xml`` or ``.xml.gz``; the suffix tells which.

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
        """Return the text of the instance's file."""
        from ..formats.instance_writer import instance_text

        return instance_text(self)

    def _configurations(self) -> Iterator[Configuration]:
        return (one for course in self.courses for one in course.configurations)

    @cached_property
    def subparts(self) -> tuple[Subpart, ...]:
        """All subparts, course by course."""
        return tuple(subpart for one in self._configurations() for subpart in one.subparts)

    @cached_property
    def classes(self) -> tuple[CourseClass, ...]:
        """All classes, course by course; arrays refer to this order."""
        return tuple(
            one
            for configuration in self._configurations()
            for subpart in configuration.subparts
            for one in subpart.classes
        )

    @cached_property
    def class_positions(self) -> dict[str, int]:
        """Position of each class by its id."""
        return {one.id: k for k, one in enumerate(self.classes)}

    @cached_property
    def room_positions(self) -> dict[str, int]:
        """Position of each room by its id."""
        return {one.id: k for k, one in enumerate(self.rooms)}

    @cached_property
    def course_positions(self) -> dict[str, int]:
        """Position of each course by its id."""
        return {one.id: k for k, one in enumerate(self.courses)}

    @cached_property
    def student_positions(self) -> dict[str, int]:
        """Position of each student by its id."""
        return {one.id: k for k, one in enumerate(self.students)}

    @cached_property
    def tables(self) -> Tables:
        """The instance as arrays, for evaluation and search."""
        return Tables.of(self)

    def statistics(self) -> dict[str, float]:
        """Return what describes the instance's size: counts, and options and rules a class.

        Returns
        -------
        dict of str to float
            Counts of the parts; mean options of a class; ``utilisation``, the part of all
            rooms' slots between the first and the last that are used, on weekdays with
            classes, that the classes fill if each is taught at its first time.
        """
        tables = self.tables
        times = np.diff(tables.time_starts)
        rooms = np.diff(tables.room_starts)
        counts = {
            "courses": len(self.courses),
            "configurations": sum(1 for _ in self._configurations()),
            "subparts": len(self.subparts),
            "classes": len(self.classes),
            "classes_without_room": int((rooms == 0).sum()),
            "classes_with_parent": int((tables.parent >= 0).sum()),
            "rooms": len(self.rooms),
            "students": len(self.students),
            "demands": sum(len(student.courses) for student in self.students),
            "weeks": self.weeks,
            "distributions": len(self.distributions),
            "required_distributions": sum(one.required for one in self.distributions),
            "times_per_class": float(times.mean()),
            "rooms_per_class": float(rooms[rooms > 0].mean()) if rooms.any() else 0.0,
            "options_per_class": float((times * np.maximum(rooms, 1)).mean()),
        }
        return {**counts, "utilisation": _utilisation(self)}


def _utilisation(instance: Instance) -> float:
    tables = instance.tables
    first = tables.time_starts[:-1]
    in_room = np.diff(tables.room_starts) > 0
    meetings = np.array([one.times[0].days.count("1") for one in instance.classes])
    meetings *= [one.times[0].weeks.count("1") for one in instance.classes]
    taught = int((meetings * (tables.end - tables.start)[first])[in_room].sum())
    days = int(np.bitwise_or.reduce(tables.days)).bit_count()
    span = int(tables.end.max() - tables.start.min())
    there = len(instance.rooms) * instance.weeks * days * span
    return taught / there if there else 0.0


def _name(value: Any) -> str:
    if isinstance(value, str) and len(value) <= 1000 and (value.isprintable() or not value):
        return value
    raise InstanceError(f"name {shown(value)}", "one line of printable text")


def _known(value: Any, positions: dict[str, int], what: str, of: str, item: InstanceItem) -> int:
    try:
        return positions[value]
    except (KeyError, TypeError):
        close = did_you_mean(value, positions) if len(positions) < 10_000 else ""
        found = f"unknown {what} {shown(value)} {of}"
        raise InstanceError(found, f"the id of a {what}{close}", item) from None


def _check_no_circle(parents: dict[str, str], positions: dict[str, int]) -> None:
    done: set[str] = set()
    for child in parents:
        path: list[str] = []
        at: str | None = child
        while at is not None and at not in done:
            if at in path:
                item = InstanceItem("classes", positions[at])
                raise InstanceError(f"class {at} as a parent of itself", "no circle", item)
            path.append(at)
            at = parents.get(at)
        done.update(path)
