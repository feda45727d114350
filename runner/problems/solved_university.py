"""A whole university, as commands and the service solve it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from .problem_kind import Kind
from .solved_problem import SolvedProblem

if TYPE_CHECKING:
    from ...stages.steps.finalize_step import FinalizeStep
    from ..pipeline import Pipeline

# What is told of single students, and of every place where a rule is broken: with tens of
# thousands of students that would be most of the data.
_LEFT_OUT = ("students", "demands", "attended", "wrong_students", "conflicts", "hard", "soft")


class SolvedUniversity(SolvedProblem):
    """A whole university, whose file says itself what counts."""

    kind: ClassVar[Kind] = "university"
    items = "classes"

    @property
    def instance_type(self) -> type[Any]:
        """An instance of a university."""
        from ...stages.university import Instance

        return Instance

    @property
    def solution_type(self) -> type[Any]:
        """A university's timetable."""
        from ...stages.university import Solution

        return Solution

    @property
    def finalize(self) -> type[FinalizeStep]:
        """The stage that writes a university's timetable."""
        from ...stages import FinalizeUniversity

        return FinalizeUniversity

    def pipeline(self) -> Pipeline:
        """Make the pipeline of universities."""
        from ..timetabling import university_pipeline

        return university_pipeline(*self.arguments)

    def count(self, instance: Any) -> int:
        """Return how many classes there are."""
        return len(instance.classes)

    def kept_text(self, instance: Any) -> None:
        """Return nothing: it may be long, and there is one form alone."""

    def generate(self, size: int, seed: int) -> Any:
        """Draw a university of so many classes."""
        from ...stages.university import generate

        return generate(size, seed=seed)

    def evaluate(self, solution: Any, infeasible_because: Sequence[str] = ()) -> Any:
        """Count violations and cost by the definitions of ITC-2019."""
        from ...stages.university import evaluate

        return evaluate(solution)

    def view(self, evaluation: Any) -> dict[str, Any]:
        """Return what the university's own page shows, but for single students."""
        from ...stages.university.views.class_groups import group_classes
        from ...stages.university.views.page_data import page_data

        data = page_data(evaluation)
        for name in _LEFT_OUT:
            del data[name]
        found = group_classes(evaluation.solution, "group")
        groups = [[name, found.of(group).tolist()] for group, name in enumerate(found.names)]
        return {**data, "groups": groups}
