"""What CP-SAT is asked: periods for the lectures of some courses, the others fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...ragged import ranges
from ..constraints.registry import cost_in_periods
from .constraint_graph import CourseGroups

if TYPE_CHECKING:
    from ..model.formulation import Formulation
    from ..model.instance import Instance

# Price of a room set that may not be exceeded.
HARD = -1

# Of the courses' own sets of suitable rooms the smallest matter most; a large
# instance has too many to watch all.
MOST_OWN_SETS = 200


@dataclass(frozen=True, slots=True)
class Prices:
    """What a unit of each soft constraint costs; 0 leaves it out of the model."""

    min_working_days: int = 0
    isolated: int = 0
    windows: int = 0
    load: int = 0
    double: int = 0
    capacity: int = 0
    suitability: int = 0

    @classmethod
    def of(cls, formulation: Formulation) -> Prices:
        """Take a formulation's weights; what depends on single rooms is left out."""
        weights = formulation.weights
        hard = "RoomSuitability" in formulation.hard
        return cls(
            min_working_days=weights.get("MinWorkingDays", 0),
            isolated=weights.get("IsolatedLectures", 0),
            windows=weights.get("Windows", 0),
            load=weights.get("StudentMinMaxLoad", 0),
            double=weights.get("DoubleLectures", 0),
            capacity=weights.get("RoomCapacity", 0),
            suitability=HARD if hard else weights.get("RoomSuitability", 0),
        )

    @property
    def of_curricula(self) -> bool:
        """Whether some price depends on a curriculum's day."""
        return bool(self.isolated or self.windows or self.load)


@dataclass(frozen=True, slots=True)
class RoomSets:
    """For each set of rooms, the courses that need one of it, and how many are free.

    Attributes
    ----------
    members
        Whether a course needs a room of the set, shape (n_sets, n_courses).
    limits
        Rooms of the set that are free, shape (n_sets, n_periods).
    prices
        Cost of each lecture beyond the limit, or `HARD`, shape (n_sets,).
    """

    members: NDArray[np.bool_]
    limits: NDArray[np.int32]
    prices: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PeriodProblem:
    """Choose periods for the lectures of n courses; quick to pickle.

    Attributes
    ----------
    days, periods_per_day
        The week.
    lectures, min_days
        Lectures and minimum working days of each course, shape (n,).
    double
        Whether a course asks for double lectures, shape (n,).
    allowed
        Periods that a course may enter, shape (n, n_periods).
    hint
        Periods of the timetable to start from, shape (n, n_periods).
    groups
        Sets of courses of which at most one may have a lecture in a period.
    room_limits
        Rooms that are free, shape (n_periods,).
    room_sets
        Subsets of the rooms that some courses need.
    curricula
        Courses of each curriculum that are to be placed, as index arrays.
    elsewhere
        Whether a curriculum's other courses have a lecture, shape
        (n_curricula, n_periods).
    curriculum_weights
        How many curricula each of them stands for, shape (n_curricula,).
    min_load, max_load
        Bounds of a curriculum's lectures a day.
    prices
        The soft constraints.
    period_costs
        What a lecture of each course costs in each period besides, shape (n, n_periods);
        None for nothing.
    """

    days: int
    periods_per_day: int
    lectures: NDArray[np.int32]
    min_days: NDArray[np.int32]
    double: NDArray[np.bool_]
    allowed: NDArray[np.bool_]
    hint: NDArray[np.bool_]
    groups: Sequence[NDArray[np.int32]]
    room_limits: NDArray[np.int32]
    room_sets: RoomSets
    curricula: Sequence[NDArray[np.int32]]
    elsewhere: NDArray[np.bool_]
    curriculum_weights: NDArray[np.int64]
    min_load: int
    max_load: int
    prices: Prices
    period_costs: NDArray[np.int64] | None = None

    @property
    def n_periods(self) -> int:
        """Periods of the week."""
        return self.days * self.periods_per_day


