"""OR-tools CP-SAT with one worker, limits and a flag that stops it."""

from __future__ import annotations

import threading
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..needing import needing
from ..problem import PartResult, SolveLimits
from ..tasks.stop_flag import StopFlag

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, CpSolver

# A bound of whole numbers is rounded up, but not for what is lost in the last digits.
TOLERANCE = 1e-6

# How often a solver that was asked to stop is asked again: one that was just
# about to begin does not hear it.
ASK_AGAIN = 0.02


class Found(NamedTuple):
    """What a solver found.

    Attributes
    ----------
    values
        Value of each variable of the model in its order, int64; None without a solution.
    objective, bound
        Cost of the solution and its proven lower bound; None without one.
    proved
        Whether the solution was proved to be the best, or that there is none.
    """

    values: NDArray[np.int64] | None
    objective: float | None
    bound: float | None
    proved: bool


def solve_model(model: CpModel, limits: SolveLimits, seed: int, flag: StopFlag) -> PartResult:
    """Solve a model within limits; for a problem's `Task` of a `Division`.

    Parameters
    ----------
    model
        What to solve.
    limits
        When to end.
    seed
        Random seed of the search.
    flag
        When set, the call returns soon with what it has.

    Returns
    -------
    PartResult
        Its `placed` are the values of all variables of the model in its order.
    """
    return PartResult(*solve_unless_stopped(solver_of(limits, seed, linearization=1), model, flag))


def prove_bound(model: CpModel, limits: SolveLimits, flag: StopFlag) -> tuple[int, float]:
    """Bound the cost of a small model from below, within limits.

    Returns
    -------
    tuple
        The bound, a whole number of 0 or more, 0 where there is no solution,
        and the deterministic time spent.
    """
    with needing("CP-SAT"):
        from ortools.sat.python.cp_model import INFEASIBLE, MODEL_INVALID

    solver = solver_of(limits, seed=0, linearization=1)
    status = _status_unless_stopped(solver, model, flag)
    spent = float(solver.response_proto.deterministic_time)
    if status in (INFEASIBLE, MODEL_INVALID):
        return 0, spent
    return max(0, ceil(solver.best_objective_bound - TOLERANCE)), spent


def solver_of(limits: SolveLimits, seed: int, linearization: int) -> CpSolver:
    """Return a solver with one search worker."""
    with needing("CP-SAT"):
        from ortools.sat.python.cp_model import CpSolver

    solver = CpSolver()
    solver.parameters.num_workers = 1
    # Its own handler would take Ctrl-C from Python, and crash where solves overlap.
    solver.parameters.catch_sigint_signal = False
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_deterministic_time = limits.effort
    if limits.seconds is not None:
        solver.parameters.max_time_in_seconds = limits.seconds
    # On these models probing and symmetries took more time than they saved.
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.symmetry_level = 0
    solver.parameters.linearization_level = linearization
    return solver


def solve_unless_stopped(solver: CpSolver, model: CpModel, flag: StopFlag) -> Found:
    """Solve; when the flag is set, end with what there is."""
    from ortools.sat.python.cp_model import FEASIBLE, INFEASIBLE, OPTIMAL

    status = _status_unless_stopped(solver, model, flag)
    if status not in (FEASIBLE, OPTIMAL):
        return Found(None, None, None, status == INFEASIBLE)
    values = np.array(solver.response_proto.solution)
    optimal = status == OPTIMAL
    return Found(values, solver.objective_value, solver.best_objective_bound, optimal)


def _status_unless_stopped(solver: CpSolver, model: CpModel, flag: StopFlag) -> object:
    """Solve; when the flag is set, stop the solver from the thread that set it."""
    ended = threading.Event()

    def stop() -> None:
        # Returns at once: whoever sets the flag is in a hurry.
        threading.Thread(target=keep_stopping, daemon=True).start()

    def keep_stopping() -> None:
        while not ended.is_set():
            solver.stop_search()
            ended.wait(ASK_AGAIN)

    forget = flag.call_when_set(stop)
    try:
        return solver.solve(model)
    finally:
        ended.set()
        forget()
