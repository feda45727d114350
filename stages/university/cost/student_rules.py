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
    student, k = solution.enrolments.T
    keys = student * len(tables.course) + of_course[k]
    asked = np.array(
        [
            s * len(tables.course) + instance.course_positions[course]
            for s, one in enumerate(instance.students)
            for course in one.courses
        ],
        np.int64,
    )
    subparts: list[list[int]] = [[] for _ in tables.course]
    for subpart, configuration in enumerate(tables.configuration.tolist()):
        subparts[configuration].append(subpart)
    doubtful = asked[_doubtful(solution, keys, asked, np.array([len(one) for one in subparts]))]
    attended: dict[int, list[int]] = defaultdict(list)
    of_doubtful = _among(keys, np.unique(doubtful))
    for key, one in zip(keys[of_doubtful].tolist(), k[of_doubtful].tolist(), strict=True):
        attended[key].append(one)
    for key in doubtful.tolist():
        wrong = _what_is_wrong(attended[key], solution, subparts)
        if wrong:
            s, c = divmod(key, len(tables.course))
            yield s, c, wrong
    unasked = ~_among(keys, np.unique(asked))
    order = np.argsort(keys[unasked], kind="stable")
    for key, one in zip(keys[unasked][order].tolist(), k[unasked][order].tolist(), strict=True):
        name = instance.classes[one].id
        s, c = divmod(key, len(tables.course))
        yield s, c, f"attends class {name}, though nobody asked for the course"


def _doubtful(
    solution: Solution,
    keys: NDArray[np.int64],
    asked: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Tell of each student's course whether something may be wrong; of most of them nothing is.

    Nothing is where the classes are of one configuration, as many as it has subparts, all
    of different ones, and each with its parent.
    """
    tables = solution.instance.tables
    student, k = solution.enrolments.T
    n = len(tables.parent)
    in_order, where = np.unique(asked, return_inverse=True)
    place = np.searchsorted(in_order, keys)
    mine = _among(keys, in_order)
    place, student, k = place[mine], student[mine], k[mine]
    subpart = tables.subpart[k]
    configuration = tables.configuration[subpart]
    count = np.bincount(place, minlength=len(in_order))
    first = np.zeros(len(in_order), np.int64)
    first[place] = configuration
    n_subparts = len(tables.configuration)
    different = np.sort(place * n_subparts + subpart)
    different = different[np.append(True, different[1:] != different[:-1])[: len(different)]]
    of_subparts = np.bincount(different // n_subparts, minlength=len(in_order))
    wrong = (count == 0) | (count != sizes[first]) | (of_subparts != sizes[first])
    wrong[place[configuration != first[place]]] = True
    parent = tables.parent[k]
    alone = (parent >= 0) & ~_among(student * n + parent, np.sort(student * n + k))
    wrong[place[alone]] = True
    return wrong[where.ravel()]


def _among(values: NDArray[np.int64], in_order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which values are among others, which are in order; quicker than looking them all up."""
    if not len(in_order):
        return np.zeros(len(values), np.bool_)
    found: NDArray[np.bool_]
    found = in_order[np.minimum(np.searchsorted(in_order, values), len(in_order) - 1)] == values
    return found


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
