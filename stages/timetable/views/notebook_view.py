"""Timetables and their cost as a notebook shows them.

A notebook that is not trusted loses scripts, style sheets, drawings and the
working of its inputs; so all of this is tables and ``<details>`` elements.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ...files.templates import render
from ...views.course_color import course_color
from .lecture_groups import (
    KINDS,
    PLURALS,
    LectureGroups,
    day_names,
    group_lectures,
    lecture_words,
    shortened,
)

if TYPE_CHECKING:
    from ..cost.evaluation import Evaluation
    from ..model.solution import Solution

MOST_WEEKS = 15
"""Most rooms, curricula or teachers whose weeks are there."""

MOST_CELLS = 2_000
"""Most periods in the weeks of all rooms, all curricula or all teachers together."""

MOST_LECTURES = 3
"""Most lectures that are shown in one period of a week."""

_TEMPLATE = Path(__file__).with_name("notebook_view.html")
_MOST_LETTERS = 24


def evaluation_html(evaluation: Evaluation) -> str:
    """Return the cost by constraint, and the timetable, as a piece of HTML."""
    return render(_TEMPLATE, cost=_cost(evaluation), **_timetable(evaluation.solution))


def solution_html(solution: Solution) -> str:
    """Return the weeks of a timetable, by room, curriculum and teacher, as a piece of HTML.

    Its length is bounded: of many rooms, curricula or teachers it has the
    busiest, and says so.
    """
    return render(_TEMPLATE, cost=None, **_timetable(solution))


def _cost(evaluation: Evaluation) -> dict[str, Any]:
    weights = evaluation.formulation.weights
    rows = [(name, count, "hard", "") for name, count in evaluation.hard.items()]
    rows += [
        (name, evaluation.units[name], str(weights[name]), f"{cost:,}")
        for name, cost in evaluation.soft.items()
    ]
    return {
        "infeasible_because": evaluation.infeasible_because,
        "formulation": shortened(evaluation.formulation.name, 40),
        "rows": rows,
        "violations": evaluation.violations,
        "total": evaluation.cost,
    }


def _timetable(solution: Solution) -> dict[str, Any]:
    instance = solution.instance
    name = shortened(instance.name, 80)
    # Browsers close the other details of a name when one is opened.
    switch = uuid4().hex[:8]
    return {
        "title": f"{name}: {len(solution):,} of {instance.n_lectures:,} lectures placed",
        "days": day_names(instance.days),
        "kinds": [_kind(solution, group_lectures(solution, by), switch) for by in KINDS],
    }


def _kind(solution: Solution, groups: LectureGroups, switch: str) -> dict[str, Any]:
    """Return all rooms, curricula or teachers; that of the rooms open, with its first week."""
    n_groups, plural = len(groups.names), PLURALS[groups.by]
    chosen = groups.busiest(min(MOST_WEEKS, MOST_CELLS // solution.instance.n_periods))
    left_out = ""
    if len(chosen) < n_groups:
        left_out = (
            f"The {len(chosen)} busiest of {n_groups:,} {plural}; "
            "the web page that the Finalize stage writes has all of them."
        )
    return {
        "title": plural.capitalize(),
        "count": f"{n_groups:,}",
        "outer": switch,
        "switch": f"{switch}-{groups.by}",
        "is_open": groups.by == "room",
        "weeks": [
            {"title": _week_title(groups, group), "rows": _week(solution, groups, group)}
            for group in map(int, chosen)
        ],
        "left_out": left_out,
    }


def _week_title(groups: LectureGroups, group: int) -> str:
    n_lectures = len(groups.of(group))
    name = shortened(groups.names[group], _MOST_LETTERS)
    return f"{groups.by} {name}, {n_lectures} lecture{'' if n_lectures == 1 else 's'}"


def _week(solution: Solution, groups: LectureGroups, group: int) -> list[list[dict[str, Any]]]:
    """Return the cells of a week by timeslot and day."""
    days, slots = solution.instance.days, solution.instance.periods_per_day
    lectures: dict[int, list[int]] = {}
    for lecture in groups.of(group).tolist():
        lectures.setdefault(int(solution.periods[lecture]), []).append(lecture)
    return [
        [_cell(solution, groups, lectures.get(day * slots + slot, [])) for day in range(days)]
        for slot in range(slots)
    ]


def _cell(solution: Solution, groups: LectureGroups, lectures: list[int]) -> dict[str, Any]:
    return {
        "cards": [_card(solution, groups, one) for one in lectures[:MOST_LECTURES]],
        "clash": len(lectures) > 1,
        "more": max(0, len(lectures) - MOST_LECTURES),
    }


def _card(solution: Solution, groups: LectureGroups, lecture: int) -> dict[str, Any]:
    first, *others = (
        shortened(line, _MOST_LETTERS) for line in lecture_words(solution, groups.by, lecture)
    )
    color = course_color(int(solution.courses[lecture]))
    return {"first": first, "others": others, "color": color}
