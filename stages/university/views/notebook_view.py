"""A university's timetable and its cost as a notebook shows them.

A notebook that is not trusted loses scripts, style sheets, drawings and the working of its
inputs; so all of this is tables and ``<details>`` elements.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ...files.templates import render
from ...views.course_color import course_color
from ..cost.words import clock, day_name
from .class_groups import PLURALS, By, group_classes
from .drawn_classes import DrawnClasses
from .week_words import DASH, week_words

if TYPE_CHECKING:
    from ..cost.evaluation import Evaluation
    from ..model.solution import Solution

KINDS: tuple[By, ...] = ("room", "course", "group", "student")
"""Whose weeks are there; a class is in those of its room and its course."""

MOST_WEEKS = 12
"""Most rooms, courses, groups or students whose weeks are there."""

MOST_CLASSES = 12
"""Most classes that are shown in one day of a week."""

_MOST_LETTERS = 24
_TEMPLATE = Path(__file__).with_name("notebook_view.html")


def evaluation_html(evaluation: Evaluation) -> str:
    """Return the cost by part, and the timetable, as a piece of HTML."""
    return render(_TEMPLATE, cost=_cost(evaluation), **_timetable(evaluation.solution))


def solution_html(solution: Solution) -> str:
    """Return the weeks of a timetable, by room, course, group and student, as a piece of HTML.

    Its length is bounded: of many it has the busiest, and says so.
    """
    return render(_TEMPLATE, cost=None, **_timetable(solution))


def _cost(evaluation: Evaluation) -> dict[str, Any]:
    weights = evaluation.solution.instance.weights
    rows = [(name, count, "hard", "") for name, count in evaluation.hard.items()]
    rows += [
        (name, evaluation.units[name], str(getattr(weights, name)), f"{cost:,}")
        for name, cost in evaluation.soft.items()
    ]
    return {"rows": rows, "violations": evaluation.violations, "total": evaluation.cost}


def _timetable(solution: Solution) -> dict[str, Any]:
    placed, n = int((solution.times >= 0).sum()), len(solution.times)
    # Browsers close the other details of a name when one is opened.
    switch = uuid4().hex[:8]
    kinds = [DrawnClasses(solution, group_classes(solution, by)) for by in KINDS]
    return {
        "title": f"{shortened(solution.instance.name, 80)}: {placed:,} of {n:,} classes placed",
        "names": [day_name(day) for day in range(kinds[0].days)],
        "kinds": [_kind(drawn, switch) for drawn in kinds if drawn.groups.names],
    }


def _kind(drawn: DrawnClasses, switch: str) -> dict[str, Any]:
    """Return all of a kind; the rooms open, with the first week."""
    groups = drawn.groups
    n_groups, plural = len(groups.names), PLURALS[groups.by]
    chosen = groups.busiest(MOST_WEEKS)
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
            {"title": _week_title(drawn, group), "days": _days(drawn, group)}
            for group in map(int, chosen)
        ],
        "left_out": left_out,
    }


def _week_title(drawn: DrawnClasses, group: int) -> str:
    count = len(drawn.of(group))
    name = shortened(drawn.groups.names[group], _MOST_LETTERS)
    return f"{drawn.groups.by} {name}, {count} class{'' if count == 1 else 'es'}"


def _days(drawn: DrawnClasses, group: int) -> list[dict[str, Any]]:
    classes = drawn.of(group)
    clashing = drawn.clashing(classes)
    days: list[list[int]] = [[] for _ in range(drawn.days)]
    for k, day in drawn.meetings(classes):
        days[day].append(k)
    return [
        {
            "cards": [_card(drawn, k, k in clashing) for k in there[:MOST_CLASSES]],
            "more": max(0, len(there) - MOST_CLASSES),
        }
        for there in days
    ]


def _card(drawn: DrawnClasses, k: int, clash: bool) -> dict[str, Any]:
    instance = drawn.solution.instance
    time = instance.classes[k].times[drawn.solution.times[k]]
    others = [week_words(time.weeks), *drawn.where(k)]
    slots = instance.slots_per_day
    return {
        "span": f"{clock(time.start, slots)}{DASH}{clock(time.end, slots)}",
        "first": shortened(instance.classes[k].id, _MOST_LETTERS),
        "others": [shortened(other, _MOST_LETTERS) for other in others],
        "color": course_color(drawn.color_of(k)),
        "clash": clash,
    }


def shortened(text: str, most: int) -> str:
    """Cut a text that is longer than so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
