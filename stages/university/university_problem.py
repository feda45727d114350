"""A whole university as the engines take it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..clustering.weighted_graph import WeightedGraph
from ..repair.q_learner import QLearner
from ..tasks.task import Task
from .exact.class_division import ClassDivision
from .exact.class_graph import ClassGraph
from .repairing.repair_agent import ACTIONS, load_repair_agent, new_repair_agent

if TYPE_CHECKING:
    from .breeding.university_breeding import UniversityBreeding
    from .model.instance import Instance
    from .model.solution import Solution
    from .reduction.reduction import Reduction
    from .repairing.repair_environment import UniversityRepair
    from .search.search_problem import SearchProblem

MOVES_PER_SECOND = 3e5


class UniversityProblem:
    """An instance and its reduction, with all that `schoolbell.stages.problem` asks for.

    `LoadUniversity` leaves one on the state, as ``prepared``. Its nodes are the classes.

    Parameters
    ----------
    reduction
        The instance, and what is left of it to choose from.
    """

    __module__ = "schoolbell.stages.university"

    actions = ACTIONS

    def __init__(self, reduction: Reduction) -> None:
        self.reduction = reduction
        #: Moves that an anneal makes here in a second, once they were counted.
        self.measured_speed: float | None = None

    @property
    def original(self) -> Instance:
        """The instance as it was; solutions are of this one."""
        return self.reduction.original

    @property
    def instance(self) -> Instance:
        """The reduced instance."""
        return self.reduction.instance

    @cached_property
    def search(self) -> SearchProblem:
        """The reduced instance as arrays for the kernels."""
        # Here and not above: importing numba takes longer than all the rest of the package.
        from .search.search_problem import build_search_problem

        return build_search_problem(self.instance)

    @property
    def node_sizes(self) -> NDArray[np.int32]:
        """One of each class, (n_classes,)."""
        return np.ones(len(self.instance.classes), np.int32)

    def edge_tasks(self, chunk_size: int) -> Sequence[Task]:
        """List the pairs of classes with rules, scarce rooms or students in common, in chunks."""
        return self._graph.tasks(chunk_size)

    def join_edges(self, parts: Sequence[Any]) -> WeightedGraph:
        """Make the graph of classes that are in each other's way."""
        return self._graph.join(parts)

    @cached_property
    def _graph(self) -> ClassGraph:
        return ClassGraph(self.instance)

    def divide(self) -> ClassDivision:
        """Prepare for CP-SAT."""
        return ClassDivision(self.reduction, self.search)

    @property
    def n_items(self) -> int:
        """Classes."""
        return len(self.instance.classes)

    @property
    def moves_per_second(self) -> float:
        """At the speed of a mid-sized instance."""
        return MOVES_PER_SECOND

    def measure_speed(self) -> None:
        """Find out how fast the search is here, which takes some tenths of a second."""
        from .breeding.anneal_speed import anneal_speed

        self.measured_speed = anneal_speed(self)

    def breed(self) -> UniversityBreeding:
        """Prepare for the genetic algorithm."""
        from .breeding.university_breeding import UniversityBreeding

        return UniversityBreeding(self)

    def repair_environment(
        self, solution: Solution, violation: float, steps: int
    ) -> UniversityRepair:
        """Begin to repair a timetable."""
        from .repairing.repair_environment import UniversityRepair

        return UniversityRepair(self, solution, violation, steps)

    @staticmethod
    def repair_agent(path: str | os.PathLike[str] | None) -> QLearner:
        """Return the agent that a file holds; without one, one that knows nothing yet."""
        return new_repair_agent() if path is None else load_repair_agent(path)
