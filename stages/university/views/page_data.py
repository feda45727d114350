"""All that the page of a university's timetable shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..cost.class_rules import room_penalties
from .broken_rules import BrokenRules, Finding
from .class_groups import student_groups
from .week_words import week_words

if TYPE_CHECKING:
    from ..cost.evaluation import Evaluation
    from ..model.instance import Instance
    from ..model.solution import Solution
    from ..model.time import Time

MOST_FINDINGS = 2_000
"""Most places of one rule that the page tells in words."""


def page_data(evaluation: Evaluation) -> dict[str, Any]:
    """Return what the page needs to draw a timetable, as JSON knows it.

    Things are named by their positions in the instance, and whatever many of them have,
    such as a time, stands there once.
    """
    solution = evaluation.solution
    instance = solution.instance
    rules = BrokenRules(evaluation)
    times = _Times()
    attended: list[list[int]] = [[] for _ in instance.students]
    for student, k in solution.enrolments.tolist():
        attended[student].append(k)
    weights = instance.weights
    return {
        "n_days": instance.days,
        "n_weeks": instance.weeks,
        "slots": instance.slots_per_day,
        "rooms": [
            [room.id, room.capacity, [times.position(time) for time in room.unavailable]]
            for room in instance.rooms
        ],
        "subparts": _subparts(instance),
        "classes": _classes(solution, rules, times),
        "courses": [course.id for course in instance.courses],
        "students": [student.id for student in instance.students],
        "demands": [
            [instance.course_positions[course] for course in student.courses]
            for student in instance.students
        ],
        "attended": attended,
        "groups": list(student_groups(instance).items()),
        "conflicts": [[a, b, students] for (a, b), students in rules.conflicts.items()],
        "wrong_students": rules.wrong_students,
        "times": times.rows,
        "weeks": [[weeks, week_words(weeks)] for weeks in times.weeks],
        "distributions": len(instance.distributions),
        "cost": evaluation.cost,
        "violations": evaluation.violations,
        "hard": [
            [name, count, *_told(rules.hard.get(name, []))]
            for name, count in evaluation.hard.items()
        ],
        "soft": [
            [name, evaluation.units[name], getattr(weights, name), cost, *_told(rules.soft[name])]
            for name, cost in evaluation.soft.items()
        ],
    }


class _Times:
    """Times, each once."""

    def __init__(self) -> None:
        self._positions: dict[tuple[str, int, int, str], int] = {}
        self.weeks: dict[str, int] = {}
        self.rows: list[list[int]] = []

    def position(self, time: Time) -> int:
        key = (time.days, time.start, time.end, time.weeks)
        if key not in self._positions:
            self._positions[key] = len(self.rows)
            weeks = self.weeks.setdefault(time.weeks, len(self.weeks))
            self.rows.append([int(time.days[::-1], 2), time.start, time.end, weeks])
        return self._positions[key]


def _subparts(instance: Instance) -> list[list[Any]]:
    return [
        [c, configuration.id, subpart.id]
        for c, course in enumerate(instance.courses)
        for configuration in course.configurations
        for subpart in configuration.subparts
    ]


def _classes(solution: Solution, rules: BrokenRules, times: _Times) -> list[list[Any]]:
    instance = solution.instance
    tables = instance.tables
    faults = [0] * len(instance.classes)
    for bit, found in enumerate(rules.hard.values()):
        for one in found:
            for k in one.classes:
                faults[k] |= 1 << bit
    penalties = np.maximum(room_penalties(solution), 0).tolist()
    rows: list[list[Any]] = []
    for k, one in enumerate(instance.classes):
        at = int(solution.times[k])
        time = None if at < 0 else one.times[at]
        rows.append(
            [
                one.id,
                int(tables.subpart[k]),
                -1 if time is None else times.position(time),
                int(solution.rooms[k]),
                0 if time is None else time.penalty,
                penalties[k],
                one.limit,
                int(tables.parent[k]),
                faults[k],
            ]
        )
    return rows


def _told(findings: list[Finding]) -> tuple[int, list[list[Any]]]:
    """Return how many there are, and the first of them: units, then the pieces of the words."""
    return len(findings), [[one.units, *one.words] for one in findings[:MOST_FINDINGS]]
