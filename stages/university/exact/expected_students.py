"""How many students two classes will share, before anybody is in a class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...ragged import ranges
from ..model.instance import Instance
from .shared_students import SharedStudents


def course_pairs(
    instance: Instance,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the students who ask for both of two courses, or for one, paired with itself.

    Returns
    -------
    tuple of arrays
        First and second course, the first no later, and how many students.
    """
    demands = np.array(
        [
            (s, instance.course_positions[course])
            for s, student in enumerate(instance.students)
            for course in student.courses
        ],
        np.int64,
    ).reshape(-1, 2)
    n = len(instance.courses)
    both = SharedStudents.of(n, demands[np.lexsort((demands[:, 1], demands[:, 0]))])
    first = np.repeat(np.arange(n), np.diff(both.starts))
    once = first < both.other
    alone = np.bincount(demands[:, 1], minlength=n)
    asked = np.flatnonzero(alone)
    return (
        np.concatenate([first[once], asked]),
        np.concatenate([both.other[once], asked]),
        np.concatenate([both.count[once], alone[asked]]).astype(np.int64),
    )


def course_shares(
    instance: Instance,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the first class of each course, the part of its students in each class, and parents.

    A course's classes follow one another. Of a configuration's students, each subpart's
    classes have parts as their limits are.
    """
    tables = instance.tables
    of_course = tables.course[tables.configuration[tables.subpart]]
    starts = np.searchsorted(of_course, np.arange(len(instance.courses) + 1))
    limit = tables.limit + 1e-9
    in_subpart = np.bincount(tables.subpart, limit)
    seats = np.full(len(tables.course), np.inf)
    np.minimum.at(seats, tables.configuration, in_subpart)
    in_course = np.bincount(tables.course, seats, len(instance.courses))
    part = (seats / in_course[tables.course])[tables.configuration[tables.subpart]]
    return starts, part * limit / in_subpart[tables.subpart], tables.parent


def chunks(
    pairs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    starts: NDArray[np.int64],
    chunk_size: int,
) -> Iterator[tuple[NDArray[np.int64], ...]]:
    """Cut pairs of courses into parts of about so many pairs of classes."""
    sizes = np.diff(starts)
    ends = np.cumsum(sizes[pairs[0]] * sizes[pairs[1]])
    part = ends // max(1, chunk_size)
    cuts = np.flatnonzero(np.diff(part)) + 1
    columns = [np.split(column, cuts) for column in pairs]
    return (chunk for chunk in zip(*columns, strict=True) if len(chunk[0]))


def expected_pairs(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    students: NDArray[np.int64],
    starts: NDArray[np.int64],
    share: NDArray[np.float64],
    subpart: NDArray[np.int64],
    configuration: NDArray[np.int64],
    parent: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """List the pairs of classes of some pairs of courses, and the students expected in both."""
    sizes = np.diff(starts)
    counts = sizes[first] * sizes[second]
    pair = np.repeat(np.arange(len(first)), counts)
    at = ranges(0, counts)
    a = starts[first[pair]] + at // sizes[second[pair]]
    b = starts[second[pair]] + at % sizes[second[pair]]
    both = students[pair] * share[a] * share[b]
    own = first[pair] == second[pair]
    # Of one course a student is in classes of other subparts of one configuration.
    of_a, of_b = configuration[subpart[a]], configuration[subpart[b]]
    fit = (a < b) & (subpart[a] != subpart[b]) & (of_a == of_b)
    in_configuration = np.bincount(configuration[subpart], share)
    per_subpart = np.bincount(configuration[np.unique(subpart)])
    whole = (in_configuration / np.maximum(per_subpart, 1))[of_a]
    of_own = both / np.maximum(whole, 1e-9)
    for one, other in ((a, b), (b, a)):
        related = (parent[one] >= 0) & (subpart[parent[one]] == subpart[other])
        child = students[pair] * share[one]
        of_own = np.where(related, np.where(parent[one] == other, child, 0.0), of_own)
    both = np.where(own, np.where(fit, of_own, 0.0), both)
    keep = both >= 0.5
    return a[keep], b[keep], both[keep]
