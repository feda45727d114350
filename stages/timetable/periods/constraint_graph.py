"""The graph of courses that must not meet, built in chunks by NumPy.

What runs on an executor is a module-level function of arrays and numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...clustering.weighted_graph import WeightedGraph

if TYPE_CHECKING:
    from ..model.instance import Instance


@dataclass(frozen=True, slots=True)
class CourseGroups:
    """Courses of which at most one may have a lecture in a period.

    Attributes
    ----------
    starts
        First entry of each group in `courses`, shape (n_groups + 1,).
    courses
        Members of all groups; the curricula come first, then the teachers.
    """

    starts: NDArray[np.int64]
    courses: NDArray[np.int32]

    @classmethod
    def of(cls, instance: Instance) -> CourseGroups:
        """Collect the curricula and the teachers with two or more courses."""
        by_teacher = np.argsort(instance.course_teacher, kind="stable").astype(np.int32)
        sizes = np.concatenate(
            [np.diff(instance.curriculum_starts), np.bincount(instance.course_teacher)]
        )
        courses = np.concatenate([instance.curriculum_courses, by_teacher])
        several = sizes > 1
        starts = np.concatenate([[0], np.cumsum(sizes[several])]).astype(np.int64)
        return cls(starts, courses[np.repeat(several, sizes)].astype(np.int32))

    @property
    def later_members(self) -> NDArray[np.int64]:
        """For each entry of `courses`, how many members of its group follow it."""
        ends = np.repeat(self.starts[1:], np.diff(self.starts))
        return ends - np.arange(len(self.courses)) - 1


def pair_chunks(
    groups: CourseGroups, chunk_size: int
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64]]]:
    """Cut the work of listing all pairs within groups into even parts.

    Parameters
    ----------
    groups
        The groups.
    chunk_size
        Pairs in a part, about; a part has at least one member's pairs.

    Yields
    ------
    tuple of arrays
        Arguments of `count_pairs`.
    """
    later = groups.later_members
    before = np.concatenate([[0], np.cumsum(later)])
    low = 0
    while low < len(later):
        high = int(np.searchsorted(before, before[low] + chunk_size, side="right")) - 1
        high = min(max(high, low + 1), len(later))
        end = int(np.max(np.arange(low, high) + later[low:high])) + 1
        yield groups.courses[low:end], later[low:high]
        low = high


def count_pairs(
    courses: NDArray[np.int32], later: NDArray[np.int64], n_courses: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count how often each pair of courses shares a group.

    Parameters
    ----------
    courses
        Members of groups, one group after the other.
    later
        For each of the first ``len(later)`` members, how many that follow it
        it is paired with.
    n_courses
        Courses of the instance.

    Returns
    -------
    tuple of arrays
        Keys ``first * n_courses + second`` with ``first < second``, sorted and
        unique, and their counts.
    """
    first = np.repeat(np.arange(len(later)), later)
    begin = np.repeat(np.cumsum(later) - later, later)
    second = first + 1 + np.arange(len(first)) - begin
    one, other = courses[first].astype(np.int64), courses[second].astype(np.int64)
    keys = np.minimum(one, other) * n_courses + np.maximum(one, other)
    return np.unique(keys[one != other], return_counts=True)


def constraint_graph(
    lectures: NDArray[np.int32],
    parts: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> WeightedGraph:
    """Join what `count_pairs` returned for each chunk to the graph of courses that must not meet.

    The weight of an edge is the number of curricula and teachers that its
    courses share, times the lectures of the course that has fewer: the most
    periods in which the two can clash, counted once for everyone who minds.

    Parameters
    ----------
    lectures
        Lectures of each course, which are the sizes of the graph's nodes, shape
        (n_courses,).
    parts
        What `count_pairs` returned.
    """
    listed = list(parts) or [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    keys, place = np.unique(np.concatenate([key for key, _ in listed]), return_inverse=True)
    counts = np.bincount(place, np.concatenate([count for _, count in listed]), len(keys))
    first, second = np.divmod(keys, max(1, len(lectures)))
    weight = counts.astype(np.int64) * np.minimum(lectures[first], lectures[second])
    return WeightedGraph(lectures, first.astype(np.int32), second.astype(np.int32), weight)
