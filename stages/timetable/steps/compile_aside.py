"""Compilation of the kernels while a stage goes on yielding."""

from collections.abc import Generator

from ...budget import Budget
from ...state import State
from ...steps import compile_aside as steps
from ...tasks.waiting import Beat
from ..model.formulation import Formulation


def compile_aside(
    state: State, budget: Budget, formulation: Formulation, *week: int
) -> Generator[Beat, None, None]:
    """Have the kernels of a formulation compiled.

    The `week`, timeslots and days, decides which kernels are needed.
    """
    # Here and not above: importing numba takes longer than all the rest of the package.
    from ..search.compile_kernels import compile_kernels
    from ..search.kernel_work import KERNELS

    yield from steps.compile_aside(state, budget, KERNELS, compile_kernels, formulation, *week)
