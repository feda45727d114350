"""The problem of a kind."""

from ...callbacks.argument_error import ArgumentError
from .problem_kind import Kind
from .solved_problem import SolvedProblem
from .solved_timetable import SolvedTimetable
from .solved_university import SolvedUniversity

DEFAULT_FORMULATION = "UD2"
"""The constraints that count where nobody has named others."""


def problem_of(kind: Kind, formulation: str = DEFAULT_FORMULATION) -> SolvedProblem:
    """Return the problem of a kind.

    Parameters
    ----------
    kind
        As `problem_kind` tells it.
    formulation
        The constraints that count, by name, where there is a choice.

    Raises
    ------
    ValueError
        For an unknown formulation, and for any but the default where there is no choice.
    """
    if kind == "timetable":
        return SolvedTimetable(formulation)
    if formulation != DEFAULT_FORMULATION:
        wanted = "left out for a whole university, whose file says what counts"
        raise ArgumentError.of("formulation", wanted, formulation)
    return SolvedUniversity()
