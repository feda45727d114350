"""What every timetable costs at least, and why there may be none, by counting."""

from __future__ import annotations

import numpy as np

from ..model.instance import Instance


def least_cost(instance: Instance) -> int:
    """Add up the cheapest time and the cheapest room of each class, weighted."""
    tables, weights = instance.tables, instance.weights
    times = np.minimum.reduceat(tables.time_penalty, tables.time_starts[:-1])
    with_room = np.flatnonzero(np.diff(tables.room_starts))
    rooms = 0
    if len(with_room):
        rooms = int(np.minimum.reduceat(tables.room_penalty,
                                        tables.room_starts[:-1][with_room]).sum())  # fmt: skip
    return weights.time * int(times.sum()) + weights.room * rooms


def infeasibility(instance: Instance) -> list[str]:
    """Tell why no timetable can be feasible; nothing where counting does not show it."""
    reasons = []
    tables = instance.tables
    wanted = dict.fromkeys(instance.course_positions, 0)
    for student in instance.students:
        for name in student.courses:
            wanted[name] += 1
    sizes = np.bincount(tables.subpart, tables.limit, len(instance.subparts))
    seats = np.full(len(tables.course), np.inf)
    np.minimum.at(seats, tables.configuration, sizes)
    of_course = np.bincount(tables.course, seats, len(instance.courses))
    for course, places in zip(instance.courses, of_course.astype(int).tolist(), strict=True):
        if wanted[course.id] > places:
            reasons.append(
                f"{wanted[course.id]} students for {places} places of course {course.id}"
            )
    return reasons
