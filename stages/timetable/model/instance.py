"""A timetabling problem."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...files.atomic import write_atomically
from ...files.text_file import read_text
from ...names import did_you_mean
from ..errors import FormatError, InstanceError, InstanceItem, TimetableError, reading
from . import limits
from .checks import shown, whole_number
from .course import MAX_LECTURES, Course
from .curriculum import Curriculum
from .instance_format import format_ctt, format_ectt, parse_instance
from .room import Room

_FORMATS = {".ctt": format_ctt, ".ectt": format_ectt}


@dataclass(frozen=True)
class Instance:
    """A curriculum-based course timetabling problem.

    Instances are equal if their contents are. The order of courses, rooms and
    curricula counts, because arrays refer to it; that of unavailable periods and
    of room constraints does not. Arrays are computed when first asked for, and
    are read-only. A period is ``day * periods_per_day + timeslot``.

    Parameters
    ----------
    name
        Name of the instance; one line of text.
    days
        Days of a week.
    periods_per_day
        Timeslots of a day.
    courses, rooms, curricula
        Its parts; ids are unique within each.
    unavailability
        ``(course id, day, timeslot)``: that course has no lecture then.
    room_constraints
        ``(course id, room id)``: that room does not suit that course.
    min_daily_lectures, max_daily_lectures
        Bounds on the lectures of a curriculum on a day on which it has any; by
        default 0 and `periods_per_day`, which bound nothing.

    Raises
    ------
    InstanceError
        If an id is unknown or not unique, or a number impossible.
    """

    __module__ = "schoolbell.stages.timetable"

    name: str
    days: int
    periods_per_day: int
    courses: tuple[Course, ...]
    rooms: tuple[Room, ...]
    curricula: tuple[Curriculum, ...] = ()
    unavailability: tuple[tuple[str, int, int], ...] = ()
    room_constraints: tuple[tuple[str, str], ...] = ()
    min_daily_lectures: int | None = None
    max_daily_lectures: int | None = None

    def __post_init__(self) -> None:
        checked = {
            "name": _name(self.name),
            "days": whole_number(self.days, 1, limits.MAX_DAYS, "days"),
            "periods_per_day": whole_number(
                self.periods_per_day, 1, limits.MAX_PERIODS_PER_DAY, "periods_per_day"
            ),
            "courses": _parts("courses", self.courses, Course, (1, limits.MAX_COURSES)),
            "rooms": _parts("rooms", self.rooms, Room, (1, limits.MAX_ROOMS)),
            "curricula": _parts("curricula", self.curricula, Curriculum, (0, limits.MAX_CURRICULA)),
        }
        self._set(checked)
        self._check_sizes()
        self._check_curricula()
        self._set(self._daily_bounds())
        self._set({"unavailability": self._checked_unavailability()})
        self._set({"room_constraints": self._checked_room_constraints()})

    def _set(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        # Arrays are computed again: they are large, and would come back writable.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __repr__(self) -> str:
        return (
            f"<Instance {self.name!r}: {self.n_courses} courses, {self.n_lectures} lectures, "
            f"{self.n_rooms} rooms, {self.days} days of {self.periods_per_day} periods, "
            f"{self.n_curricula} curricula>"
        )

    def _check_sizes(self) -> None:
        for k, course in enumerate(self.courses):
            if course.lectures > self.n_periods:
                raise InstanceError(
                    f"{course.lectures} lectures of course {course.id}",
                    f"at most {self.n_periods}, one a period",
                    InstanceItem("courses", k),
                )
        lectures = sum(course.lectures for course in self.courses)
        if lectures > limits.MAX_LECTURES_IN_ALL:
            most = f"at most {limits.MAX_LECTURES_IN_ALL:,}"
            raise InstanceError(f"{lectures:,} lectures in all", most)
        tables = {
            "courses by periods": self.n_courses * self.n_periods,
            "courses by rooms": self.n_courses * self.n_rooms,
            "curricula by periods": self.n_curricula * self.n_periods,
            "rooms by periods": self.n_rooms * self.n_periods,
        }
        for what, cells in tables.items():
            if cells > limits.MAX_CELLS:
                raise InstanceError(f"{cells:,} {what}", f"at most {limits.MAX_CELLS:,}")

    def _check_curricula(self) -> None:
        for k, curriculum in enumerate(self.curricula):
            for course in curriculum.courses:
                if course not in self.course_positions:
                    close = did_you_mean(course, self.course_positions)
                    raise InstanceError(
                        f"unknown course {shown(course)} in curriculum {curriculum.id}",
                        f"the id of one of the courses{close}",
                        InstanceItem("curricula", k),
                    )
        sizes = np.array([len(curriculum.courses) for curriculum in self.curricula], np.int64)
        teachers = np.bincount(self.course_teacher).astype(np.int64)
        pairs = int(np.sum(sizes**2)) + int(np.sum(teachers**2))
        if pairs > limits.MAX_PAIRS:
            raise InstanceError(
                f"{pairs:,} pairs of courses in curricula and of teachers",
                f"at most {limits.MAX_PAIRS:,}",
            )

    def _daily_bounds(self) -> dict[str, int]:
        low, high = self.min_daily_lectures, self.max_daily_lectures
        if low is None:
            low = 0
        if high is None:
            high = self.periods_per_day
        low = whole_number(low, 0, MAX_LECTURES, "min_daily_lectures")
        high = whole_number(high, 0, MAX_LECTURES, "max_daily_lectures")
        if low > high:
            raise InstanceError(
                f"a daily minimum of {low} above the maximum of {high}",
                "a minimum that is no more than the maximum",
                InstanceItem("min_daily_lectures", 0),
            )
        return {"min_daily_lectures": low, "max_daily_lectures": high}

    def _checked_unavailability(self) -> tuple[tuple[str, int, int], ...]:
        checked = set()
        for k, row in enumerate(_rows("unavailability", self.unavailability, 3)):
            item = InstanceItem("unavailability", k)
            course = _known(row[0], self.course_positions, "course", item)
            day = whole_number(row[1], 0, self.days - 1, "day", item)
            timeslot = whole_number(row[2], 0, self.periods_per_day - 1, "timeslot", item)
            checked.add((course, day, timeslot))
        return tuple((self.courses[c].id, d, t) for c, d, t in sorted(checked))

    def _checked_room_constraints(self) -> tuple[tuple[str, str], ...]:
        checked = set()
        for k, (course, room) in enumerate(_rows("room_constraints", self.room_constraints, 2)):
            item = InstanceItem("room_constraints", k)
            checked.add(
                (
                    _known(course, self.course_positions, "course", item),
                    _known(room, self.room_positions, "room", item),
                )
            )
        return tuple((self.courses[c].id, self.rooms[r].id) for c, r in sorted(checked))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Instance:
        """Read a ``.ctt`` or ``.ectt`` file; its header tells which of them it is.

        Raises
        ------
        FormatError
            If the file cannot be read or something in it is wrong.
        """
        with reading():
            text = read_text(path)
        return cls._parse(text, path)

    @classmethod
    def loads(cls, text: str) -> Instance:
        """Read the text of a ``.ctt`` or ``.ectt`` file.

        Raises
        ------
        FormatError
            If something in it is wrong.
        """
        return cls._parse(text, "<text>")

    @classmethod
    def _parse(cls, text: str, path: str | os.PathLike[str]) -> Instance:
        parsed = parse_instance(text, path)
        try:
            return cls(**parsed.arguments)
        except InstanceError as error:
            line = parsed.line_of(error.item)
            raise FormatError(path, line, error.found, error.expected) from None

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a ``.ctt`` or ``.ectt`` file; the suffix tells which.

        Raises
        ------
        TimetableError
            If the suffix is another one, or if a ``.ctt`` file cannot hold all
            of the instance; see `without_extensions`.
        OSError
            If the file cannot be written; an older one is left as it was.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in _FORMATS:
            raise TimetableError(
                f"{os.fspath(path)}: found suffix {suffix!r}, expected {' or '.join(_FORMATS)}"
            )
        write_atomically(path, _FORMATS[suffix](self))

    def dumps(self) -> str:
        """Return the text of the instance's ``.ectt`` file."""
        return format_ectt(self)

    def without_extensions(self) -> Instance:
        """Return what of the instance a ``.ctt`` file can hold.

        Double-lecture flags, buildings, room constraints and daily bounds go.
        """
        return replace(
            self,
            courses=tuple(replace(course, double_lectures=False) for course in self.courses),
            rooms=tuple(Room(room.id, room.capacity) for room in self.rooms),
            room_constraints=(),
            min_daily_lectures=None,
            max_daily_lectures=None,
        )

    @property
    def n_courses(self) -> int:
        """Number of courses."""
        return len(self.courses)

    @property
    def n_rooms(self) -> int:
        """Number of rooms."""
        return len(self.rooms)

    @property
    def n_curricula(self) -> int:
        """Number of curricula."""
        return len(self.curricula)

    @property
    def n_lectures(self) -> int:
        """Number of lectures of all courses."""
        return int(self.course_starts[-1])

    @property
    def n_periods(self) -> int:
        """Number of periods of a week."""
        return self.days * self.periods_per_day

    @property
    def min_load(self) -> int:
        """Fewest lectures that a curriculum should have on a day with any."""
        assert self.min_daily_lectures is not None
        return self.min_daily_lectures

    @property
    def max_load(self) -> int:
        """Most lectures that a curriculum should have on a day."""
        assert self.max_daily_lectures is not None
        return self.max_daily_lectures

    @cached_property
    def course_positions(self) -> dict[str, int]:
        """Position of each course by its id."""
        return {course.id: c for c, course in enumerate(self.courses)}

    @cached_property
    def room_positions(self) -> dict[str, int]:
        """Position of each room by its id."""
        return {room.id: r for r, room in enumerate(self.rooms)}

    @cached_property
    def course_lectures(self) -> NDArray[np.int32]:
        """Lectures of each course, shape (n_courses,)."""
        return _int32([course.lectures for course in self.courses])

    @cached_property
    def course_min_days(self) -> NDArray[np.int32]:
        """Minimum of working days of each course, shape (n_courses,)."""
        return _int32([course.min_working_days for course in self.courses])

    @cached_property
    def course_students(self) -> NDArray[np.int32]:
        """Students of each course, shape (n_courses,)."""
        return _int32([course.students for course in self.courses])

    @cached_property
    def course_teacher(self) -> NDArray[np.int32]:
        """Teacher of each course, numbered as they appear, shape (n_courses,)."""
        return _numbered([course.teacher for course in self.courses])

    @cached_property
    def course_double(self) -> NDArray[np.bool_]:
        """Whether each course asks for double lectures, shape (n_courses,)."""
        return _read_only(np.array([course.double_lectures for course in self.courses], np.bool_))

    @cached_property
    def course_starts(self) -> NDArray[np.int32]:
        """First lecture of each course, shape (n_courses + 1,)."""
        return _starts(self.course_lectures)

    @cached_property
    def lecture_course(self) -> NDArray[np.int32]:
        """Course of each lecture, ascending, shape (n_lectures,)."""
        return _int32(np.repeat(np.arange(self.n_courses), self.course_lectures))

    @cached_property
    def room_capacity(self) -> NDArray[np.int32]:
        """Seats of each room, shape (n_rooms,)."""
        return _int32([room.capacity for room in self.rooms])

    @cached_property
    def room_building(self) -> NDArray[np.int32]:
        """Building of each room, numbered as they appear, shape (n_rooms,)."""
        return _numbered([room.building for room in self.rooms])

    @cached_property
    def curriculum_starts(self) -> NDArray[np.int32]:
        """First entry of each curriculum in `curriculum_courses`, shape (n_curricula + 1,)."""
        return _starts([len(curriculum.courses) for curriculum in self.curricula])

    @cached_property
    def curriculum_courses(self) -> NDArray[np.int32]:
        """Courses of the curricula, one curriculum after another."""
        index = self.course_positions
        return _int32([index[c] for curriculum in self.curricula for c in curriculum.courses])

    @cached_property
    def course_curricula_starts(self) -> NDArray[np.int32]:
        """First entry of each course in `course_curricula`, shape (n_courses + 1,)."""
        return _starts(np.bincount(self.curriculum_courses, minlength=self.n_courses))

    @cached_property
    def course_curricula(self) -> NDArray[np.int32]:
        """Curricula of the courses, one course after another, ascending."""
        owners = np.repeat(np.arange(self.n_curricula), np.diff(self.curriculum_starts))
        return _int32(owners[np.argsort(self.curriculum_courses, kind="stable")])

    def curricula_of(
        self, courses: NDArray[np.integer]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return a row for each curriculum of each of some courses.

        Parameters
        ----------
        courses
            The courses, as often as one likes: that of each lecture, say.

        Returns
        -------
        tuple of arrays
            The curricula, and which of `courses` each is of.
        """
        starts = self.course_curricula_starts.astype(np.int64)
        sizes = np.diff(starts)[courses]
        rows = np.repeat(np.arange(len(courses)), sizes)
        offsets = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        curricula = self.course_curricula[starts[courses[rows]] + offsets]
        return curricula.astype(np.int64), rows

    @cached_property
    def available(self) -> NDArray[np.bool_]:
        """Whether a course may be taught in a period, shape (n_courses, n_periods)."""
        table = np.ones((self.n_courses, self.n_periods), np.bool_)
        courses = [self.course_positions[course] for course, _, _ in self.unavailability]
        periods = [day * self.periods_per_day + slot for _, day, slot in self.unavailability]
        table[courses, periods] = False
        return _read_only(table)

    @cached_property
    def suitable(self) -> NDArray[np.bool_]:
        """Whether a room suits a course, shape (n_courses, n_rooms)."""
        table = np.ones((self.n_courses, self.n_rooms), np.bool_)
        courses = [self.course_positions[course] for course, _ in self.room_constraints]
        rooms = [self.room_positions[room] for _, room in self.room_constraints]
        table[courses, rooms] = False
        return _read_only(table)

    @cached_property
    def conflict_starts(self) -> NDArray[np.int32]:
        """First entry of each course in `conflict_courses`, shape (n_courses + 1,)."""
        return _int32(
            np.searchsorted(self._conflicts, np.arange(self.n_courses + 1) * self.n_courses)
        )

    @cached_property
    def conflict_courses(self) -> NDArray[np.int32]:
        """Courses that share a teacher or a curriculum with each course.

        One course after another, ascending, without the course itself.
        """
        return _int32(self._conflicts % self.n_courses)

    @cached_property
    def _conflicts(self) -> NDArray[np.int64]:
        """Both directions of each conflict as ``course * n_courses + other``, ascending."""
        by_teacher = np.argsort(self.course_teacher, kind="stable")
        members = np.concatenate([self.curriculum_courses, by_teacher]).astype(np.int64)
        sizes = np.concatenate([np.diff(self.curriculum_starts), np.bincount(self.course_teacher)])
        # Each member is paired with its whole group.
        repeats = np.repeat(sizes, sizes)
        first_of_group = np.repeat(np.cumsum(sizes) - sizes, sizes)
        offsets = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        left = np.repeat(members, repeats)
        right = members[np.repeat(first_of_group, repeats) + offsets]
        return np.unique(left[left != right] * self.n_courses + right[left != right])


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _int32(values: ArrayLike) -> NDArray[np.int32]:
    return _read_only(np.array(values, np.int32))


def _starts(sizes: ArrayLike) -> NDArray[np.int32]:
    return _int32(np.concatenate([[0], np.cumsum(np.asarray(sizes, np.int64))]))


def _numbered(labels: list[str]) -> NDArray[np.int32]:
    numbers: dict[str, int] = {}
    return _int32([numbers.setdefault(label, len(numbers)) for label in labels])


def _name(value: Any) -> str:
    if isinstance(value, str) and value.isprintable() and value == " ".join(value.split()):
        return value
    raise InstanceError(
        f"name {shown(value)}", "printable text, no blanks around it", InstanceItem("name", 0)
    )


def _parts(section: str, values: Any, kind: type[Any], sizes: tuple[int, int]) -> tuple[Any, ...]:
    """Return the parts of one kind, after checking their number, types and ids."""
    try:
        parts = tuple(values)
    except TypeError:
        raise InstanceError(f"{section} {shown(values)}", f"a list of {kind.__name__}") from None
    whole_number(len(parts), *sizes, f"number of {section}")
    seen: set[str] = set()
    for k, part in enumerate(parts):
        item = InstanceItem(section, k)
        if not isinstance(part, kind):
            raise InstanceError(f"{shown(part)} in {section}", f"a {kind.__name__}", item)
        if part.id in seen:
            raise InstanceError(f"id {part.id} twice in {section}", "each id once", item)
        seen.add(part.id)
    return parts


def _rows(section: str, values: Any, columns: int) -> Iterable[tuple[Any, ...]]:
    expected = f"a list of tuples of {columns}"
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InstanceError(f"{section} {shown(values)}", expected)
    for k, row in enumerate(values):
        if not isinstance(row, tuple | list) or len(row) != columns:
            raise InstanceError(f"{shown(row)}", expected, InstanceItem(section, k))
        yield tuple(row)


def _known(value: Any, index: dict[str, int], what: str, item: InstanceItem) -> int:
    if not isinstance(value, str) or value not in index:
        expected = f"the id of a {what}{did_you_mean(value, index)}"
        raise InstanceError(f"unknown {what} {shown(value)}", expected, item)
    return index[value]
