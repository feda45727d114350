"""What a timetable breaks, with the places that a page can link to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..cost.class_rules import (
    closed_meetings,
    crowded,
    room_conflicts,
    room_penalties,
    without_time,
)
from ..cost.global_rules import excesses
from ..cost.pair_rules import violated_pairs
from ..cost.placed_classes import PlacedClasses
from ..cost.student_rules import student_conflicts, wrong_enrolments
from ..cost.words import clock, day_name, numbers
from .week_words import DASH, week_words

if TYPE_CHECKING:
    from ..cost.evaluation import Evaluation
    from ..model.time import Time

#: A piece of a sentence, or what a link names: a kind and a position in the instance.
Words = str | tuple[str, int]


@dataclass(frozen=True)
class Finding:
    """One place in which a timetable breaks a rule.

    Attributes
    ----------
    units
        Its violations, or its cost before the weight.
    words
        A sentence in pieces; a pair is a thing by its kind and its position, as
        ``("class", 3)``.
    """

    units: int
    words: tuple[Words, ...]

    @property
    def classes(self) -> list[int]:
        """Positions of the classes that it names."""
        return [word[1] for word in self.words if isinstance(word, tuple) and word[0] == "class"]


class BrokenRules:
    """Everything that a timetable breaks.

    Parameters
    ----------
    evaluation
        What `evaluate` found.

    Attributes
    ----------
    hard, soft
        What is found for each rule and each part of the cost, by their names.
    conflicts
        For each pair of classes the students who attend both and cannot.
    wrong_students
        Students who do not attend what they asked for.
    """

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self._solution = solution = evaluation.solution
        self._placed = placed = PlacedClasses.of(solution)
        self.conflicts: dict[tuple[int, int], list[int]] = {}
        for student, a, b in student_conflicts(placed, solution).tolist():
            self.conflicts.setdefault((a, b), []).append(student)
        wrong = list(wrong_enrolments(solution))
        self.wrong_students = sorted({student for student, _, _ in wrong})
        distributions = self._distributions()
        self.hard: dict[str, list[Finding]] = {
            "Times": [
                Finding(1, (_class(k), " has no time")) for k in without_time(placed).tolist()
            ],
            "Rooms": [
                Finding(1, (_class(k), " has none of its rooms"))
                for k in np.flatnonzero(room_penalties(solution) < 0).tolist()
            ],
            "ClosedRooms": self._closed_rooms(),
            "RoomConflicts": self._room_conflicts(),
            "Distributions": distributions[True],
            "Students": [
                Finding(1, (("student", student), ", ", ("course", course), f": {words}"))
                for student, course, words in wrong
            ],
            "Limits": self._limits(),
        }
        tables = solution.instance.tables
        time = np.where(placed.placed, tables.time_penalty[solution.time_rows], 0)
        self.soft: dict[str, list[Finding]] = {
            "time": _penalties(time, "the time of "),
            "room": _penalties(np.maximum(room_penalties(solution), 0), "the room of "),
            "distribution": distributions[False],
            "student": self._student_conflicts(),
        }
        for found in self.soft.values():
            found.sort(key=lambda one: -one.units)

    def _closed_rooms(self) -> list[Finding]:
        instance = self._solution.instance
        found = []
        for k, t in closed_meetings(self._placed, self._solution).tolist():
            room = int(self._solution.rooms[k])
            first = int(instance.tables.closed_starts[room])
            closed = time_words(instance.rooms[room].unavailable[t - first], instance.slots_per_day)
            words = (_class(k), " while ", ("room", room), f" is closed, {closed}")
            found.append(Finding(1, words))
        return found

    def _room_conflicts(self) -> list[Finding]:
        rooms = self._solution.rooms.tolist()
        return [
            Finding(1, (_class(a), " overlaps ", _class(b), " in ", _room(rooms[a])))
            for a, b in room_conflicts(self._placed).tolist()
        ]

    def _limits(self) -> list[Finding]:
        beyond = crowded(self._solution)
        classes = self._solution.instance.classes
        return [
            Finding(
                int(beyond[k]),
                (
                    _class(k),
                    f" has {classes[k].limit + int(beyond[k])} students, "
                    f"{classes[k].limit} at most",
                ),
            )
            for k in np.flatnonzero(beyond).tolist()
        ]

    def _student_conflicts(self) -> list[Finding]:
        return [
            Finding(
                len(students), (_students(len(students)), " cannot attend both ",
                                _class(a), " and ", _class(b)),
            )
            for (a, b), students in self.conflicts.items()
        ]  # fmt: skip

    def _distributions(self) -> dict[bool, list[Finding]]:
        """Return what breaks the required distributions, and the others."""
        instance = self._solution.instance
        costs = self._evaluation.distributions
        found: dict[bool, list[Finding]] = {True: [], False: []}
        for d, a, b in violated_pairs(self._placed, instance).tolist():
            rule = costs[d].distribution
            units = 1 if rule.penalty is None else rule.penalty
            words = (f"{rule.type} between ", _class(a), " and ", _class(b))
            found[rule.required].append(Finding(units, words))
        beyond: dict[int, list[str]] = {}
        for d, excess, week, day in excesses(self._placed, instance).tolist():
            where = "" if week < 0 else f" in week {week + 1} on {day_name(day)}"
            beyond.setdefault(d, []).append(f"{excess:,} too many{where}")
        for d, places in beyond.items():
            rule = costs[d].distribution
            units = costs[d].units if rule.required else costs[d].cost
            classes = _listed(instance.class_positions[one] for one in rule.classes)
            words = (f"{rule.type} of ", *classes, f": {', '.join(places)}")
            found[rule.required].append(Finding(units, words))
        return {key: [one for one in some if one.units] for key, some in found.items()}


def time_words(time: Time, slots_per_day: int) -> str:
    """Return a time in words: its days, from when to when, and its weeks."""
    days = ", ".join(day_name(day) for day in numbers(time.days))
    span = f"{clock(time.start, slots_per_day)}{DASH}{clock(time.end, slots_per_day)}"
    return f"{days} {span}, {week_words(time.weeks)}"


def _class(k: int) -> tuple[str, int]:
    return "class", k


def _room(r: int) -> tuple[str, int]:
    return "room", r


def _students(count: int) -> str:
    return "1 student" if count == 1 else f"{count:,} students"


def _penalties(penalties: NDArray[np.int64], what: str) -> list[Finding]:
    return [
        Finding(int(penalties[k]), (what, _class(k))) for k in np.flatnonzero(penalties).tolist()
    ]


def _listed(classes: Iterable[int]) -> list[Words]:
    words: list[Words] = []
    for k in classes:
        words += [", ", _class(k)]
    return words[1:]
