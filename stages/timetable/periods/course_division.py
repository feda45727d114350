"""A timetable taken apart by courses, for CP-SAT: periods first, then rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...problem import SolveLimits
from ...tasks.stop_flag import StopFlag
from ...tasks.task import Task
from ..cost.evaluation import evaluate
from ..errors import TimetableError
from ..model.solution import Solution
from .draft import Draft
from .period_model import improve, place_all
from .period_problem import PeriodRelaxation

if TYPE_CHECKING:
    from ..model.formulation import Formulation
    from ..model.instance import Instance

# Below this many rooms all lectures get their rooms anew after a change, above it
# those that have moved: the work grows with the square of the rooms.
FEW_ROOMS = 300

# What placing a lecture greedily, or giving one a room, takes in seconds.
SECONDS_OF_A_LECTURE = 1e-4


@dataclass(frozen=True, slots=True)
class CourseDraft:
    """A timetable in which courses change their periods, and then get rooms.

    Attributes
    ----------
    division
        Of which it is.
    draft
        The periods and rooms.
    """

    division: CourseDivision
    draft: Draft

    @property
    def missing(self) -> int:
        """Lectures without a period or without a room."""
        return self.draft.missing

    def differs(self, courses: NDArray[np.intp], placed: NDArray[np.bool_]) -> bool:
        """Tell whether some courses are in other periods, (n, n_periods)."""
        return bool((placed != self.draft.placed[courses]).any())

    def change(self, changes: Sequence[tuple[NDArray[np.intp], NDArray[np.bool_]]]) -> Task:
        """Move some courses to new periods, and give rooms anew: all or those that may change."""
        from ..search.building.room_assignment import RoomProblem, assign_rooms

        instance, draft = self.division.instance, self.draft
        for courses, placed in changes:
            _check_flags(placed, (len(courses), instance.n_periods))
            draft = draft.change(courses, placed)
        if instance.n_rooms <= FEW_ROOMS:
            movable = np.ones(instance.n_lectures, np.bool_)
        else:
            moved = np.concatenate([courses for courses, _ in changes])
            movable = np.isin(instance.lecture_course, moved)
        problem = RoomProblem.of(instance, self.division.formulation)
        periods, rooms = draft.lecture_arrays()

        def with_rooms(assigned: NDArray[np.int32]) -> CourseDraft:
            return CourseDraft(self.division, Draft.of_lectures(instance, periods, assigned))

        arguments = problem, periods, rooms, movable, instance.n_periods
        return Task(assign_rooms, arguments, with_rooms, self.division.seconds)

    def evaluate(self) -> tuple[Solution, int, int]:
        """Return the timetable, its violations and its cost."""
        solution = self.draft.solution()
        evaluation = evaluate(solution, self.division.formulation)
        return solution, evaluation.violations, evaluation.cost

    def state_dict(self) -> dict[str, Any]:
        """Return period and room of each lecture."""
        periods, rooms = self.draft.lecture_arrays()
        return {"periods": periods, "rooms": rooms}


class CourseDivision:
    """The courses of an instance, to be freed and solved; a `schoolbell.stages.problem.Division`.

    Parameters
    ----------
    instance, formulation
        What to solve.
    """

    nouns = ("lectures", "courses")

    def __init__(self, instance: Instance, formulation: Formulation) -> None:
        self.instance = instance
        self.formulation = formulation
        self.relaxation = PeriodRelaxation(instance, formulation)
        #: What placing all lectures or giving them rooms takes.
        self.seconds = SECONDS_OF_A_LECTURE * instance.n_lectures
        # Sets of rooms found to be short.
        self._scarce: list[NDArray[np.bool_]] = []

    @property
    def neighbours(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Courses that conflict with each course."""
        return self.instance.conflict_starts, self.instance.conflict_courses

    def draft(self, solution: Solution | None = None) -> CourseDraft | None:
        """Take a timetable; None for one that is no good to start from."""
        instance = self.instance
        if solution is None:
            nothing = np.zeros(instance.available.shape, np.bool_)
            return CourseDraft(self, Draft.of_periods(instance, nothing))
        try:
            return CourseDraft(self, Draft.of_lectures(instance, *solution.lecture_arrays()))
        except TimetableError:
            return None

    def construct(self, rng: np.random.Generator, limits: SolveLimits, flag: StopFlag) -> Task:
        """Place the lectures one by one."""
        from ..search.building.greedy import greedy_timetable

        must_suit = "RoomSuitability" in self.formulation.hard

        def draft(arrays: tuple[NDArray[np.int32], NDArray[np.int32]]) -> CourseDraft:
            return CourseDraft(self, Draft.of_lectures(self.instance, *arrays))

        # Looked at while they are filled.
        periods = np.full(self.instance.n_lectures, -1, np.int32)

        def counts() -> tuple[int, int]:
            return int(np.count_nonzero(periods >= 0)), len(periods)

        arguments = self.instance, rng, None, None, must_suit, periods
        return Task(greedy_timetable, arguments, draft, self.seconds, counts)

    def incomplete(self, draft: CourseDraft) -> NDArray[np.intp]:
        """List the courses that lack lectures."""
        there = np.count_nonzero(draft.draft.rooms >= 0, axis=1)
        return np.flatnonzero(there < self.instance.course_lectures)

    def model_size(self, courses: NDArray[np.intp]) -> int:
        """Count the pairs of a course and a period available to it."""
        return int(self.instance.available[courses].sum())

    def feasible(
        self,
        courses: NDArray[np.intp],
        draft: CourseDraft,
        limits: SolveLimits,
        seed: int,
        flag: StopFlag,
    ) -> Task:
        """Look for periods without a conflict."""
        problem = self.relaxation.feasible(courses, draft.draft.placed)
        return Task(place_all, (problem, limits, seed, flag))

    def improve(
        self,
        courses: NDArray[np.intp],
        draft: CourseDraft,
        limits: SolveLimits,
        seed: int,
        flag: StopFlag,
        parts: int,
        index: int,
    ) -> Task:
        """Look for periods at less cost; parts share the rooms that are free."""
        problem = self.relaxation.part(courses, draft.draft.placed, parts, index)
        return Task(improve, (problem, limits, seed, flag))

    def learn(self, draft: CourseDraft) -> None:
        """Find the sets of rooms that are short, and hold later models to them."""
        for rooms in draft.draft.scarce_rooms():
            self._add_scarce(rooms)

    def state_dict(self) -> dict[str, Any]:
        """Return the sets of rooms found to be short."""
        return {"scarce": list(self._scarce)}

    def load_state_dict(self, state: dict[str, Any]) -> CourseDraft:
        """Take back the sets of rooms, and the timetable."""
        instance = self.instance
        periods, rooms = state["periods"], state["rooms"]
        with_room = np.where(rooms >= 0, periods, -1)
        Solution.of_lectures(instance, with_room, rooms)
        Solution.of_lectures(instance, periods, np.where(periods >= 0, 0, -1))
        for short in state["scarce"]:
            _check_flags(short, (instance.n_rooms,))
            self._add_scarce(short)
        return CourseDraft(self, Draft.of_lectures(instance, periods, rooms))

    def _add_scarce(self, rooms: NDArray[np.bool_]) -> None:
        self._scarce.append(rooms)
        self.relaxation.add_scarce_rooms(rooms)


def _check_flags(flags: NDArray[np.bool_], shape: tuple[int, ...]) -> None:
    if flags.shape != shape or flags.dtype != np.bool_:
        raise ValueError(f"expected flags of shape {shape}, got {flags.dtype} of {flags.shape}")
