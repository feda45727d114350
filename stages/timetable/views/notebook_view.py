"""Timetables and their cost as a notebook shows them.

A notebook that is not trusted loses scripts, style sheets, drawings and the
working of its inputs; so all of this is tables and ``<details>`` elements.
"""

from html import escape
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from ..cost.evaluation import Evaluation
from ..model.solution import Solution
from .course_color import course_color
from .lecture_groups import (
    KINDS,
    PLURALS,
    LectureGroups,
    day_names,
    group_lectures,
    lecture_words,
    shortened,
)

MOST_WEEKS = 15
"""Most rooms, curricula or teachers whose weeks are there."""

MOST_CELLS = 2_000
"""Most periods in the weeks of all rooms, all curricula or all teachers together."""

MOST_LECTURES = 3
"""Most lectures that are shown in one period of a week."""

_MOST_LETTERS = 24
_LEFT = "text-align:left"
_CARD = "text-align:left;padding:2px;color:#1b2130;background-color:"
_CLASH = ' style="border:2px solid #d7263d"'


def evaluation_html(evaluation: Evaluation) -> str:
    """Return the cost by constraint, and the timetable, as a piece of HTML."""
    reasons = "".join(
        f"<p><b>No timetable can be feasible:</b> {escape(reason)}</p>"
        for reason in evaluation.infeasible_because
    )
    return reasons + _cost_table(evaluation) + solution_html(evaluation.solution)


def solution_html(solution: Solution) -> str:
    """Return the weeks of a timetable, by room, curriculum and teacher, as a piece of HTML.

    Its length is bounded: of many rooms, curricula or teachers it has the
    busiest, and says so.
    """
    instance = solution.instance
    name = escape(shortened(instance.name, 80))
    title = f"{name}: {len(solution):,} of {instance.n_lectures:,} lectures placed"
    switch = uuid4().hex[:8]
    kinds = "".join(_kind_html(solution, group_lectures(solution, by), switch) for by in KINDS)
    return f"<p><b>{title}</b></p>{kinds}"


def _cost_table(evaluation: Evaluation) -> str:
    weights = evaluation.formulation.weights
    rows = [(name, count, "hard", "") for name, count in evaluation.hard.items()]
    rows += [
        (name, evaluation.units[name], str(weights[name]), f"{cost:,}")
        for name, cost in evaluation.soft.items()
    ]
    body = "".join(
        f'<tr><td style="{_LEFT}">{escape(name)}</td><td>{units:,}</td>'
        f"<td>{weight}</td><td>{cost}</td></tr>"
        for name, units, weight, cost in rows
    )
    formulation = escape(shortened(evaluation.formulation.name, 40))
    return (
        f'<table><thead><tr><th style="{_LEFT}">Constraint ({formulation})</th>'
        f"<th>units</th><th>weight</th><th>cost</th></tr></thead><tbody>{body}"
        f'<tr><td style="{_LEFT}"><b>Total</b></td><td>{evaluation.violations:,} violations</td>'
        f"<td></td><td><b>{evaluation.cost:,}</b></td></tr></tbody></table>"
    )


def _kind_html(solution: Solution, groups: LectureGroups, switch: str) -> str:
    """Return all rooms, curricula or teachers; that of the rooms open, with its first week."""
    n_groups, plural = len(groups.names), PLURALS[groups.by]
    chosen = groups.busiest(min(MOST_WEEKS, MOST_CELLS // solution.instance.n_periods))
    is_open = groups.by == "room"
    weeks = [
        _details(
            _week_title(groups, int(group)),
            _week_table(solution, groups, groups.of(int(group))),
            f"{switch}-{groups.by}",
            is_open and k == 0,
        )
        for k, group in enumerate(chosen)
    ]
    if len(chosen) < n_groups:
        weeks.append(
            f"<p>The {len(chosen)} busiest of {n_groups:,} {plural}; "
            "the web page that the Finalize stage writes has all of them.</p>"
        )
    box = f'<div style="max-height:36em;overflow:auto;padding-left:1em">{"".join(weeks)}</div>'
    return _details(f"<b>{plural.capitalize()}</b> ({n_groups:,})", box, switch, is_open)


def _details(title: str, content: str, switch: str, is_open: bool) -> str:
    """Return something to open; browsers close the others of the same switch then."""
    opened = " open" if is_open else ""
    return f'<details name="{switch}"{opened}><summary>{title}</summary>{content}</details>'


def _week_title(groups: LectureGroups, group: int) -> str:
    n_lectures = len(groups.of(group))
    name = escape(shortened(groups.names[group], _MOST_LETTERS))
    return f"{groups.by} {name}, {n_lectures} lecture{'' if n_lectures == 1 else 's'}"


def _week_table(solution: Solution, groups: LectureGroups, lectures: NDArray[np.int64]) -> str:
    days, slots = solution.instance.days, solution.instance.periods_per_day
    cells: dict[int, list[int]] = {}
    for lecture in lectures.tolist():
        cells.setdefault(int(solution.periods[lecture]), []).append(lecture)
    head = "".join(f'<th style="{_LEFT}">{day}</th>' for day in day_names(days))
    body = "".join(
        f"<tr><td>{slot}</td>"
        + "".join(
            _cell_html(solution, groups, cells.get(day * slots + slot, [])) for day in range(days)
        )
        + "</tr>"
        for slot in range(slots)
    )
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell_html(solution: Solution, groups: LectureGroups, lectures: list[int]) -> str:
    if not lectures:
        return "<td></td>"
    style = _CLASH if len(lectures) > 1 else ""
    cards = "".join(_card_html(solution, groups, lecture) for lecture in lectures[:MOST_LECTURES])
    more = len(lectures) - MOST_LECTURES
    rest = f"and {more} more" if more > 0 else ""
    return f"<td{style}>{cards}{rest}</td>"


def _card_html(solution: Solution, groups: LectureGroups, lecture: int) -> str:
    position = int(solution.courses[lecture])
    first, *others = (
        escape(shortened(line, _MOST_LETTERS))
        for line in lecture_words(solution, groups.by, lecture)
    )
    color = course_color(position)
    return f'<div style="{_CARD}{color}"><b>{first}</b><br>{" · ".join(others)}</div>'
