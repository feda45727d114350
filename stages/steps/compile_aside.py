"""Compilation of the kernels while a stage goes on yielding."""

from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..budget import Budget
from ..pulse import Pulse
from ..state import State
from ..tasks.task_group import TaskGroup
from ..tasks.waiting import Beat, run_aside, wait_all

if TYPE_CHECKING:
    from ..search.compile_progress import KernelWork

# What reading the kernels from numba's cache may take.
READING_SECONDS = 1.0
# Part of the pulses that it gets: it may turn out that something must be compiled.
READING = 0.1


def compile_aside(
    state: State,
    budget: Budget,
    kernels: "Sequence[KernelWork]",
    function: Callable[..., Any],
    *arguments: Any,
) -> Generator[Beat, None, None]:
    """Have kernels compiled, which takes long the first time on a machine.

    That time is no part of the run's limit: no later stage could do without it. While
    something is compiled, the pulses say how far that is; what is read from numba's
    cache is not spoken of.

    Parameters
    ----------
    state, budget
        Of the stage.
    kernels
        What the function compiles, in its order.
    function, arguments
        Calls each kernel once; sent to the run's executor too.
    """
    # Here and not above: importing numba takes longer than all the rest of the package.
    from ..search.compile_progress import CompileProgress
    from ..search.machinery import listening

    # A run that goes on has compiled before.
    before, began = state.overtime, budget.elapsed
    progress, read = CompileProgress(kernels), 0.0
    with listening(progress):
        for beat in _everywhere(state, function, *arguments):
            if not progress.compiles:
                if beat is not None and beat.part is not None:
                    read = READING * beat.part
                yield Pulse(read)
                continue
            state.overtime = before + budget.elapsed - began
            done = progress.steps_done
            yield Pulse(
                read + (1.0 - read) * done / progress.steps,
                f"Compiling the search, once on this machine: {int(done)}/{progress.steps}",
            )
    if progress.compiles:
        state.overtime = before + budget.elapsed - began


def _everywhere(
    state: State, function: Callable[..., Any], *arguments: Any
) -> Generator[Beat, None, None]:
    """Compile here, where it is heard, and then where the run's tasks will be.

    Other processes of this machine read from the cache what has been compiled here.
    """
    tasks = TaskGroup(state.executor)
    if tasks.may_run_elsewhere:
        # Workers start while this process reads.
        for _ in range(state.workers):
            tasks.leave(import_module, function.__module__)
    yield from run_aside(function, *arguments, expected=READING_SECONDS)
    is_far = yield from tasks.runs_elsewhere()
    # Each of the workers that are processes reads for itself, while the run goes on here.
    reading = [tasks.leave(function, *arguments) for _ in range(state.workers if is_far else 1)]
    if not is_far:
        yield from wait_all(reading)
