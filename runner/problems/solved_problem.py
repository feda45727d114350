"""What commands and the service need to know of a kind of problem."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from .problem_kind import SOLUTION_SUFFIX, Kind

if TYPE_CHECKING:
    from ...stages.steps.finalize_step import FinalizeStep
    from ..pipeline import Pipeline


class SolvedProblem(ABC):
    """A kind of problem that commands and the service solve.

    Attributes
    ----------
    kind
        What it is called.
    items
        What an instance is measured by: ``"lectures"``.
    formulation
        Which of the problem's constraints count, by name; None where there is no choice.
    """

    kind: ClassVar[Kind]
    items: ClassVar[str]
    formulation: str | None = None

    @property
    def solution_suffix(self) -> str:
        """How the file of a solution ends."""
        return SOLUTION_SUFFIX[self.kind]

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What a function is called with that makes a pipeline for the problem."""
        return () if self.formulation is None else (self.formulation,)

    @property
    @abstractmethod
    def instance_type(self) -> type[Any]:
        """The class of instances, which has ``read``."""

    @property
    @abstractmethod
    def solution_type(self) -> type[Any]:
        """The class of solutions, which has ``read``."""

    @property
    @abstractmethod
    def finalize(self) -> type[FinalizeStep]:
        """The class of the pipeline's last stage."""

    @abstractmethod
    def pipeline(self) -> Pipeline:
        """Make the pipeline."""

    @abstractmethod
    def count(self, instance: Any) -> int:
        """Return how many `items` an instance has."""

    @abstractmethod
    def generate(self, size: int, seed: int) -> Any:
        """Draw an instance at random that has a feasible solution.

        Parameters
        ----------
        size
            Courses of a curriculum's timetable, classes of a university.
        seed
            The same seed gives the same instance.
        """

    @abstractmethod
    def evaluate(self, solution: Any, infeasible_because: Sequence[str] = ()) -> Any:
        """Count violations and cost of a solution.

        Parameters
        ----------
        solution
            The solution.
        infeasible_because
            Why no solution can be feasible, as far as a run has found out.
        """

    @abstractmethod
    def view(self, evaluation: Any) -> dict[str, Any]:
        """Return what a page needs to draw the solution while the run goes on."""

    def check_instance(self, instance: Any) -> None:  # noqa: B027 - most take all that can be read
        """Refuse an instance that no run can take."""

    def read(self, path: str | os.PathLike[str]) -> Any:
        """Read an instance."""
        return self.instance_type.read(path)

    def read_solution(self, path: str | os.PathLike[str], instance: Any) -> Any:
        """Read a solution of an instance."""
        return self.solution_type.read(path, instance)

    def kept_text(self, instance: Any) -> str | None:
        """Return the text of an instance as it is to be kept; None for the file as it came."""
        return instance.dumps()

    def findings(self, evaluation: Any, most: int) -> dict[str, Any]:
        """Return what a solution costs, and in words why.

        Parameters
        ----------
        evaluation
            What `evaluate` found.
        most
            Most single violations and costs.
        """
        return {
            "formulation": self.formulation,
            "cost": evaluation.cost,
            "violations": evaluation.violations,
            "hard": dict(evaluation.hard),
            "soft": dict(evaluation.soft),
            "details": evaluation.details(most),
            "details_total": evaluation.n_details,
            "infeasible_because": list(getattr(evaluation, "infeasible_because", ())),
        }
