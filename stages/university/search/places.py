"""Timetables between the kernels' rows and solutions."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from ..model.solution import Solution

if TYPE_CHECKING:
    from ..reduction.reduction import Reduction
    from .search_problem import SearchProblem


class Places(NamedTuple):
    """Where all classes and students are.

    Attributes
    ----------
    row, option
        Row of each class's time and room option; -1 for no room.
    bundle
        Bundle of each demand.
    """

    row: NDArray[np.int64]
    option: NDArray[np.int64]
    bundle: NDArray[np.int64]


class Translation:
    """Turns solutions of an instance into `Places` of its reduction, and back.

    To another process it goes without the instance, whose many objects take long to
    pickle: there only `problem` is of use. What comes back from there is the one that
    was sent.

    Parameters
    ----------
    reduction
        The instance and what is left of it.
    problem
        What is left, as the kernels take it.
    """

    def __init__(self, reduction: Reduction, problem: SearchProblem) -> None:
        self.reduction = reduction
        self.problem = problem
        self._name = uuid4().hex
        _KNOWN[self._name] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return _known, (self._name, self.problem)

    @cached_property
    def _original_times(self) -> NDArray[np.int64]:
        """Position of each row's time among the times of its class in the original."""
        found = []
        pairs = zip(self.reduction.original.classes, self.reduction.instance.classes, strict=True)
        for old, new in pairs:
            at = {time: position for position, time in enumerate(old.times)}
            found += [at[time] for time in new.times]
        return np.array(found, np.int64)

    def solution(self, places: Places) -> Solution:
        """Return the solution of the original instance."""
        problem = self.problem
        rooms = np.append(problem.room, -1)[places.option]
        return Solution(
            self.reduction.original,
            self._original_times[places.row],
            rooms.astype(np.int64),
            self.enrolments(places.bundle),
        )

    def enrolments(self, bundle: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return students and their classes, (n, 2)."""
        starts = self.problem.bundle_starts
        sizes = (starts[1:] - starts[:-1])[bundle]
        students = np.repeat(self.problem.demand_student, sizes)
        ends = np.cumsum(sizes)
        within = np.arange(len(students)) - np.repeat(ends - sizes, sizes)
        classes = self.problem.bundle_classes[np.repeat(starts[bundle], sizes) + within]
        return np.stack([students, classes], axis=1).astype(np.int64)

    def places(self, solution: Solution, rng: np.random.Generator | None = None) -> Places:
        """Return where all is in a solution of the original.

        What it lacks, or has against the lists, is the first that there is, or drawn.
        """
        shrunk = self.reduction.shrink(solution)
        drawn = self.draw(np.random.default_rng(0) if rng is None else rng)
        problem = self.problem
        row = np.where(shrunk.times >= 0, problem.time_starts[:-1] + shrunk.times, drawn.row)
        option = drawn.option
        for k, room in enumerate(shrunk.rooms.tolist()):
            first, last = problem.room_starts[k : k + 2]
            here = np.flatnonzero(problem.room[first:last] == room)
            if len(here):
                option[k] = first + here[0]
        return Places(row.astype(np.int64), option, self._bundles(shrunk, drawn.bundle))

    def _bundles(self, solution: Solution, drawn: NDArray[np.int64]) -> NDArray[np.int64]:
        problem = self.problem
        attended: list[set[int]] = [set() for _ in solution.instance.students]
        for student, k in solution.enrolments.tolist():
            attended[student].add(k)
        known: dict[int, tuple[set[int], dict[frozenset[int], int]]] = {}
        bundle = drawn.copy()
        pairs = zip(problem.demand_course.tolist(), problem.demand_student.tolist(), strict=True)
        for demand, (course, student) in enumerate(pairs):
            if course not in known:
                known[course] = self._of_course(course)
            classes, bundles = known[course]
            mine = frozenset(attended[student] & classes)
            if mine in bundles:
                bundle[demand] = bundles[mine]
        return bundle

    def _of_course(self, course: int) -> tuple[set[int], dict[frozenset[int], int]]:
        problem = self.problem
        bundles = {}
        for at in range(*problem.course_starts[course : course + 2].tolist()):
            rows = slice(*problem.bundle_starts[at : at + 2].tolist())
            bundles[frozenset(problem.bundle_classes[rows].tolist())] = at
        return {k for one in bundles for k in one}, bundles

    def draw(self, rng: np.random.Generator) -> Places:
        """Draw a place for each class, in no closed room, and a bundle for each demand."""
        problem = self.problem
        row = _draw(problem.time_starts, rng)
        option = _draw(problem.room_starts, rng)
        for k in np.flatnonzero(option >= 0).tolist():
            n_rooms = problem.room_starts[k + 1] - problem.room_starts[k]
            table = slice(*problem.closed_starts[k : k + 2].tolist())
            closed = problem.closed[table].reshape(-1, n_rooms)
            places = np.argwhere(closed == 0)
            here = row[k] - problem.time_starts[k], option[k] - problem.room_starts[k]
            if closed[here] and len(places):
                time, room = places[rng.integers(len(places))]
                row[k] = problem.time_starts[k] + time
                option[k] = problem.room_starts[k] + room
        bundle = _draw(problem.course_starts, rng)[problem.demand_course]
        return Places(row, option, bundle)

    def check(self, places: Places) -> None:
        """Raise a ValueError for places that are not those of this instance."""
        problem = self.problem
        starts = {
            "row": (problem.time_starts[:-1], problem.time_starts[1:]),
            "option": (problem.room_starts[:-1], problem.room_starts[1:]),
            "bundle": (
                problem.course_starts[problem.demand_course],
                problem.course_starts[problem.demand_course + 1],
            ),
        }
        for name, (first, end) in starts.items():
            values = np.asarray(getattr(places, name))
            is_whole = np.issubdtype(values.dtype, np.integer) and values.shape == first.shape
            none = (first == end) & (values == -1) if is_whole else False
            if not is_whole or not np.all(none | ((values >= first) & (values < end))):
                raise ValueError(f"{name} must be an option of each class or demand")


_KNOWN: WeakValueDictionary[str, Translation] = WeakValueDictionary()


def _known(name: str, problem: SearchProblem) -> Translation:
    """Return the translation that has been sent away from here, or one that knows no instance."""
    translation = _KNOWN.get(name)
    if translation is None:
        translation = Translation.__new__(Translation)
        translation.problem = problem
        translation._name = name
    return translation


def _draw(starts: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw one of each group's rows; -1 of an empty one."""
    sizes = np.diff(starts)
    drawn = starts[:-1] + rng.integers(0, np.maximum(sizes, 1))
    return np.where(sizes > 0, drawn, -1).astype(np.int64)
