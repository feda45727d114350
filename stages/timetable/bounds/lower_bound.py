"""What every feasible timetable of an instance costs at least.

The constraints on rooms and those on periods are bounded apart and added up: no
unit of cost belongs to both. For the periods, the curricula are divided into
groups of few courses, and CP-SAT bounds what each group costs with all other
courses left out (after V. Cacchiani, A. Caprara, R. Roberti, P. Toth, *A new lower
bound for curriculum-based course timetabling*, Computers & OR 40, 2013, who split
the cost in the same two parts). A course's own cost is counted in the first group
that has it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...problem import SolveLimits
from ...tasks.stop_flag import StopFlag
from ..periods.period_model import least_cost
from ..periods.period_problem import PeriodProblem, Prices, RoomSets
from .room_bound import room_bound

if TYPE_CHECKING:
    from ..model.formulation import Formulation
    from ..model.instance import Instance

# Courses of a group: with more, CP-SAT seldom closes the gap in the time of a group.
COURSES_OF_A_GROUP = 6

# CP-SAT's deterministic time for one group, and how many groups are looked at.
EFFORT_OF_A_GROUP = 0.1
MOST_GROUPS = 150


def lower_bound(
    instance: Instance,
    formulation: Formulation,
    effort: float = 1.0,
    seconds: float | None = None,
    flag: StopFlag | None = None,
) -> int:
    """Return a cost that no timetable without violations goes below.

    Parameters
    ----------
    instance, formulation
        What is to be bounded.
    effort
        CP-SAT's deterministic time for all of it, about a second each; what
        there is no time for counts 0 or what is plain to see.
    seconds
        Wall time; None for no limit: then the bound is always the same.
    flag
        When set, the call returns soon with what it has.

    Returns
    -------
    int
        The bound, 0 or more; not always the best that can be proved.
    """
    flag = flag or StopFlag()
    deadline = None if seconds is None else time.monotonic() + seconds
    bound = room_bound(instance, formulation, SolveLimits(effort / 2, seconds), flag)
    prices = replace(Prices.of(formulation), capacity=0, suitability=0)
    days = _unavoidable_days(instance) * prices.min_working_days
    bound += int(days.sum())
    groups = _Groups(instance, prices)
    for group in groups:
        left = None if deadline is None else deadline - time.monotonic()
        if flag.is_set or effort <= 0 or (left is not None and left <= 0):
            break
        limits = SolveLimits(min(EFFORT_OF_A_GROUP, effort), left)
        cost, spent = least_cost(group.problem, limits, flag)
        effort -= spent
        # Days that are missing in any case are in the sum already.
        bound += max(0, cost - int(days[group.own].sum()))
    return bound


def _unavoidable_days(instance: Instance) -> NDArray[np.int64]:
    """Count the working days that each course lacks in every timetable."""
    open_days = instance.available.reshape(instance.n_courses, instance.days, -1).any(axis=2)
    most = np.minimum(instance.course_lectures, open_days.sum(axis=1))
    return np.maximum(instance.course_min_days - most, 0).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Group:
    """A part of the curricula: its problem, and the courses whose own cost it counts."""

    problem: PeriodProblem
    own: NDArray[np.intp]


class _Groups:
    """Divides the curricula into groups of few courses, those with most lectures first."""

    def __init__(self, instance: Instance, prices: Prices) -> None:
        self.instance = instance
        self.prices = prices
        starts, courses = instance.curriculum_starts, instance.curriculum_courses
        self.members = [
            frozenset(courses[low:high].tolist()) for low, high in pairwise(starts.tolist())
        ]
        lectures = instance.course_lectures
        size = [int(lectures[list(members)].sum()) for members in self.members]
        self.order = sorted(range(len(size)), key=lambda q: (-size[q], q))
        self.counted = np.zeros(instance.n_courses, bool)

    def __iter__(self) -> Iterator[_Group]:
        if not (self.prices.of_curricula or self.prices.min_working_days or self.prices.double):
            return
        left = dict.fromkeys(self.order)
        for _ in range(MOST_GROUPS):
            if not left:
                return
            curricula = self._next(left)
            courses = np.array(sorted(set().union(*(self.members[q] for q in curricula))), int)
            if len(courses):
                yield self._group(courses, curricula)

    def _next(self, left: dict[int, None]) -> list[int]:
        """Take the first curriculum and those that share most of their courses with it."""
        chosen = [next(iter(left))]
        del left[chosen[0]]
        courses = set(self.members[chosen[0]])
        near = [q for q in left if self.members[q] & courses]
        while near:
            best = min(near, key=lambda q: len(self.members[q] - courses))
            if len(courses | self.members[best]) > COURSES_OF_A_GROUP:
                break
            courses |= self.members[best]
            chosen.append(best)
            near.remove(best)
            del left[best]
        return chosen

    def _group(self, courses: NDArray[np.intp], curricula: list[int]) -> _Group:
        """Ask for periods of a group's courses as if there were no others."""
        instance = self.instance
        place = {course: i for i, course in enumerate(courses.tolist())}
        parts = [
            np.array(sorted(place[course] for course in self.members[q]), np.int32)
            for q in curricula
        ]
        mine = ~self.counted[courses]
        own = courses[mine]
        self.counted[courses] = True
        teachers = instance.course_teacher[courses]
        same = [np.flatnonzero(teachers == teacher) for teacher in np.unique(teachers)]
        n_periods = instance.n_periods
        problem = PeriodProblem(
            days=instance.days,
            periods_per_day=instance.periods_per_day,
            lectures=instance.course_lectures[courses],
            min_days=np.where(mine, instance.course_min_days[courses], 0).astype(np.int32),
            double=instance.course_double[courses] & mine,
            allowed=instance.available[courses],
            hint=np.zeros((len(courses), n_periods), bool),
            groups=[*parts, *(one.astype(np.int32) for one in same)],
            room_limits=np.full(n_periods, instance.n_rooms, np.int32),
            room_sets=_no_room_sets(len(courses), n_periods),
            curricula=parts,
            elsewhere=np.zeros((len(parts), n_periods), bool),
            curriculum_weights=np.ones(len(parts), np.int64),
            min_load=instance.min_load,
            max_load=instance.max_load,
            prices=self.prices,
        )
        return _Group(problem, own)


def _no_room_sets(n_courses: int, n_periods: int) -> RoomSets:
    members = np.zeros((0, n_courses), bool)
    return RoomSets(members, np.zeros((0, n_periods), np.int32), np.zeros(0, np.int64))
