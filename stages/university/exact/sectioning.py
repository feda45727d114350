"""Students sectioned one by one into classes whose times and rooms are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...exact.solver import solve_unless_stopped, solver_of
from ...problem import SolveLimits
from ...tasks.stop_flag import StopFlag
from ..model.instance import Instance
from ..search.bundles import course_bundles
from .option_costs import Places
from .rule_book import RuleBook

# CP-SAT's deterministic time for how many students of a course take which bundle.
EFFORT = 2.0


@dataclass(frozen=True, eq=False)
class CourseWays:
    """The ways to take a course.

    Attributes
    ----------
    classes
        Its classes that are in any of them, ascending.
    member
        Whether a class is in a way, (ways, classes).
    """

    classes: NDArray[np.int64]
    member: NDArray[np.int64]

    @classmethod
    def of(cls, bundles: list[tuple[int, ...]]) -> CourseWays:
        """Lay out the bundles of a course."""
        classes = np.unique([k for bundle in bundles for k in bundle]).astype(np.int64)
        member = np.zeros((len(bundles), len(classes)), np.int64)
        for row, bundle in enumerate(bundles):
            member[row, np.searchsorted(classes, bundle)] = 1
        return cls(classes, member)


@dataclass(frozen=True, eq=False)
class Demands:
    """Which courses the students ask for.

    Attributes
    ----------
    students, courses
        Student and course of each demand, student by student.
    ways
        The ways to take each course; None for one that nobody asks for.
    """

    students: NDArray[np.int64]
    courses: NDArray[np.int64]
    ways: list[CourseWays | None]

    @classmethod
    def of(cls, instance: Instance) -> Demands:
        """Collect the demands of an instance's students."""
        pairs = [
            (s, instance.course_positions[course])
            for s, student in enumerate(instance.students)
            for course in student.courses
        ]
        rows = np.array(pairs, np.int64).reshape(-1, 2)
        wanted = set(rows[:, 1].tolist())
        ways = [
            CourseWays.of(course_bundles(instance, course)) if c in wanted else None
            for c, course in enumerate(instance.courses)
        ]
        return cls(rows[:, 0], rows[:, 1], ways)


