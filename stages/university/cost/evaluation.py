"""What a timetable of a university costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...timetable.constraints.findings import Findings
from ..model.solution import Solution
from .class_rules import closed_meetings, crowded, room_conflicts, room_penalties, without_time
from .distribution_cost import DistributionCost
from .global_rules import AVERAGED, excesses
from .pair_rules import violated_pairs
from .placed_classes import PlacedClasses
from .student_rules import student_conflicts, wrong_enrolments
from .words import class_words, day_name, time_words


@dataclass(frozen=True)
class Evaluation:
    """Violations and cost of a timetable, rule by rule.

    Attributes
    ----------
    solution
        The timetable.
    hard
        Violations of each hard rule: ``Times`` (classes without one), ``Rooms`` (classes
        without one of their rooms), ``ClosedRooms`` (closed times that a class overlaps),
        ``RoomConflicts`` (pairs of classes that overlap in a room), ``Distributions``
        (violated pairs, and excess, of the required ones), ``Students`` (courses that a
        student does not attend as asked, classes attended unasked) and ``Limits``
        (students beyond a class's limit).
    soft
        The four parts of the cost, weighted: ``time``, ``room``, ``distribution`` and
        ``student``.
    units
        The same without the weights.
    distributions
        What each distribution of the instance costs, in its order.
    """

    __module__ = "schoolbell.stages.university"

    solution: Solution
    hard: Mapping[str, int]
    soft: Mapping[str, int]
    units: Mapping[str, int]
    distributions: tuple[DistributionCost, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        # A read-only view of a dict cannot be pickled.
        counts = (dict(self.hard), dict(self.soft), dict(self.units))
        return _evaluation, (self.solution, *counts, self.distributions)

    @property
    def violations(self) -> int:
        """Violations of all hard rules."""
        return sum(self.hard.values())

    @property
    def cost(self) -> int:
        """Weighted cost of all four parts."""
        return sum(self.soft.values())

    @property
    def feasible(self) -> bool:
        """Whether no hard rule is broken."""
        return self.violations == 0

    def details(self, most: int | None = None) -> list[str]:
        """Tell every single violation and cost in words.

        Parameters
        ----------
        most
            Lines at most; None for all of them.

        Returns
        -------
        list of str
            ``[H(violations)] RoomConflicts: …`` or ``[S(cost)] student: …``, rule by rule;
            a distribution that counts excess over weeks has one line.
        """
        return list(islice(self._findings, most))

    @property
    def n_details(self) -> int:
        """Number of the lines that `details` has."""
        counted = _Counted(self.solution)
        found = [counted.hard(name) for name in self.hard]
        found += [counted.soft(name) for name in self.soft]
        return sum(len(one.units) for one in found)

    @property
    def _findings(self) -> Iterator[str]:
        counted = _Counted(self.solution)
        for name in self.hard:
            for units, words in counted.hard(name):
                yield f"[H({units})] {name}: {words}"
        weights = counted.weights
        for name in self.soft:
            for units, words in counted.soft(name):
                yield f"[S({weights[name] * units})] {name}: {words}"

    def _repr_html_(self) -> str:
        """Show the cost by part and the timetable in a notebook."""
        from ..views.notebook_view import evaluation_html

        return evaluation_html(self)

    def __str__(self) -> str:
        rows = [("Hard rule", "violations", "", "")]
        rows += [(name, str(count), "", "") for name, count in self.hard.items()]
        rows += [("Total", str(self.violations), "", ""), ("", "", "", "")]
        rows.append(("Part of the cost", "units", "weight", "cost"))
        weights = _weights(self.solution)
        for name, cost in self.soft.items():
            rows.append((name, str(self.units[name]), str(weights[name]), str(cost)))
        rows.append(("Total", "", "", str(self.cost)))
        return "\n".join(
            f"{name:<24}{units:>12}{weight:>8}{cost:>12}".rstrip()
            for name, units, weight, cost in rows
        )


def evaluate(solution: Solution) -> Evaluation:
    """Count the violations and the cost of a timetable by the definitions of ITC-2019.

    Classes without a time count once, as such; no other rule looks at them.

    Parameters
    ----------
    solution
        The timetable; it may be incomplete, and may break any rule.
    """
    counted = _Counted(solution)
    hard = {name: counted.hard(name).total for name in _HARD}
    units = {name: counted.soft(name).total for name in _SOFT}
    soft = {name: counted.weights[name] * count for name, count in units.items()}
    return _evaluation(solution, hard, soft, units, counted.distributions)


def _evaluation(
    solution: Solution,
    hard: Mapping[str, int],
    soft: Mapping[str, int],
    units: Mapping[str, int],
    distributions: tuple[DistributionCost, ...],
) -> Evaluation:
    view = MappingProxyType
    return Evaluation(solution, view(hard), view(soft), view(units), distributions)


def _weights(solution: Solution) -> dict[str, int]:
    weights = solution.instance.weights
    return {name: getattr(weights, name) for name in _SOFT}


class _Counted:
    """What each rule finds in a solution."""

    def __init__(self, solution: Solution) -> None:
        self.solution = solution
        self.instance = solution.instance
        self.placed = PlacedClasses.of(solution)
        self.weights = _weights(solution)

    def hard(self, name: str) -> Findings:
        return _HARD[name](self)

    def soft(self, name: str) -> Findings:
        return _SOFT[name](self)

    def _class(self, k: int) -> str:
        return class_words(self.solution, int(k))

    def times(self) -> Findings:
        found = without_time(self.placed)
        return Findings(_ones(found), lambda row: f"{self._class(found[row])} has no time")

    def rooms(self) -> Findings:
        found = np.flatnonzero(room_penalties(self.solution) < 0)
        return Findings(
            _ones(found), lambda row: f"{self._class(found[row])} has none of its rooms"
        )

    def closed_rooms(self) -> Findings:
        found = closed_meetings(self.placed, self.solution)

        def describe(row: int) -> str:
            k, t = found[row]
            room = int(self.solution.rooms[k])
            first = self.instance.tables.closed_starts[room]
            time = self.instance.rooms[room].unavailable[t - first]
            closed = time_words(time, self.instance.slots_per_day)
            return f"{self._class(k)} while the room is closed on {closed}"

        return Findings(_ones(found), describe)

    def room_conflicts(self) -> Findings:
        found = room_conflicts(self.placed)
        return Findings(
            _ones(found),
            lambda row: f"{self._class(found[row, 0])} overlaps {self._class(found[row, 1])}",
        )

    def students(self) -> Findings:
        found = list(wrong_enrolments(self.solution))

        def describe(row: int) -> str:
            student, course, wrong = found[row]
            name = self.instance.students[student].id
            return f"student {name}, course {self.instance.courses[course].id}: {wrong}"

        return Findings(_ones(found), describe)

    def limits(self) -> Findings:
        beyond = crowded(self.solution)
        found = np.flatnonzero(beyond)

        def describe(row: int) -> str:
            one = self.instance.classes[found[row]]
            students = one.limit + int(beyond[found[row]])
            return f"class {one.id} has {students} students, {one.limit} at most"

        return Findings(beyond[found].astype(np.int64), describe)

    def time(self) -> Findings:
        rows = self.solution.time_rows
        penalties = np.where(rows >= 0, self.instance.tables.time_penalty[rows], 0)
        found = np.flatnonzero(penalties)
        return Findings(penalties[found], lambda row: self._class(found[row]))

    def room(self) -> Findings:
        penalties = np.maximum(room_penalties(self.solution), 0)
        found = np.flatnonzero(penalties)
        return Findings(penalties[found], lambda row: self._class(found[row]))

    def student(self) -> Findings:
        found = student_conflicts(self.placed, self.solution)

        def describe(row: int) -> str:
            student, a, b = found[row]
            name = self.instance.students[student].id
            return f"student {name} cannot attend both {self._class(a)} and {self._class(b)}"

        return Findings(_ones(found), describe)

    @cached_property
    def distributions(self) -> tuple[DistributionCost, ...]:
        n = len(self.instance.distributions)
        units = np.bincount(self._pairs[:, 0], minlength=n).astype(np.int64)
        np.add.at(units, self._excesses[:, 0], self._excesses[:, 1])
        found = []
        for distribution, count in zip(self.instance.distributions, units.tolist(), strict=True):
            cost = count * (distribution.penalty or 0)
            if distribution.kind in AVERAGED:
                cost //= self.instance.weeks
            found.append(DistributionCost(distribution, count, cost))
        return tuple(found)

    @cached_property
    def _pairs(self) -> NDArray[np.int64]:
        return violated_pairs(self.placed, self.instance)

    @cached_property
    def _excesses(self) -> NDArray[np.int64]:
        return excesses(self.placed, self.instance)

    def required(self) -> Findings:
        return self._of_distributions(True)

    def distribution(self) -> Findings:
        return self._of_distributions(False)

    def _of_distributions(self, required: bool) -> Findings:
        # One row for each pair, and one for each distribution that counts excess.
        costs = self.distributions
        rows = [
            (1 if required else int(costs[k].distribution.penalty or 0), k, i, j)
            for k, i, j in self._pairs.tolist()
            if costs[k].distribution.required == required
        ]
        for k in np.unique(self._excesses[:, 0]).tolist():
            if costs[k].distribution.required == required:
                rows.append((costs[k].units if required else costs[k].cost, k, -1, -1))
        rows = sorted(row for row in rows if row[0])
        rows.sort(key=lambda row: row[1])

        def describe(row: int) -> str:
            _, k, i, j = rows[row]
            kind = costs[k].distribution.type
            if i >= 0:
                return f"{kind} between {self._class(i)} and {self._class(j)}"
            return f"{kind} of classes {', '.join(costs[k].distribution.classes)}: " + (
                ", ".join(self._excess(*one) for one in self._excesses.tolist() if one[0] == k)
            )

        return Findings(np.array([row[0] for row in rows], np.int64), describe)

    def _excess(self, _: int, excess: int, week: int, day: int) -> str:
        where = "" if week < 0 else f" in week {week + 1} on {day_name(day)}"
        return f"{excess} too many{where}"


def _ones(found: Any) -> NDArray[np.int64]:
    return np.ones(len(found), np.int64)


_HARD = {
    "Times": _Counted.times,
    "Rooms": _Counted.rooms,
    "ClosedRooms": _Counted.closed_rooms,
    "RoomConflicts": _Counted.room_conflicts,
    "Distributions": _Counted.required,
    "Students": _Counted.students,
    "Limits": _Counted.limits,
}
_SOFT = {
    "time": _Counted.time,
    "room": _Counted.room,
    "distribution": _Counted.distribution,
    "student": _Counted.student,
}
