"""How far the compilation of the kernels is."""

import sys
import threading
from types import SimpleNamespace

import pytest
from numba.core.dispatcher import Dispatcher
from schoolbell.stages.search import compile_progress
from schoolbell.stages.search.compile_progress import CompileProgress
from schoolbell.stages.timetable.search.kernel_work import KERNELS, STEPS

PACKAGE = "schoolbell.stages"


def event(name, module=PACKAGE + ".timetable.search.annealing"):
    function = SimpleNamespace(__name__=name, __module__=module)
    return SimpleNamespace(data={"dispatcher": SimpleNamespace(py_func=function)})


def compile_one(progress, name, module=PACKAGE):
    progress.on_start(event(name, module))
    progress.on_end(event(name, module))


@pytest.fixture
def at_once(monkeypatch):
    """No time goes by, so that only what numba tells counts."""
    monkeypatch.setattr(compile_progress.time, "monotonic", lambda: 0.0)


def test_every_kernel_that_is_called_is_known_and_its_functions_are_counted():
    from schoolbell.stages.timetable.search import annealing, crossover, timetable
    from schoolbell.stages.timetable.search.building import greedy, room_assignment
    from schoolbell.stages.timetable.search.repairing import episodes

    modules = (timetable, annealing, crossover, episodes, greedy, room_assignment)
    called = {name for module in modules for name in vars(module)}
    assert {kernel.name for kernel in KERNELS} <= called
    mine = {
        id(one.py_func)
        for name, module in list(sys.modules.items())
        if name.startswith(PACKAGE) and ".university" not in name
        for one in vars(module).values()
        if isinstance(one, Dispatcher)
    }
    # A few are called by nothing that a run needs, or made again for Python.
    assert sum(kernel.functions for kernel in KERNELS) == pytest.approx(len(mine), rel=0.1)


def test_nothing_is_told_of_a_compilation_that_there_is_not():
    progress = CompileProgress(KERNELS)
    assert not progress.compiles
    assert progress.steps_done == 0


def test_steps_are_counted_from_function_to_function_to_the_end(at_once):
    progress, told = CompileProgress(KERNELS), []
    for kernel in KERNELS:
        progress.on_start(event(kernel.name))
        for number in range(kernel.functions - 1):
            compile_one(progress, f"{kernel.name}_{number}")
            told.append(progress.steps_done)
        progress.on_end(event(kernel.name))
        told.append(progress.steps_done)
    assert progress.compiles
    assert told == sorted(set(told))
    assert told[-1] == STEPS


def test_what_numba_compiles_for_itself_and_more_functions_than_known_lead_no_further(at_once):
    progress = CompileProgress(KERNELS)
    first = KERNELS[0]
    progress.on_start(event(first.name))
    compile_one(progress, "array_sum_impl", "numba.np.arraymath")
    assert progress.steps_done == 0
    for number in range(3 * first.functions):
        compile_one(progress, f"more_{number}")
    assert progress.steps_done == first.lowering


def test_kernels_that_the_cache_held_are_passed(at_once):
    progress = CompileProgress(KERNELS)
    progress.on_start(event("play_episodes"))
    before = [kernel.name for kernel in KERNELS].index("play_episodes")
    assert progress.steps_done == sum(kernel.steps for kernel in KERNELS[:before])


def test_other_threads_compilations_are_kept_apart(at_once):
    progress = CompileProgress(KERNELS)
    progress.on_start(event("run_moves"))
    before = progress.steps_done
    other = threading.Thread(target=compile_one, args=(progress, "somebody_elses"))
    other.start()
    other.join()
    assert progress.steps_done == before
    compile_one(progress, "mine")
    assert progress.steps_done > before


@pytest.mark.parametrize("seconds", [0.2, 0.9, 2.0])
def test_where_only_the_last_kernels_are_stale_the_number_counts_on_all_the_same(
    monkeypatch, seconds
):
    """They are compiled with functions that were counted for the first ones."""
    now = [0.0]
    monkeypatch.setattr(compile_progress.time, "monotonic", lambda: now[0])
    progress, kernel = CompileProgress(KERNELS), KERNELS[-3]
    progress.on_start(event(kernel.name))
    told, due, functions = [], seconds, 0
    for _ in range(300):
        now[0] += 0.1
        if now[0] >= due:
            compile_one(progress, f"function_{functions}")
            due, functions = due + seconds, functions + 1
        told.append(int(progress.steps_done))
    end = sum(one.steps for one in KERNELS[:-2])
    assert told[-1] < end
    assert all(later > before for before, later in zip(told, told[10:], strict=False))


def test_while_a_kernel_is_optimised_time_moves_it_on_but_never_to_its_end(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(compile_progress.time, "monotonic", lambda: now[0])
    progress, kernel = CompileProgress(KERNELS), KERNELS[0]
    progress.on_start(event(kernel.name))
    for number in range(kernel.functions - 1):
        now[0] += 0.2
        compile_one(progress, f"function_{number}")
    told = []
    for _ in range(30):
        now[0] += 0.1
        told.append(progress.steps_done)
    assert told == sorted(set(told))
    assert kernel.lowering < told[0] < told[-1] < kernel.steps
