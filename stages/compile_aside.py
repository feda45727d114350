"""Compilation of the kernels while a stage goes on yielding."""

from collections.abc import Iterator
from concurrent.futures import wait

from .budget import Budget
from .state import State
from .timetable import Formulation

PULSE = 0.1
"""Seconds between two looks at a compilation."""


def compile_aside(
    state: State, budget: Budget, formulation: Formulation, *week: int
) -> Iterator[None]:
    """Have the kernels compiled, which takes long the first time on a machine.

    That time is no part of the run's limit: no later stage could do without it. The
    `week`, timeslots and days, decides which kernels are needed.
    """
    from numba.core.event import install_recorder  # pyright: ignore[reportMissingImports]

    from .timetable.compile_kernels import compile_kernels

    # A run that goes on has compiled before.
    before, began = state.overtime, budget.elapsed
    with install_recorder("numba:compile") as compilations:
        compiling = state.executor.submit(compile_kernels, formulation, *week)
        while wait([compiling], timeout=PULSE).not_done:
            if compilations.buffer:
                state.overtime = before + budget.elapsed - began
            yield None
        compiling.result()
    if compilations.buffer:
        state.overtime = before + budget.elapsed - began
