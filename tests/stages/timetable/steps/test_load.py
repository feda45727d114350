"""The first stage."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from schoolbell.stages import Batch, Budget, GeneticAlgorithm, Load, State
from schoolbell.stages.timetable import (
    Course,
    Formulation,
    Instance,
    Room,
    Solution,
    TimetableError,
    evaluate,
)
from schoolbell.stages.timetable.search.kernel_work import STEPS
from schoolbell.stages.timetable.steps.compile_aside import compile_aside


@pytest.fixture
def instance() -> Instance:
    courses = (Course("algebra", "noether", 2, 1, 20), Course("logic", "tarski", 1, 1, 9))
    return Instance("pair", 2, 2, courses, (Room("hall", 30),))


@pytest.fixture
def executor():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def run(problem, executor, initial=None, formulation="UD2"):
    state = State(problem, seed=0, executor=executor, initial=initial)
    batches = [item for item in Load(formulation).run(state, Budget()) if isinstance(item, Batch)]
    return state, batches


def test_says_why_no_timetable_can_be_feasible(instance, executor):
    assert run(instance, executor)[0].infeasible_because == ()
    crowded = replace(instance, days=1)
    assert run(crowded, executor)[0].infeasible_because == (
        "3 lectures for 2 places (1 room, 2 periods)",
    )


def test_leaves_the_instance_the_formulation_and_the_search_arrays(instance, executor):
    # The constraints are UD2's, for which other tests have the kernels compiled too.
    mine = Formulation("mine", dict.fromkeys(Formulation.UD2.weights, 7))
    state, _ = run(instance, executor, formulation=mine)
    assert state.instance is instance
    assert state.formulation is mine
    assert np.array_equal(state.search.course, instance.lecture_course)
    assert state.solution is None


def test_proves_a_lower_bound(executor):
    course = Course("algebra", "noether", 2, 1, 33)
    state, _ = run(Instance("crowded", 2, 2, (course,), (Room("hall", 30),)), executor)
    assert state.bound == 2 * 3


def test_counts_its_steps_to_the_end(instance, executor):
    _, batches = run(instance, executor)
    assert all(isinstance(batch, Batch) for batch in batches)
    assert [batch.done for batch in batches] == [1, 2, 3]
    assert {batch.total for batch in batches} == {3}


def test_goes_to_its_end_even_when_its_time_is_spent(instance, executor):
    state = State(instance, seed=0, executor=executor)
    *_, last = Load().run(state, Budget(seconds=0))
    assert last is not None
    assert last.done == last.total == 3
    assert state.search is not None


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_takes_the_path_of_an_instance(kind, instance, executor, tmp_path):
    path = tmp_path / "pair.ectt"
    instance.write(path)
    state, _ = run(kind(path), executor)
    assert state.instance == instance


def test_offers_the_initial_timetable_or_the_file_of_one(instance, executor, tmp_path):
    initial = Solution.of_lectures(instance, [0, 1, -1], [0, 0, -1])
    path = tmp_path / "initial.sol"
    initial.write(path)
    for given in (initial, path):
        state, batches = run(instance, executor, initial=given)
        counted = evaluate(initial, "UD2")
        assert state.solution == initial
        assert (state.violations, state.cost) == (counted.violations, counted.cost)
        assert state.violations == 1
        assert batches[-1].done == batches[-1].total == 4


def test_refuses_what_is_no_problem(executor):
    with pytest.raises(TimetableError, match="Instance or the path of one, got int"):
        run(42, executor)


def test_refuses_an_initial_timetable_of_another_instance(instance, executor):
    other = Instance("other", 2, 2, instance.courses, (Room("cellar", 8),))
    with pytest.raises(TimetableError, match=r"'other'.*'pair'"):
        run(instance, executor, initial=Solution.of_lectures(other, [0, 1, 2], [0, 0, 0]))


def test_without_a_limit_it_finds_out_how_fast_the_search_is_here(instance, executor):
    state, _ = run(instance, executor)
    expected = GeneticAlgorithm().expected_seconds
    assert 1e3 < state.prepared.measured_speed < 1e9
    usual = expected(state, None)
    state.prepared.measured_speed /= 2
    assert expected(state, None) == pytest.approx(2 * usual, rel=0.1)
    timed = State(instance, seed=0, executor=executor)
    for _ in Load().run(timed, Budget(5.0)):
        pass
    assert timed.prepared.measured_speed is None
    assert expected(timed, None) > 0


def test_refuses_an_unknown_formulation_at_once():
    with pytest.raises(TimetableError, match="UD9"):
        Load("UD9")


def test_its_pulses_tell_how_far_it_is_and_say_nothing_of_compiling_what_is_compiled(
    instance, executor
):
    run(instance, executor)
    state = State(instance, seed=0, executor=executor)
    part = 0.0
    for item in Load().run(state, Budget()):
        if isinstance(item, Batch):
            part = 0.0
        elif item is not None and item.part is not None:
            assert part <= item.part
            assert item.message is None
            part = item.part


def test_compiling_is_told_with_a_count_and_is_no_part_of_the_time(executor, monkeypatch):
    from numba.core.event import Event, EventStatus, broadcast
    from schoolbell.stages.timetable.search import compile_kernels

    function = SimpleNamespace(__name__="fill", __module__=compile_kernels.__name__)
    data = {"dispatcher": SimpleNamespace(py_func=function)}
    heard, told = threading.Event(), []

    def compile_slowly(formulation):
        broadcast(Event("numba:compile", EventStatus.START, data))
        assert heard.wait(10)
        broadcast(Event("numba:compile", EventStatus.END, data))

    monkeypatch.setattr(compile_kernels, "compile_kernels", compile_slowly)
    state = State(None, seed=0, executor=executor)
    for beat in compile_aside(state, Budget(), Formulation.UD2):
        if beat is not None and beat.message is not None:
            told.append(beat)
            if len(told) == 5:
                heard.set()
    pattern = rf"Compiling the search, once on this machine: (\d+)/{STEPS}"
    counts = [int(re.fullmatch(pattern, beat.message)[1]) for beat in told]
    assert counts == sorted(counts)
    assert [beat.part for beat in told] == sorted(beat.part for beat in told)
    assert state.overtime > 0.3