class PeriodRelaxation:
    """An instance without its rooms, of which there are only as many: it makes period problems.

    Parameters
    ----------
    instance, formulation
        What to solve.
    """

    def __init__(self, instance: Instance, formulation: Formulation) -> None:
        self.instance = instance
        self.formulation = formulation
        self.groups = CourseGroups.of(instance)
        self.prices = Prices.of(formulation)
        self._period_costs = cost_in_periods(instance, formulation.weights)
        self._needs: list[tuple[int, NDArray[np.bool_], int]] = []
        self._suitable_bits = _packed(instance.suitable)
        if self.prices.suitability:
            bits = self._suitable_bits
            # As one opaque value a row: far quicker than to compare them column by column.
            rows = bits.view(np.dtype((np.void, bits.strides[0]))).reshape(-1)
            _, first = np.unique(rows, return_index=True)
            sizes = instance.suitable[first].sum(axis=1)
            smallest = np.argsort(sizes, kind="stable")[:MOST_OWN_SETS]
            for course in first[smallest[sizes[smallest] < instance.n_rooms]]:
                self.add_scarce_rooms(instance.suitable[course])
        if self.prices.capacity:
            self._add_capacities()

    def add_scarce_rooms(self, rooms: NDArray[np.bool_]) -> None:
        """Let every later problem hold the lectures that only these rooms suit to their number.

        Parameters
        ----------
        rooms
            Whether a room is in the set, shape (n_rooms,).
        """
        need = np.logical_not((self._suitable_bits & ~_packed(rooms[None])).any(axis=1))
        self._needs.append((int(rooms.sum()), need, self.prices.suitability))

    def _add_capacities(self) -> None:
        """Hold large courses to the number of large rooms, for each size of room."""
        students, capacity = self.instance.course_students, self.instance.room_capacity
        sizes = np.unique(capacity)
        for size, larger in zip(sizes[:-1].tolist(), sizes[1:].tolist(), strict=True):
            need = students > size
            if need.any():
                lacking = float((np.minimum(students[need], larger) - size).mean())
                price = max(1, round(lacking)) * self.prices.capacity
                self._needs.append((int((capacity > size).sum()), need, price))

    def whole(self, placed: NDArray[np.bool_]) -> PeriodProblem:
        """Ask for a feasible timetable of all courses, whatever it costs."""
        return self.feasible(np.arange(self.instance.n_courses), placed)

    def feasible(self, courses: NDArray[np.intp], placed: NDArray[np.bool_]) -> PeriodProblem:
        """Ask for periods for some courses without a conflict, whatever they cost.

        Parameters
        ----------
        courses
            Courses to place; all others stay where they are.
        placed
            The timetable as it is, shape (n_courses, n_periods).
        """
        hard = Prices(suitability=min(self.prices.suitability, 0))
        return self._restrict(courses, placed, hard, 1, 0)

    def part(
        self, courses: NDArray[np.intp], placed: NDArray[np.bool_], parts: int = 1, index: int = 0
    ) -> PeriodProblem:
        """Ask for better periods for some courses, all others staying where they are.

        Parameters
        ----------
        courses
            Courses to place.
        placed
            The timetable as it is, shape (n_courses, n_periods).
        parts, index
            When several parts without a conflict between them are solved at the
            same time, their number and which one this is: each may take its
            share of the rooms that are free.
        """
        return self._restrict(courses, placed, self.prices, parts, index)

    def _restrict(
        self,
        courses: NDArray[np.intp],
        placed: NDArray[np.bool_],
        prices: Prices,
        parts: int,
        index: int,
    ) -> PeriodProblem:
        instance = self.instance
        place = np.full(instance.n_courses, -1, np.int32)
        place[courses] = np.arange(len(courses), dtype=np.int32)
        fixed = placed.copy()
        fixed[courses] = False
        share = _Share(parts, index)
        curricula, elsewhere, weights = [], np.zeros((0, instance.n_periods), bool), _NO_WEIGHTS
        if prices.of_curricula:
            curricula, elsewhere, weights = self._curricula(place, fixed)
        return PeriodProblem(
            days=instance.days,
            periods_per_day=instance.periods_per_day,
            lectures=instance.course_lectures[courses],
            min_days=instance.course_min_days[courses],
            double=instance.course_double[courses],
            allowed=instance.available[courses] & ~self._blocked(courses, fixed),
            hint=placed[courses],
            groups=self._groups_within(place),
            room_limits=share.limit(
                instance.n_rooms, placed.sum(axis=0), placed[courses].sum(axis=0)
            ),
            room_sets=self._room_sets(courses, placed, prices, share),
            curricula=curricula,
            elsewhere=elsewhere,
            curriculum_weights=weights,
            min_load=instance.min_load,
            max_load=instance.max_load,
            prices=prices,
            period_costs=None if self._period_costs is None else self._period_costs[courses],
        )

    def _blocked(self, courses: NDArray[np.intp], fixed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mark the periods in which a fixed course conflicts with each course."""
        starts = self.instance.conflict_starts
        counts = starts[courses + 1] - starts[courses]
        rows = np.repeat(np.arange(len(courses)), counts)
        others = self.instance.conflict_courses[ranges(starts[courses], counts)]
        blocked = np.zeros((len(courses), self.instance.n_periods), bool)
        np.logical_or.at(blocked, rows, fixed[others])
        return blocked

    def _groups_within(self, place: NDArray[np.int32]) -> list[NDArray[np.int32]]:
        """Restrict the groups, and drop those that lie within another one."""
        members = place[self.groups.courses]
        group = np.repeat(np.arange(len(self.groups.starts) - 1), np.diff(self.groups.starts))
        group, members = group[members >= 0], members[members >= 0]
        cuts = np.flatnonzero(np.diff(group)) + 1
        sets = {frozenset(part.tolist()) for part in np.split(members, cuts) if len(part) > 1}
        kept: list[frozenset[int]] = []
        by_course: dict[int, list[frozenset[int]]] = {}
        for one in sorted(sets, key=lambda s: (-len(s), sorted(s))):
            fewest = min(one, key=lambda course: (len(by_course.get(course, ())), course))
            if any(one <= other for other in by_course.get(fewest, ())):
                continue
            kept.append(one)
            for course in one:
                by_course.setdefault(course, []).append(one)
        return [np.array(sorted(one), np.int32) for one in kept]

    def _curricula(
        self, place: NDArray[np.int32], fixed: NDArray[np.bool_]
    ) -> tuple[list[NDArray[np.int32]], NDArray[np.bool_], NDArray[np.int64]]:
        """Restrict the curricula, those that come out alike as one with a weight."""
        instance = self.instance
        sizes = np.diff(instance.curriculum_starts)
        curriculum = np.repeat(np.arange(instance.n_curricula), sizes)
        members = place[instance.curriculum_courses]
        concerned = np.zeros(instance.n_curricula, bool)
        concerned[curriculum[members >= 0]] = True
        elsewhere = np.zeros((instance.n_curricula, instance.n_periods), bool)
        outside = concerned[curriculum] & (members < 0)
        np.logical_or.at(
            elsewhere, curriculum[outside], fixed[instance.curriculum_courses[outside]]
        )
        alike: dict[tuple[tuple[int, ...], bytes], list[int]] = {}
        for c in np.flatnonzero(concerned).tolist():
            low, high = instance.curriculum_starts[c], instance.curriculum_starts[c + 1]
            own = tuple(sorted(m for m in members[low:high].tolist() if m >= 0))
            alike.setdefault((own, elsewhere[c].tobytes()), []).append(c)
        return (
            [np.array(own, np.int32) for own, _ in alike],
            elsewhere[[same[0] for same in alike.values()]],
            np.array([len(same) for same in alike.values()], np.int64),
        )

    def _room_sets(
        self,
        courses: NDArray[np.intp],
        placed: NDArray[np.bool_],
        prices: Prices,
        share: _Share,
    ) -> RoomSets:
        """Collect the sets of rooms that the courses could fill."""
        limits, members, costs = [], [], []
        for rooms, need, price in self._needs:
            own = courses[need[courses]]
            if price > 0 and not prices.capacity:
                continue
            limit = share.limit(rooms, placed[need].sum(axis=0), placed[own].sum(axis=0))
            if len(own) > limit.min():
                limits.append(limit)
                members.append(need[courses])
                costs.append(price)
        return RoomSets(
            np.array(members, bool).reshape(len(costs), len(courses)),
            np.array(limits, np.int32).reshape(len(costs), placed.shape[1]),
            np.array(costs, np.int64),
        )


def _packed(table: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack each row into words of 64 bits, in the order of the rows as strings of bits."""
    octets = np.packbits(table, axis=1)
    padded = np.zeros((len(table), -(-octets.shape[1] // 8) * 8), np.uint8)
    padded[:, : octets.shape[1]] = octets
    return padded.view(np.uint64)


_NO_WEIGHTS = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class _Share:
    """One of several parts that share what is free."""

    parts: int
    index: int

    def limit(
        self, rooms: int, total: NDArray[np.integer], own: NDArray[np.integer]
    ) -> NDArray[np.int32]:
        """Rooms that this part may fill in each period: those it fills and its share.

        Where lectures exceed a set of rooms, its share of the excess lowers the limit.

        Parameters
        ----------
        rooms
            Rooms that there are.
        total, own
            Lectures of all courses and of this part's in each period.
        """
        free = rooms - total
        # The odd rooms go round, so that no part is left without any.
        odd = (self.index + np.arange(len(free))) % self.parts < free % self.parts
        return np.maximum(own + free // self.parts + odd, 0).astype(np.int32)
