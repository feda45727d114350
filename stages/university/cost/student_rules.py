"""Whether students attend what they asked for, and what they miss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .placed_classes import PlacedClasses

if TYPE_CHECKING:
    from ..model.solution import Solution

# Pairs of classes that are looked at together.
_TOGETHER = 1_000_000


def wrong_enrolments(solution: Solution) -> Iterator[tuple[int, int, str]]:
    """Find the students who do not attend what they asked for.

    Yields
    ------
    tuple
        Student, course, and in words what is wrong; a class of a course that was not
        asked for is wrong by itself.
    """
    instance = solution.instance
    tables = instance.tables
    of_course = tables.course[tables.configuration[tables.subpart]]
    attended: dict[tuple[int, int], list[int]] = defaultdict(list)
    for student, k in solution.enrolments.tolist():
        attended[student, int(of_course[k])].append(k)
    subparts: list[list[int]] = [[] for _ in tables.course]
    for subpart, configuration in enumerate(tables.configuration.tolist()):
        subparts[configuration].append(subpart)
    for s, student in enumerate(instance.students):
        for course in student.courses:
            c = instance.course_positions[course]
            wrong = _what_is_wrong(attended.pop((s, c), []), solution, subparts)
            if wrong:
                yield s, c, wrong
    for (s, c), classes in sorted(attended.items()):
        for k in classes:
            name = instance.classes[k].id
            yield s, c, f"attends class {name}, though nobody asked for the course"


def _what_is_wrong(classes: list[int], solution: Solution, subparts: list[list[int]]) -> str:
    tables = solution.instance.tables
    if not classes:
        return "attends no class"
    configurations = {int(tables.configuration[tables.subpart[k]]) for k in classes}
    if len(configurations) > 1:
        return "attends classes of two configurations"
    wanted = subparts[configurations.pop()]
    if sorted(int(tables.subpart[k]) for k in classes) != wanted:
        return "does not attend one class of each subpart"
    for k in classes:
        parent = int(tables.parent[k])
        if parent >= 0 and parent not in classes:
            names = solution.instance.classes
            return f"attends class {names[k].id} without its parent {names[parent].id}"
    return ""


def student_conflicts(placed: PlacedClasses, solution: Solution) -> NDArray[np.int64]:
    """Find the pairs of classes that a student attends and cannot.

    Returns
    -------
    array
        Rows ``(student, class, class)``, shape (n, 3), ascending by student.
    """
    students, classes = solution.enrolments.T
    there = placed.placed[classes]
    students, classes = students[there], classes[there]
    found = [np.empty((0, 3), np.int64)]
    names, first, sizes = np.unique(students, return_index=True, return_counts=True)
    for size in np.unique(sizes[sizes > 1]):
        i, j = np.triu_indices(size, 1)
        rows = np.flatnonzero(sizes == size)
        for part in np.array_split(rows, 1 + len(rows) * len(i) // _TOGETHER):
            attended = classes[first[part][:, None] + np.arange(size)]
            a, b = attended[:, i].ravel(), attended[:, j].ravel()
            wrong = ~placed.attendable(a, b)
            who = np.repeat(names[part], len(i))
            found.append(np.stack([who[wrong], a[wrong], b[wrong]], axis=1))
    conflicts = np.concatenate(found)
    return conflicts[np.lexsort((conflicts[:, 2], conflicts[:, 1], conflicts[:, 0]))]
