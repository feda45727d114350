"""Timetables of universities as individuals of the genetic algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...problem import AnnealNeeds, Cooling, Genes, SolveLimits
from ...search.random import random_state
from ...tasks.stop_flag import StopFlag
from ...tasks.task import Task
from ..model.solution import Solution
from ..search.annealing import Schedule, start_anneal
from ..search.places import Places, Translation
from ..search.search_problem import dearest_change
from ..search.settling import MOVES_OF_A_CLASS, WARM, settle
from ..search.temperatures import smallest_change, usual_change
from ..search.timetable import COST, HARD
from .university_anneal import UniversityAnneal, timetable_of

if TYPE_CHECKING:
    from ..university_problem import UniversityProblem

# Moves of all anneals together in a step.
STEP_MOVES = 60_000

SECONDS_OF_A_CLASS = 1e-4

# What a founder may take to break no rule, in units of effort, and in moves: those of a large
# instance go on from where they are.
SETTLING, MOST_SETTLING = 2.5, 600_000

# What a violation may come to weigh: so many times more than any change can win, and no less.
MARGIN, LEAST_OF_MOST = 20.0, 1e6


class UniversityBreeding:
    """Timetables that the search anneals and crosses; a `schoolbell.stages.problem.Breeding`.

    First temperatures are multiples of `unit`, what a usual change of the instance costs;
    last ones are multiples of `quantum`, what the smallest does.

    Parameters
    ----------
    problem
        The instance.
    """

    #: Moves cost as much as in any instance: temperatures are multiples.
    scale = 1.0
    needs = AnnealNeeds(warm=1_500.0, hot=1_000.0, full=1_500.0, founders=1, child=1.5)

    def __init__(self, problem: UniversityProblem) -> None:
        self.problem = search = problem.search
        self.translation = Translation(problem.reduction, search)
        self.quantum = smallest_change(search)
        self.unit = usual_change(search, problem.instance)
        self._seconds = SECONDS_OF_A_CLASS * self.n_nodes

    @property
    def n_nodes(self) -> int:
        """Classes."""
        return len(self.problem.limit)

    @property
    def genes(self) -> dict[str, tuple[int, int, int]]:
        """Rows of each class's time and room option, -1 for no room, and each demand's bundle."""
        problem = self.problem
        return {
            "row": (self.n_nodes, 0, len(problem.time_id)),
            "option": (self.n_nodes, -1, max(len(problem.room), 0)),
            "bundle": (len(problem.demand_course), 0, len(problem.bundle_starts) - 1),
        }

    @property
    def step_moves(self) -> float:
        """Moves of all anneals together in a step."""
        return STEP_MOVES

    def of_solution(self, solution: Solution) -> Genes:
        """Return a timetable's rows and bundles."""
        return self.translation.places(solution)._asdict()

    def solution(self, genes: Genes) -> Solution:
        """Return the timetable, of the instance before its reduction."""
        return self.translation.solution(Places(**genes))

    def found(self, rng: np.random.Generator, flag: StopFlag) -> Task:
        """Search for a timetable without violations, in few moves: the anneal finds the rest."""
        most = MOST_SETTLING / (MOVES_OF_A_CLASS * self.n_nodes)
        limits = SolveLimits(min(SETTLING, most))
        arguments = self.translation, WARM * self.unit, rng, limits, flag
        return Task(_found, arguments, seconds=self._seconds)

    def part_costs(
        self, genes: Genes, clusters: NDArray[np.int64], count: int, violation: float
    ) -> NDArray[np.float64]:
        """Share a timetable's cost out to clusters of classes."""
        problem = self.problem
        own = timetable_of(problem, genes).own
        option = genes["option"]
        costs = own[:, HARD] * violation * self.unit + 0.5 * own[:, COST]
        costs += problem.time_cost[genes["row"]]
        costs += np.where(option >= 0, np.append(problem.room_cost, 0)[option], 0)
        shares: Any = np.bincount(clusters, costs, count)
        return shares

    def cross(
        self,
        first: Genes,
        second: Genes,
        chosen: NDArray[np.bool_],
        seed: np.random.SeedSequence,
        violation: float,
    ) -> Task:
        """Take some classes from the second timetable, and the students of their courses."""
        return Task(_cross, (self.problem, first, second, chosen), seconds=self._seconds)

    def distance(self, one: Genes, other: Genes) -> float:
        """Part of the classes that are at another time."""
        return float(np.mean(np.asarray(one["row"]) != np.asarray(other["row"])))

    def anneal(
        self, genes: Genes, cooling: Cooling, seed: np.random.SeedSequence
    ) -> UniversityAnneal:
        """Begin to anneal a timetable."""
        self.translation.check(Places(**genes))
        schedule = Schedule(
            start=cooling.start * self.unit,
            end=min(cooling.end * self.quantum, cooling.start * self.unit),
            moves=cooling.moves,
            chains=cooling.kempe,
            most=max(LEAST_OF_MOST, MARGIN * dearest_change(self.problem)),
        )
        timetable = timetable_of(self.problem, genes)
        anneal = start_anneal(timetable, schedule, random_state(seed))
        return UniversityAnneal(self.translation, timetable, anneal, schedule, self.quantum)

    def load_anneal(self, state: dict[str, Any]) -> UniversityAnneal:
        """Go on where an anneal was."""
        return UniversityAnneal.of_state(self.translation, state)


def _found(*arguments: Any) -> Genes:
    return settle(*arguments)._asdict()


def _cross(problem: Any, first: Genes, second: Genes, chosen: NDArray[np.bool_]) -> Genes:
    child = {
        name: np.where(chosen, second[name], first[name]).astype(np.int64)
        for name in ("row", "option")
    }
    # A course goes with the classes of its first bundle.
    heads = problem.bundle_classes[problem.bundle_starts[problem.course_starts[:-1]]]
    moved = chosen[heads][problem.demand_course]
    child["bundle"] = np.where(moved, second["bundle"], first["bundle"]).astype(np.int64)
    return child
