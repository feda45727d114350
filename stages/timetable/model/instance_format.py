"""The file formats ``.ctt`` (ITC-2007) and ``.ectt`` of instances.

This module knows lines and columns; the parts of an instance know what is
possible.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import InstanceError, InstanceItem, TimetableError
from .checks import MAX_PEOPLE
from .course import MAX_LECTURES, Course
from .curriculum import Curriculum
from .limits import (
    MAX_CONSTRAINTS,
    MAX_COURSES,
    MAX_CURRICULA,
    MAX_DAYS,
    MAX_PERIODS_PER_DAY,
    MAX_ROOMS,
)
from .room import Room
from .row_reader import RowReader

if TYPE_CHECKING:
    from .instance import Instance

_COUNT_BOUNDS = {
    "Courses": (1, MAX_COURSES),
    "Rooms": (1, MAX_ROOMS),
    "Days": (1, MAX_DAYS),
    "Periods_per_day": (1, MAX_PERIODS_PER_DAY),
    "Curricula": (0, MAX_CURRICULA),
    "Constraints": (0, MAX_CONSTRAINTS),
    "UnavailabilityConstraints": (0, MAX_CONSTRAINTS),
    "RoomConstraints": (0, MAX_CONSTRAINTS),
}
_SHARED_FIELDS = ("Name", "Courses", "Rooms", "Days", "Periods_per_day", "Curricula")
_CTT_FIELDS = (*_SHARED_FIELDS, "Constraints")
_DAILY = "Min_Max_Daily_Lectures"
_ECTT_FIELDS = (*_SHARED_FIELDS, _DAILY, "UnavailabilityConstraints", "RoomConstraints")
_ALL_FIELDS = (*_ECTT_FIELDS, "Constraints")


@dataclass
class ParsedInstance:
    """What a file says.

    Attributes
    ----------
    arguments
        The arguments of `Instance`.
    lines
        Numbers of the lines that each argument is from.
    """

    arguments: dict[str, Any]
    lines: dict[str, list[int]]

    def line_of(self, item: InstanceItem | None) -> int | None:
        """Return the number of the line that an error of `Instance` is about."""
        return None if item is None else self.lines[item.section][item.index]


@dataclass(frozen=True)
class _Section:
    """A titled list of rows; `count` is the header field that holds their number."""

    argument: str
    title: str
    count: str
    layout: str
    build: Callable[[RowReader], Any]

    def read(self, reader: RowReader, size: int) -> tuple[list[Any], list[int]]:
        """Read the title and the rows; returns what they describe, and their lines."""
        reader.advance(f"{self.title}:")
        if reader.columns != [f"{self.title}:"]:
            raise reader.error(f"{self.title}:")
        parts, lines = [], []
        n_columns = None if "…" in self.layout else len(self.layout.split())
        for k in range(size):
            expected = f"{self.layout!r} (row {k + 1} of the {size} of {self.title})"
            reader.advance(expected)
            if n_columns is not None and len(reader.columns) != n_columns:
                raise reader.error(expected)
            try:
                parts.append(self.build(reader))
            except InstanceError as error:
                raise reader.error(error.expected, error.found) from None
            lines.append(reader.line)
        return parts, lines


def parse_instance(text: str, path: str | os.PathLike[str]) -> ParsedInstance:
    """Read the text of a ``.ctt`` or ``.ectt`` file; its header tells which it is.

    Parameters
    ----------
    text
        The file's text.
    path
        The file's name, for messages.

    Raises
    ------
    FormatError
        If a line is not what the format asks for.
    """
    reader = RowReader(text, path)
    parsed, counts = _read_header(reader)
    for section in _ECTT_SECTIONS if "RoomConstraints" in counts else _CTT_SECTIONS:
        parts, lines = section.read(reader, counts[section.count])
        parsed.arguments[section.argument] = parts
        parsed.lines[section.argument] = lines
    reader.advance("END.")
    if reader.columns != ["END."]:
        raise reader.error("END.")
    for _ in reader:
        raise reader.error("nothing after END.")
    return parsed


def _read_header(reader: RowReader) -> tuple[ParsedInstance, dict[str, int]]:
    """Read fields in any order until one of the formats has all of its own."""
    parsed = ParsedInstance({}, {})
    counts: dict[str, int] = {}
    seen: set[str] = set()
    while seen not in (set(_CTT_FIELDS), set(_ECTT_FIELDS)):
        missing = [name for name in _ALL_FIELDS if name not in seen]
        expected = f"a header line, one of {', '.join(f'{name}:' for name in missing)}"
        reader.advance(expected)
        name, colon, value = reader.text.partition(":")
        name = name.strip()
        if not colon or name not in missing:
            raise reader.error(expected)
        seen.add(name)
        _read_field(reader, name, value.split(), parsed, counts)
    return parsed, counts


def _read_field(
    reader: RowReader,
    name: str,
    values: list[str],
    parsed: ParsedInstance,
    counts: dict[str, int],
) -> None:
    wanted = 2 if name == _DAILY else 1
    if name == "Name":
        parsed.arguments["name"] = " ".join(values)
        parsed.lines["name"] = [reader.line]
    elif len(values) != wanted:
        raise reader.error(f"{name}: with {wanted} {'numbers' if wanted > 1 else 'number'}")
    elif name == _DAILY:
        bounds = [reader.number(value, name, 0, MAX_LECTURES) for value in values]
        for argument, bound in zip(
            ("min_daily_lectures", "max_daily_lectures"), bounds, strict=True
        ):
            parsed.arguments[argument] = bound
            parsed.lines[argument] = [reader.line]
    else:
        counts[name] = reader.number(values[0], name, *_COUNT_BOUNDS[name])
        if name in ("Days", "Periods_per_day"):
            parsed.arguments[name.lower()] = counts[name]
            parsed.lines[name.lower()] = [reader.line]


def _course(reader: RowReader) -> Course:
    return Course(
        reader.columns[0],
        reader.columns[1],
        reader.number(reader.columns[2], "lectures", 1, MAX_LECTURES),
        reader.number(reader.columns[3], "min_working_days", 0, MAX_LECTURES),
        reader.number(reader.columns[4], "students", 0, MAX_PEOPLE),
        len(reader.columns) == 6 and reader.number(reader.columns[5], "double_lectures", 0, 1) == 1,
    )


def _room(reader: RowReader) -> Room:
    capacity = reader.number(reader.columns[1], "capacity", 0, MAX_PEOPLE)
    return Room(reader.columns[0], capacity, *reader.columns[2:])


def _curriculum(reader: RowReader) -> Curriculum:
    layout = "'id n course_1 … course_n'"
    if len(reader.columns) < 2:
        raise reader.error(layout)
    size = reader.number(reader.columns[1], "number of courses", 1, MAX_COURSES)
    courses = reader.columns[2:]
    if len(courses) != size:
        raise reader.error(f"{layout} with n = {size}", f"{len(courses)} courses")
    return Curriculum(reader.columns[0], tuple(courses))


def _unavailability(reader: RowReader) -> tuple[str, int, int]:
    course, day, timeslot = reader.columns
    return (
        course,
        reader.number(day, "day", 0, MAX_DAYS),
        reader.number(timeslot, "timeslot", 0, MAX_PERIODS_PER_DAY),
    )


def _room_constraint(reader: RowReader) -> tuple[str, str]:
    course, room = reader.columns
    return course, room


_COURSE_LAYOUT = "id teacher lectures min_working_days students"
_CURRICULA = _Section(
    "curricula", "CURRICULA", "Curricula", "id n course_1 … course_n", _curriculum
)
_CTT_SECTIONS = (
    _Section("courses", "COURSES", "Courses", _COURSE_LAYOUT, _course),
    _Section("rooms", "ROOMS", "Rooms", "id capacity", _room),
    _CURRICULA,
    _Section(
        "unavailability",
        "UNAVAILABILITY_CONSTRAINTS",
        "Constraints",
        "course day timeslot",
        _unavailability,
    ),
)
_ECTT_SECTIONS = (
    _Section("courses", "COURSES", "Courses", f"{_COURSE_LAYOUT} double_lectures", _course),
    _Section("rooms", "ROOMS", "Rooms", "id capacity building", _room),
    _CURRICULA,
    replace(_CTT_SECTIONS[-1], count="UnavailabilityConstraints"),
    _Section(
        "room_constraints", "ROOM_CONSTRAINTS", "RoomConstraints", "course room", _room_constraint
    ),
)


def format_ctt(instance: Instance) -> str:
    """Return an instance as the text of a ``.ctt`` file.

    Raises
    ------
    TimetableError
        If the format cannot hold all of it; says what would be lost.
    """
    if losses := _losses(instance):
        raise TimetableError(
            f"a .ctt file cannot hold {', '.join(losses)}; write an .ectt file or "
            f"drop them with without_extensions()"
        )
    header = [*_header(instance), f"Constraints: {len(instance.unavailability)}"]
    courses = [_course_row(course) for course in instance.courses]
    rooms = [f"{room.id} {room.capacity}" for room in instance.rooms]
    return _document(header, _sections(instance, courses, rooms))


def format_ectt(instance: Instance) -> str:
    """Return an instance as the text of an ``.ectt`` file, which holds all of it."""
    header = [
        *_header(instance),
        f"{_DAILY}: {instance.min_load} {instance.max_load}",
        f"UnavailabilityConstraints: {len(instance.unavailability)}",
        f"RoomConstraints: {len(instance.room_constraints)}",
    ]
    courses = [f"{_course_row(course)} {course.double_lectures:d}" for course in instance.courses]
    rooms = [f"{room.id} {room.capacity} {room.building}" for room in instance.rooms]
    sections = _sections(instance, courses, rooms)
    sections["ROOM_CONSTRAINTS"] = [" ".join(pair) for pair in instance.room_constraints]
    return _document(header, sections)


def _losses(instance: Instance) -> list[str]:
    plain = instance.without_extensions()
    losses = {
        "double-lecture flags": instance.courses != plain.courses,
        "buildings": instance.rooms != plain.rooms,
        "room constraints": instance.room_constraints != plain.room_constraints,
        "daily minimum and maximum of lectures": (instance.min_load, instance.max_load)
        != (plain.min_load, plain.max_load),
    }
    return [what for what, lost in losses.items() if lost]


def _header(instance: Instance) -> list[str]:
    return [
        f"Name: {instance.name}",
        f"Courses: {instance.n_courses}",
        f"Rooms: {instance.n_rooms}",
        f"Days: {instance.days}",
        f"Periods_per_day: {instance.periods_per_day}",
        f"Curricula: {instance.n_curricula}",
    ]


def _course_row(course: Course) -> str:
    return (
        f"{course.id} {course.teacher} {course.lectures} "
        f"{course.min_working_days} {course.students}"
    )


def _sections(instance: Instance, courses: list[str], rooms: list[str]) -> dict[str, list[str]]:
    return {
        "COURSES": courses,
        "ROOMS": rooms,
        "CURRICULA": [
            f"{curriculum.id} {len(curriculum.courses)} {' '.join(curriculum.courses)}"
            for curriculum in instance.curricula
        ],
        "UNAVAILABILITY_CONSTRAINTS": [
            f"{course} {day} {timeslot}" for course, day, timeslot in instance.unavailability
        ],
    }


def _document(header: list[str], sections: dict[str, list[str]]) -> str:
    lines = list(header)
    for title, rows in sections.items():
        lines += ["", f"{title}:", *rows]
    return "\n".join([*lines, "", "END.", ""])
