"""A timetabling problem as the engines take it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..repair.q_learner import QLearner
from ..tasks.task import Task
from .periods.constraint_graph import CourseGroups, constraint_graph, count_pairs, pair_chunks
from .periods.course_division import CourseDivision
from .repair_operators import OPERATORS

if TYPE_CHECKING:
    from ..clustering.weighted_graph import WeightedGraph
    from .breeding.timetable_breeding import TimetableBreeding
    from .model.formulation import Formulation
    from .model.instance import Instance
    from .model.solution import Solution
    from .search import SearchProblem
    from .search.repairing.repair_environment import RepairEnvironment

MOVES_PER_SECOND = 8e6


class TimetableProblem:
    """An instance under a formulation, with all that `schoolbell.stages.problem` asks for.

    `Load` leaves one on the state, as ``prepared``. Its nodes are the courses.

    Parameters
    ----------
    instance
        What is timetabled.
    formulation
        The constraints that count.
    """

    actions = OPERATORS
    #: Moves a second of an anneal on this machine; None until they are measured.
    measured_speed: float | None = None

    def __init__(self, instance: Instance, formulation: Formulation) -> None:
        self.instance = instance
        self.formulation = formulation

    @cached_property
    def search(self) -> SearchProblem:
        """The instance as arrays for the kernels."""
        # Here and not above: importing numba takes longer than all the rest of the package.
        from .search import build_search_problem

        return build_search_problem(self.instance, self.formulation)

    @property
    def node_sizes(self) -> NDArray[np.int32]:
        """Lectures of each course, (n_courses,)."""
        return self.instance.course_lectures

    def edge_tasks(self, chunk_size: int) -> Sequence[Task]:
        """List the pairs of courses that share a teacher or a curriculum, in chunks."""
        chunks = pair_chunks(CourseGroups.of(self.instance), chunk_size)
        n_courses = self.instance.n_courses
        return [Task(count_pairs, (*chunk, n_courses)) for chunk in chunks]

    def join_edges(self, parts: Sequence[Any]) -> WeightedGraph:
        """Make the graph of courses that must not meet."""
        return constraint_graph(self.instance.course_lectures, parts)

    def divide(self) -> CourseDivision:
        """Prepare for CP-SAT."""
        return CourseDivision(self.instance, self.formulation)

    @property
    def n_items(self) -> int:
        """Lectures."""
        return self.instance.n_lectures

    @property
    def moves_per_second(self) -> float:
        """At the speed of a mid-sized instance."""
        return MOVES_PER_SECOND

    def measure_speed(self) -> None:
        """Find out how fast the search is here, which takes some tenths of a second."""
        from .breeding.anneal_speed import anneal_speed

        self.measured_speed = anneal_speed(self)

    def breed(self) -> TimetableBreeding:
        """Prepare for the genetic algorithm."""
        from .breeding.timetable_breeding import TimetableBreeding

        return TimetableBreeding(self)

    def repair_environment(
        self, solution: Solution, violation: float, steps: int
    ) -> RepairEnvironment:
        """Begin to repair a timetable."""
        from .search.repairing.repair_environment import RepairEnvironment

        places = solution.lecture_arrays()
        return RepairEnvironment(self.search, *places, violation, steps, self.instance)

    @staticmethod
    def repair_agent(path: str | os.PathLike[str] | None) -> QLearner:
        """Return the agent that a file holds, or the one that comes with the package."""
        from .search.repairing.repair_agent import load_repair_agent, shipped_repair_agent

        return shipped_repair_agent() if path is None else load_repair_agent(path)
