"""A curriculum's timetable, as commands and the service solve it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from .problem_kind import Kind
from .solved_problem import SolvedProblem

if TYPE_CHECKING:
    from ...stages.steps.finalize_step import FinalizeStep
    from ..pipeline import Pipeline


class SolvedTimetable(SolvedProblem):
    """A curriculum's timetable under a formulation.

    Parameters
    ----------
    formulation
        The constraints that count, by name.

    Raises
    ------
    TimetableError
        For an unknown formulation.
    """

    kind: ClassVar[Kind] = "timetable"
    items = "lectures"

    def __init__(self, formulation: str) -> None:
        from ...stages.timetable import Formulation

        self.formulation = Formulation.of(formulation).name

    @property
    def instance_type(self) -> type[Any]:
        """An instance of a curriculum's timetable."""
        from ...stages.timetable import Instance

        return Instance

    @property
    def solution_type(self) -> type[Any]:
        """A curriculum's timetable."""
        from ...stages.timetable import Solution

        return Solution

    @property
    def finalize(self) -> type[FinalizeStep]:
        """The stage that writes a timetable."""
        from ...stages import Finalize

        return Finalize

    def pipeline(self) -> Pipeline:
        """Make the pipeline of timetables."""
        from ..timetabling import timetabling_pipeline

        return timetabling_pipeline(*self.arguments)

    def check_instance(self, instance: Any) -> None:
        """Refuse days with more timeslots than the search can hold."""
        from ...stages.timetable.model.limits import check_timeslots

        check_timeslots(instance)

    def count(self, instance: Any) -> int:
        """Return how many lectures there are."""
        return instance.n_lectures

    def generate(self, size: int, seed: int) -> Any:
        """Draw a faculty's week of so many courses."""
        from ...stages.timetable import generate

        return generate(size, seed=seed)

    def evaluate(self, solution: Any, infeasible_because: Sequence[str] = ()) -> Any:
        """Count violations and cost by the formulation."""
        from ...stages.timetable import evaluate

        found = evaluate(solution, *self.arguments)
        return replace(found, infeasible_because=tuple(infeasible_because))

    def view(self, evaluation: Any) -> dict[str, Any]:
        """Return the same that the timetable's own page shows."""
        from ...stages.timetable.views.rendering import page_data

        return page_data(evaluation)
