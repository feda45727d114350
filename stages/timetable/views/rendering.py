"""A timetable as a web page and as a table of comma-separated values."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...files.templates import render

if TYPE_CHECKING:
    from ..cost.evaluation import Evaluation
    from ..model.instance import Instance
    from ..model.solution import Solution

_TEMPLATE = Path(__file__).with_name("timetable.html")

MAX_DETAILS = 500
"""Most single violations that the page lists in words."""

CSV_COLUMNS = (
    "course",
    "teacher",
    "day",
    "timeslot",
    "room",
    "students",
    "capacity",
    "curricula",
)


def render_html(evaluation: Evaluation) -> str:
    """Draw a timetable as a self-contained web page.

    The page shows the week of every room, curriculum, teacher and course, and
    the cost by constraint. It loads nothing from elsewhere.

    Parameters
    ----------
    evaluation
        What `evaluate` found for the timetable, which may be incomplete or
        break constraints.
    """
    title = evaluation.solution.instance.name or "Timetable"
    return render(_TEMPLATE, title=title, data=page_data(evaluation))


def render_csv(solution: Solution) -> str:
    """List a timetable's lectures as CSV, one row each, sorted by course and period.

    The columns are `CSV_COLUMNS`; days and timeslots count from 0, the ids of
    a lecture's curricula are separated by blanks.
    """
    instance = solution.instance
    curricula: dict[str, list[str]] = {course.id: [] for course in instance.courses}
    for curriculum in instance.curricula:
        for course_id in curriculum.courses:
            curricula[course_id].append(curriculum.id)
    names = [" ".join(curricula[course.id]) for course in instance.courses]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for c, period, r in _lectures(solution):
        course, room = instance.courses[c], instance.rooms[r]
        day, slot = divmod(period, instance.periods_per_day)
        about = (course.id, course.teacher, day, slot, room.id, course.students, room.capacity)
        writer.writerow((*about, names[c]))
    return text.getvalue()


def _lectures(solution: Solution) -> list[tuple[int, int, int]]:
    rows = (solution.courses.tolist(), solution.periods.tolist(), solution.rooms.tolist())
    return sorted(zip(*rows, strict=True))


def page_data(evaluation: Evaluation) -> dict[str, Any]:
    """Return all that a page needs to draw a timetable, as JSON knows it."""
    return {
        **_instance_data(evaluation.solution.instance),
        "lectures": _lectures(evaluation.solution),
        "formulation": evaluation.formulation.name,
        "cost": evaluation.cost,
        "violations": evaluation.violations,
        "hard": list(evaluation.hard.items()),
        "soft": [[name, evaluation.units[name], cost] for name, cost in evaluation.soft.items()],
        "details": evaluation.details(MAX_DETAILS),
        "details_total": evaluation.n_details,
        "infeasible_because": list(evaluation.infeasible_because),
    }


def _instance_data(instance: Instance) -> dict[str, Any]:
    teachers = {name: i for i, name in enumerate(sorted({c.teacher for c in instance.courses}))}
    index = instance.course_positions
    closed: list[list[int]] = [[] for _ in instance.courses]
    for course_id, day, timeslot in instance.unavailability:
        closed[index[course_id]].append(day * instance.periods_per_day + timeslot)
    return {
        "days": instance.days,
        "slots": instance.periods_per_day,
        "wanted": instance.n_lectures,
        "teachers": list(teachers),
        "rooms": [[room.id, room.capacity, room.building] for room in instance.rooms],
        "courses": [
            [c.id, teachers[c.teacher], c.students, c.lectures, c.min_working_days, closed[i]]
            for i, c in enumerate(instance.courses)
        ],
        "curricula": [[q.id, [index[c] for c in q.courses]] for q in instance.curricula],
    }
