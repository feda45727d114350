"""Compilation of the kernels while a stage goes on yielding."""

from collections.abc import Generator
from importlib import import_module

from ...budget import Budget
from ...pulse import Pulse
from ...state import State
from ...tasks.task_group import TaskGroup
from ...tasks.waiting import Beat, run_aside, wait_all
from ..model.formulation import Formulation

# What reading the kernels from numba's cache may take.
READING_SECONDS = 1.0
# Part of the pulses that it gets: it may turn out that something must be compiled.
READING = 0.1


def compile_aside(
    state: State, budget: Budget, formulation: Formulation, *week: int
) -> Generator[Beat, None, None]:
    """Have the kernels compiled, which takes long the first time on a machine.

    That time is no part of the run's limit: no later stage could do without it. The
    `week`, timeslots and days, decides which kernels are needed. While something is
    compiled, the pulses say how far that is; what is read from numba's cache is not
    spoken of.
    """
    from ...search.machinery import listening
    from ..search.compile_progress import STEPS, CompileProgress

    # A run that goes on has compiled before.
    before, began = state.overtime, budget.elapsed
    progress, read = CompileProgress(), 0.0
    with listening(progress):
        for beat in _everywhere(state, formulation, *week):
            if not progress.compiles:
                if beat is not None and beat.part is not None:
                    read = READING * beat.part
                yield Pulse(read)
                continue
            state.overtime = before + budget.elapsed - began
            done = progress.steps_done
            yield Pulse(
                read + (1.0 - read) * done / STEPS,
                f"Compiling the search, once on this machine: {int(done)}/{STEPS}",
            )
    if progress.compiles:
        state.overtime = before + budget.elapsed - began


def _everywhere(state: State, formulation: Formulation, *week: int) -> Generator[Beat, None, None]:
    """Compile here, where it is heard, and then where the run's tasks will be.

    Other processes of this machine read from the cache what has been compiled here.
    """
    from ..search.compile_kernels import compile_kernels

    tasks = TaskGroup(state.executor)
    if tasks.may_run_elsewhere:
        # Workers start while this process reads.
        for _ in range(state.workers):
            tasks.leave(import_module, compile_kernels.__module__)
    yield from run_aside(compile_kernels, formulation, *week, expected=READING_SECONDS)
    is_far = yield from tasks.runs_elsewhere()
    # Each of the workers that are processes reads for itself, while the run goes on here.
    reading = [
        tasks.leave(compile_kernels, formulation, *week)
        for _ in range(state.workers if is_far else 1)
    ]
    if not is_far:
        yield from wait_all(reading)
