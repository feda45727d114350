"""The best times and rooms of some classes, all others staying where they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...exact.solver import solve_unless_stopped, solver_of
from ...problem import PartResult, SolveLimits
from ...tasks.stop_flag import StopFlag
from .class_model import ClassModel
from .option_costs import Places
from .rule_book import RuleBook
from .shared_students import SharedStudents

# Constraints above which linear relaxations cost more than they give.
LARGE_MODEL = 30_000


def neighbourhood(
    book: RuleBook,
    nodes: NDArray[np.intp],
    places: Places,
    shared: SharedStudents | NDArray[np.integer] | None,
    limits: SolveLimits,
    seed: int,
    flag: StopFlag,
    violation: int | None = None,
) -> PartResult:
    """Look for the best times and rooms of some classes, students staying in their classes.

    The same arguments give the same result where the limits are of effort alone.

    Parameters
    ----------
    book
        The rules.
    nodes
        The classes to place, each once.
    places
        Where all classes are.
    shared
        Students that the classes share, also as a table of all pairs; None if there are
        none.
    limits
        When to end.
    seed
        Random seed of the search.
    flag
        When set, the call returns soon with what it has.
    violation
        Cost of breaking a required rule; None if none may be broken.

    Returns
    -------
    PartResult
        Its rows are time and room of each node, as a `Solution` has them; its objective
        is what the nodes cost by themselves and with all others.
    """
    if isinstance(shared, np.ndarray):
        shared = SharedStudents.of_matrix(shared)
    model = ClassModel(book, nodes, places, shared, violation)
    return solve(model, limits, seed, flag)


def place_all(
    book: RuleBook,
    nodes: NDArray[np.intp],
    places: Places,
    limits: SolveLimits,
    seed: int,
    flag: StopFlag,
) -> PartResult:
    """Look for times and rooms of some classes that break no required rule, at any cost.

    Parameters as for `neighbourhood`.
    """
    model = ClassModel(book, nodes, places, None, priced=False)
    return solve(model, limits, seed, flag)


def solve(model: ClassModel, limits: SolveLimits, seed: int, flag: StopFlag) -> PartResult:
    """Solve a model of some classes within limits."""
    if not model.possible:
        return PartResult(None, None, None, True)
    large = model.n_constraints > LARGE_MODEL or not model.priced
    solver = solver_of(limits, seed, linearization=0 if large else 1)
    found = solve_unless_stopped(solver, model.model, flag)
    if found.values is None:
        return PartResult(None, None, None, found.proved)
    return PartResult(model.chosen(found.values), found.objective, found.bound, found.proved)