def section(
    book: RuleBook, demands: Demands, places: Places, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Give each student classes of the courses asked for, within the classes' limits.

    Student by student with the fewest conflicts among the classes that are not full. Where
    that leaves somebody out, as many students as must be of that course take it another
    way.

    Returns
    -------
    array
        Rows ``(student, class)``.
    """
    return _Sectioning(book, demands, places).run(rng)


class _Sectioning:
    def __init__(self, book: RuleBook, demands: Demands, places: Places) -> None:
        self.book = book
        self.demands = demands
        self.places = places
        self.count = np.zeros(book.n_classes, np.int64)
        self.limit = book.tables.limit
        # The way of each demand, -1 while it has none.
        self.way = np.full(len(demands.students), -1)
        # Conflicts of each way in itself.
        self.own = [None if ways is None else self._own(ways) for ways in demands.ways]

    def run(self, rng: np.random.Generator) -> NDArray[np.int64]:
        demands = self.demands
        n_ways = np.array([0 if one is None else len(one.member) for one in demands.ways])
        order = np.lexsort((n_ways[demands.courses], demands.students))
        starts = np.flatnonzero(np.diff(demands.students[order], prepend=-1))
        by_student = np.split(order, starts[1:]) if len(order) else []
        left_out: dict[int, list[int]] = {}
        for s in rng.permutation(len(by_student)).tolist():
            attended = np.zeros(0, np.int64)
            for demand in by_student[s].tolist():
                course = int(demands.courses[demand])
                ways = demands.ways[course]
                assert ways is not None
                if not len(ways.member):
                    continue
                costs = self._costs(course, ways, attended)
                full = self.count[ways.classes] >= self.limit[ways.classes]
                costs[ways.member @ full > 0] = np.inf
                costs += ways.member @ (self.count / np.maximum(self.limit, 1))[ways.classes] / 99
                best = int(costs.argmin())
                if np.isfinite(costs[best]):
                    attended = np.concatenate([attended, self._take(demand, ways, best)])
                else:
                    left_out.setdefault(course, []).append(demand)
        for course, waiting in sorted(left_out.items()):
            self._make_room(course, waiting)
        return self._enrolments()

    def _own(self, ways: CourseWays) -> NDArray[np.float64]:
        late = np.triu(self._late(ways.classes, ways.classes), 1)
        return ((ways.member @ late) * ways.member).sum(axis=1).astype(np.float64)

    def _late(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which classes cannot be attended beside which others."""
        rows, rooms = self.places.rows, self.places.rooms
        gaps = self.book.gaps(rows[one][:, None], rows[other][None, :])
        late = gaps < self.book.travel[rooms[one][:, None], rooms[other]]
        return late & (rows[one][:, None] >= 0) & (rows[other] >= 0)

    def _costs(
        self, course: int, ways: CourseWays, attended: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        own = self.own[course]
        assert own is not None
        if not len(attended):
            return own.copy()
        return own + ways.member @ self._late(ways.classes, attended).sum(axis=1)

    def _take(self, demand: int, ways: CourseWays, way: int) -> NDArray[np.int64]:
        classes = ways.classes[ways.member[way] > 0]
        self.way[demand] = way
        self.count[classes] += 1
        return classes

    def _leave(self, demand: int, ways: CourseWays) -> None:
        self.count[ways.classes[ways.member[self.way[demand]] > 0]] -= 1
        self.way[demand] = -1

    def _make_room(self, course: int, waiting: list[int]) -> None:
        """Give each of those left out a way, and move the fewest others for it."""
        ways = self.demands.ways[course]
        assert ways is not None
        own = np.flatnonzero((self.demands.courses == course) & (self.way >= 0))
        taken = np.bincount(self.way[own], minlength=len(ways.member))
        wanted = _counts(ways.member, self.limit[ways.classes], taken, len(waiting))
        for way in np.flatnonzero(taken > wanted).tolist():
            moving = own[self.way[own] == way][: taken[way] - wanted[way]]
            for demand in moving.tolist():
                self._leave(demand, ways)
                waiting.append(demand)
        free = np.maximum(wanted - np.bincount(self.way[own][self.way[own] >= 0],
                                               minlength=len(wanted)), 0)  # fmt: skip
        for demand in waiting:
            costs = self._costs(course, ways, self._attended(demand))
            if free.any():
                costs[free == 0] = np.inf
            way = int(costs.argmin())
            free[way] = max(0, free[way] - 1)
            self._take(demand, ways, way)

    def _attended(self, demand: int) -> NDArray[np.int64]:
        student = self.demands.students[demand]
        low, high = np.searchsorted(self.demands.students, [student, student + 1])
        return self._classes(np.arange(low, high))[1]

    def _classes(self, demands: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        students, classes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for demand in demands[self.way[demands] >= 0].tolist():
            ways = self.demands.ways[int(self.demands.courses[demand])]
            assert ways is not None
            own = ways.classes[ways.member[self.way[demand]] > 0]
            classes.append(own)
            students.append(np.full(len(own), self.demands.students[demand]))
        return np.concatenate(students), np.concatenate(classes)

    def _enrolments(self) -> NDArray[np.int64]:
        columns = self._classes(np.arange(len(self.way)))
        rows = np.stack(columns, axis=1)
        return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def _counts(
    member: NDArray[np.int64], limit: NDArray[np.int64], taken: NDArray[np.int64], more: int
) -> NDArray[np.int64]:
    """Find how many students take each way if some more are to, near to how many do."""
    from ortools.sat.python.cp_model import CpModel

    model = CpModel()
    total = int(taken.sum()) + more
    counts = [model.new_int_var(0, total, "") for _ in taken]
    fewer = [model.new_int_var(0, int(one), "") if one else None for one in taken]
    lacking = model.new_int_var(0, more, "")
    model.add(sum(counts) + lacking == total)
    for k in range(len(limit)):
        model.add(sum(counts[w] for w in np.flatnonzero(member[:, k])) <= int(limit[k]))
    for count, less, now in zip(counts, fewer, taken.tolist(), strict=True):
        if less is not None:
            model.add(less >= now - count)
        model.add_hint(count, now)
    model.minimize(sum(less for less in fewer if less is not None) + 10 * total * lacking)
    found = solve_unless_stopped(solver_of(SolveLimits(EFFORT), 0, 1), model, StopFlag())
    return taken if found.values is None else found.values[: len(taken)]
