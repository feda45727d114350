"""How much the classes of a university are in each other's way, as a graph.

What runs on an executor is a function of this module or another, of arrays and numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...clustering.weighted_graph import WeightedGraph
from ...ragged import ranks, starts_of
from ...tasks.task import Task
from ...timetable.periods.constraint_graph import CourseGroups, constraint_graph, pair_chunks
from ..model.instance import Instance
from .expected_students import chunks, course_pairs, course_shares, expected_pairs

# A required rule counts as so many soft ones of the distributions' weight, a scarce room's
# pair as a part of one. Weights are whole numbers: all are multiplied.
REQUIRED, ROOM, SCALE = 20.0, 0.5, 10.0

# A class with more rooms to choose from finds one.
MOST_ROOMS = 3

# Of the classes that it shares students with, each class is joined to those it shares most with.
MOST_JOINED = 30

Edges = tuple[NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class ClassGraph:
    """The graph of an instance's classes, which is made in chunks.

    Parameters
    ----------
    instance
        Whose classes they are.
    """

    instance: Instance

    def tasks(self, chunk_size: int) -> list[Task]:
        """Cut the search for edges into tasks, each of about so many pairs of classes."""
        instance = self.instance
        n = len(instance.classes)
        found = []
        groups, weights = self._groups()
        members = CourseGroups(groups.starts, np.arange(len(groups.courses), dtype=np.int32))
        for at, later in pair_chunks(members, chunk_size):
            arguments = groups.courses[at], later, weights[at[: len(later)]], n
            found.append(Task(weigh_pairs, arguments))
        weight = instance.weights.student
        if not weight or not instance.students:
            return found
        starts, share, parent = course_shares(instance)
        tables = instance.tables
        structure = starts, share, tables.subpart, tables.configuration, parent
        for chunk in chunks(course_pairs(instance), starts, chunk_size):
            found.append(Task(weigh_students, (chunk, structure, weight, n)))
        return found

    def join(self, parts: Sequence[Edges]) -> WeightedGraph:
        """Make the graph of what all tasks gave."""
        sizes = np.ones(len(self.instance.classes), np.int32)
        whole = [(key, np.rint(SCALE * weight)) for key, weight in parts]
        return constraint_graph(sizes, [(key[some > 0], some[some > 0]) for key, some in whole])

    def _groups(self) -> tuple[CourseGroups, NDArray[np.float64]]:
        """Collect the distributions and the scarce rooms, with a weight for each member."""
        instance = self.instance
        unit = max(1, instance.weights.distribution)
        groups, weights = [], []
        for one in instance.distributions:
            classes = [instance.class_positions[name] for name in one.classes]
            cost = REQUIRED * unit if one.penalty is None else unit * one.penalty
            if len(classes) > 1 and cost:
                groups.append(classes)
                weights.append(min(cost, REQUIRED * unit))
        rooms = np.diff(instance.tables.room_starts)
        owner = np.repeat(np.arange(len(rooms)), rooms)
        few = rooms[owner] <= MOST_ROOMS
        for room in np.unique(instance.tables.room[few]).tolist():
            there = owner[few & (instance.tables.room == room)]
            # Of a room that hundreds may have no pair is much in each other's way.
            if 1 < len(there) <= 100:
                groups.append(there.tolist())
                weights.append(ROOM * unit)
        sizes = np.array([len(one) for one in groups], np.int64)
        members = np.array([k for one in groups for k in one], np.int32)
        return CourseGroups(starts_of(sizes), members), np.repeat(np.array(weights, float), sizes)


def weigh_pairs(
    classes: NDArray[np.int32], later: NDArray[np.int64], weights: NDArray[np.float64], n: int
) -> Edges:
    """Sum what the groups that each pair of classes shares weigh.

    Parameters
    ----------
    classes
        Members of groups, one group after the other.
    later
        For each of the first members, how many that follow it it is paired with.
    weights
        What its group weighs.
    n
        Classes of the instance.

    Returns
    -------
    tuple of arrays
        Keys ``first * n + second`` with ``first < second``, sorted and unique, and weights.
    """
    first = np.repeat(np.arange(len(later)), later)
    second = first + 1 + ranks(later)
    one, other = classes[first].astype(np.int64), classes[second].astype(np.int64)
    return _summed(np.minimum(one, other) * n + np.maximum(one, other), weights[first])


def weigh_students(
    chunk: tuple[NDArray[np.int64], ...], structure: tuple[NDArray, ...], weight: int, n: int
) -> Edges:
    """Weigh the students whom pairs of classes are expected to share."""
    first, second, students = chunk
    starts, share, subpart, configuration, parent = structure
    a, b, both = expected_pairs(
        first, second, students, starts, share, subpart, configuration, parent
    )
    mine, other = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((-both, mine))
    rank = ranks(np.diff(np.flatnonzero(np.diff(mine[order], prepend=-1, append=n))))
    kept = order[rank < MOST_JOINED]
    return _summed(mine[kept] * n + other[kept], weight * both[kept])


def _summed(keys: NDArray[np.int64], weights: NDArray[np.float64]) -> Edges:
    found, place = np.unique(keys, return_inverse=True)
    summed: Any = np.bincount(place, weights, len(found))
    return found, summed
