"""What a timetable costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any

from ..constraints.registry import CONSTRAINTS
from ..model.formulation import Formulation
from ..model.solution import Solution
from .placed_lectures import PlacedLectures


@dataclass(frozen=True)
class Evaluation:
    """Violations and cost of a timetable, constraint by constraint.

    Attributes
    ----------
    solution
        The timetable.
    formulation
        Which constraints count, and how much.
    hard
        Violations of each hard constraint.
    soft
        Weighted cost of each soft constraint that counts.
    units
        Units of each constraint that counts, hard or soft.
    infeasible_because
        Reasons, in words, why no timetable of the instance can be feasible, where a
        run has found some.
    """

    __module__ = "schoolbell.stages.timetable"

    solution: Solution
    formulation: Formulation
    hard: Mapping[str, int]
    soft: Mapping[str, int]
    units: Mapping[str, int]
    infeasible_because: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        # A read-only view of a dict cannot be pickled.
        counts = (dict(self.hard), dict(self.soft), dict(self.units))
        about = (self.solution, self.formulation, self.infeasible_because)
        return _evaluation, (*about, *counts)

    @property
    def violations(self) -> int:
        """Violations of all hard constraints."""
        return sum(self.hard.values())

    @property
    def cost(self) -> int:
        """Weighted cost of all soft constraints."""
        return sum(self.soft.values())

    @property
    def feasible(self) -> bool:
        """Whether no hard constraint is broken."""
        return self.violations == 0

    def details(self, most: int | None = None) -> list[str]:
        """Tell every single violation and cost in words.

        Parameters
        ----------
        most
            Lines at most; None for all of them.

        Returns
        -------
        list of str
            ``[H(violations)] Conflicts: …`` or ``[S(cost)] Windows: …``, constraint
            by constraint.
        """
        return list(islice(self._findings(), most))

    @property
    def n_details(self) -> int:
        """Number of the lines that `details` has."""
        placed = PlacedLectures(self.solution)
        return sum(len(CONSTRAINTS[name].find(placed).units) for name, _, _ in self._counted())

    def _findings(self) -> Iterator[str]:
        placed = PlacedLectures(self.solution)
        for name, kind, weight in self._counted():
            for units, words in CONSTRAINTS[name].find(placed):
                yield f"[{kind}({weight * units})] {name}: {words}"

    def _counted(self) -> Iterator[tuple[str, str, int]]:
        for name in self.hard:
            yield name, "H", 1
        for name in self.soft:
            yield name, "S", self.formulation.weights[name]

    def _repr_html_(self) -> str:
        """Show the cost by constraint and the timetable in a notebook."""
        from ..views.notebook_view import evaluation_html

        return evaluation_html(self)

    def __str__(self) -> str:
        rows = [("Hard constraint", "violations", "", "")]
        rows += [(name, str(count), "", "") for name, count in self.hard.items()]
        rows += [("Total", str(self.violations), "", ""), ("", "", "", "")]
        rows += [(f"Soft constraint ({self.formulation.name})", "units", "weight", "cost")]
        for name, cost in self.soft.items():
            weight = self.formulation.weights[name]
            rows.append((name, str(self.units[name]), str(weight), str(cost)))
        rows.append(("Total", "", "", str(self.cost)))
        return "\n".join(
            f"{name:<24}{units:>10}{weight:>8}{cost:>10}".rstrip()
            for name, units, weight, cost in rows
        )


def evaluate(solution: Solution, formulation: str | Formulation = "UD2") -> Evaluation:
    """Count the violations and the cost of a timetable by the definitions.

    Parameters
    ----------
    solution
        The timetable; it may be incomplete.
    formulation
        The constraints that count and their weights, by name or as an object.

    Raises
    ------
    TimetableError
        If the formulation is unknown.
    """
    formulation = Formulation.of(formulation)
    placed = PlacedLectures(solution)
    hard = {name: CONSTRAINTS[name].find(placed).total for name in formulation.hard_constraints}
    units = {name: CONSTRAINTS[name].find(placed).total for name in formulation.weights}
    soft = {name: formulation.weights[name] * count for name, count in units.items()}
    return _evaluation(solution, formulation, (), hard, soft, hard | units)


# A run holds it, and its pickles name no room.
evaluate.__module__ = "schoolbell.stages.timetable"


def _evaluation(
    solution: Solution,
    formulation: Formulation,
    infeasible_because: tuple[str, ...],
    *counts: Mapping[str, int],
) -> Evaluation:
    hard, soft, units = map(MappingProxyType, counts)
    return Evaluation(solution, formulation, hard, soft, units, infeasible_because)
