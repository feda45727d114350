"""The graph of courses that must not meet, built in chunks by NumPy.

What runs on an executor is a module-level function of arrays and numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True)
class ConstraintGraph:
    """Weighted graph of courses; an edge joins two that may not share a period.

    The weight of an edge is the number of curricula and teachers that its
    courses share, times the lectures of the course that has fewer: the most
    periods in which the two can clash, counted once for everyone who minds.

    Attributes
    ----------
    lectures
        Lectures of each course, shape (n_courses,).
    first, second
        Ends of each edge, ``first < second``, sorted, shape (n_edges,).
    weight
        Weight of each edge, shape (n_edges,).
    """

    lectures: NDArray[np.int32]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    weight: NDArray[np.int64]

    @classmethod
    def of_pairs(
        cls,
        lectures: NDArray[np.int32],
        parts: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]],
    ) -> ConstraintGraph:
        """Join what `count_pairs` returned for each chunk."""
        listed = list(parts) or [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        keys, place = np.unique(np.concatenate([key for key, _ in listed]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([count for _, count in listed]), len(keys))
        first, second = np.divmod(keys, max(1, len(lectures)))
        weight = counts.astype(np.int64) * np.minimum(lectures[first], lectures[second])
        return cls(lectures, first.astype(np.int32), second.astype(np.int32), weight)

    def within(self, courses: NDArray[np.intp]) -> ConstraintGraph:
        """Return the graph of some courses, numbered anew from 0 in their order."""
        place = np.full(len(self.lectures), -1, np.int32)
        place[courses] = np.arange(len(courses), dtype=np.int32)
        first, second = place[self.first], place[self.second]
        inside = (first >= 0) & (second >= 0)
        return ConstraintGraph(
            self.lectures[courses], first[inside], second[inside], self.weight[inside]
        )

    def parts(self, clusters: NDArray[np.int32]) -> list[tuple[NDArray[np.intp], ConstraintGraph]]:
        """Cut the graph along a partition, in one pass however many clusters there are.

        Parameters
        ----------
        clusters
            Cluster of each course, numbered from 0, shape (n_courses,).

        Returns
        -------
        list of tuples
            For each cluster its courses, ascending, and their graph, numbered as
            by `within`.
        """
        count = int(clusters.max()) + 1
        order = np.argsort(clusters, kind="stable")
        cuts = np.searchsorted(clusters[order], np.arange(1, count))
        members = np.split(order, cuts)
        place = np.empty(len(clusters), np.int32)
        place[order] = np.concatenate([np.arange(len(own)) for own in members])
        inside = np.flatnonzero(clusters[self.first] == clusters[self.second])
        cluster_of = clusters[self.first[inside]]
        edges = inside[np.argsort(cluster_of, kind="stable")]
        edge_cuts = np.searchsorted(np.sort(cluster_of), np.arange(1, count))
        return [
            (
                own,
                ConstraintGraph(
                    self.lectures[own],
                    place[self.first[within]],
                    place[self.second[within]],
                    self.weight[within],
                ),
            )
            for own, within in zip(members, np.split(edges, edge_cuts), strict=True)
        ]

    def modularity(self, clusters: NDArray[np.int32]) -> float | None:
        """Newman's modularity of a partition; None for a graph without edges.

        Parameters
        ----------
        clusters
            Cluster of each course, shape (n_courses,).

        References
        ----------
        M. E. J. Newman, M. Girvan, *Finding and evaluating community structure
        in networks*, Physical Review E 69, 026113, 2004.
        """
        total = float(self.weight.sum())
        if total == 0:
            return None
        one, other = clusters[self.first], clusters[self.second]
        inside = float(self.weight[one == other].sum())
        count = int(clusters.max()) + 1
        degree = np.bincount(one, self.weight, count) + np.bincount(other, self.weight, count)
        return inside / total - float(((degree / (2 * total)) ** 2).sum())
