"""Timetables as individuals of the genetic algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...problem import AnnealNeeds, Cooling, Genes
from ...tasks.stop_flag import StopFlag
from ...tasks.task import Task
from ..model.solution import Solution
from ..search import (
    Schedule,
    Timetable,
    build_timetable,
    cluster_costs,
    cross,
    random_state,
    start_anneal,
)
from ..search.building.greedy import greedy_timetable
from .timetable_anneal import TimetableAnneal, schedule_values

if TYPE_CHECKING:
    from ..timetable_problem import TimetableProblem

# What a moved lecture may win at most, on average over the courses of a usual instance.
USUAL_GAIN = 33.0
# Chains are proposed as many times as often as it is more, but no more than this.
MOST_CHAINS = 1.7

# Moves of all anneals together in a step, on an instance of few lectures; of twice the
# lectures of a large one, half as many, since each move takes longer.
STEP_MOVES = 2_400_000
LARGE = 15_000

# What placing or crossing and counting a lecture takes.
SECONDS_OF_A_LECTURE = 1e-4


class TimetableBreeding:
    """Timetables that the search anneals and crosses; a `schoolbell.stages.problem.Breeding`.

    Parameters
    ----------
    problem
        The instance.
    """

    needs = AnnealNeeds()

    def __init__(self, problem: TimetableProblem) -> None:
        self.instance = problem.instance
        self.problem = search = problem.search
        gain = search.gain
        #: How many times more a lecture can win than on a usual instance.
        self.scale = max(1.0, float(gain.mean()) / USUAL_GAIN) if len(gain) else 1.0
        self._seconds = SECONDS_OF_A_LECTURE * self.instance.n_lectures

    @property
    def n_nodes(self) -> int:
        """Courses."""
        return len(self.problem.students)

    @property
    def genes(self) -> dict[str, tuple[int, int, int]]:
        """Period and room of each lecture, -1 without a place."""
        lectures = len(self.problem.course)
        return {
            "period": (lectures, -1, len(self.problem.day)),
            "room": (lectures, -1, len(self.problem.capacity)),
        }

    @property
    def step_moves(self) -> float:
        """Moves of all anneals together in a step."""
        return STEP_MOVES / (1.0 + len(self.problem.course) / LARGE)

    def of_solution(self, solution: Solution) -> Genes:
        """Return a timetable's periods and rooms."""
        return _genes(*solution.lecture_arrays())

    def solution(self, genes: Genes) -> Solution:
        """Return the timetable."""
        return Solution.of_lectures(self.instance, genes["period"].copy(), genes["room"].copy())

    def found(self, rng: np.random.Generator, flag: StopFlag) -> Task:
        """Place the lectures one by one."""

        def genes(arrays: Any) -> Genes:
            return _genes(*arrays)

        return Task(greedy_timetable, (self.instance, rng), genes, self._seconds)

    def part_costs(
        self, genes: Genes, clusters: NDArray[np.int64], count: int, violation: float
    ) -> NDArray[np.float64]:
        """Share a timetable's cost out to clusters of courses."""
        timetable = build_timetable(self.problem, genes["period"], genes["room"])
        return cluster_costs(self.problem, timetable, clusters, count, violation)

    def cross(
        self,
        first: Genes,
        second: Genes,
        chosen: NDArray[np.bool_],
        seed: np.random.SeedSequence,
        violation: float,
    ) -> Task:
        """Take some courses from the second timetable."""

        def genes(child: Timetable) -> Genes:
            return _genes(child.period, child.room)

        parents = ((one["period"], one["room"]) for one in (first, second))
        arguments = self.problem, *parents, chosen, random_state(seed), violation
        return Task(cross, arguments, genes, self._seconds)

    def distance(self, one: Genes, other: Genes) -> float:
        """Part of the lectures that are in another period."""
        differences = np.count_nonzero(self._occupied(one) != self._occupied(other))
        return differences / (2 * max(len(self.problem.course), 1))

    def _occupied(self, genes: Genes) -> NDArray[np.bool_]:
        """Tell the periods in which each course has a lecture."""
        n_courses, n_periods = self.problem.available.shape
        occupied = np.zeros((n_courses, n_periods + 1), np.bool_)
        occupied[self.problem.course, genes["period"]] = True
        return occupied[:, :n_periods]

    def anneal(
        self, genes: Genes, cooling: Cooling, seed: np.random.SeedSequence
    ) -> TimetableAnneal:
        """Begin to anneal a timetable."""
        values = schedule_values(cooling.end, cooling.kempe, cooling.violation, self._chains)
        schedule = Schedule(start=cooling.start, moves=cooling.moves, **values)
        rng = random_state(seed)
        anneal = start_anneal(self.problem, genes["period"], genes["room"], schedule, rng)
        return TimetableAnneal(self.problem, anneal, schedule, self._chains)

    def load_anneal(self, state: dict[str, Any]) -> TimetableAnneal:
        """Go on where an anneal was."""
        return TimetableAnneal.of_state(self.problem, state, self._chains)

    @property
    def _chains(self) -> float:
        return min(self.scale, MOST_CHAINS)


def _genes(period: NDArray[Any], room: NDArray[Any]) -> Genes:
    return {"period": period, "room": room}
