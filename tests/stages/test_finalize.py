"""The last stage."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from schoolbell.stages import Budget, Finalize, State
from schoolbell.stages.timetable import (
    Course,
    Formulation,
    Instance,
    Room,
    Solution,
    evaluate,
)


@pytest.fixture
def solution() -> Solution:
    courses = (Course("algebra", "noether", 2, 2, 40), Course("logic", "tarski", 1, 1, 9))
    instance = Instance("pair", 2, 2, courses, (Room("hall", 30),))
    return Solution.of_lectures(instance, [0, 1, 2], [0, 0, 0])


@pytest.fixture
def state(solution):
    with ThreadPoolExecutor(1) as pool:
        state = State(solution.instance, seed=0, executor=pool)
        state.instance = solution.instance
        state.formulation = Formulation.UD2
        evaluation = evaluate(solution, "UD2")
        state.offer(solution, evaluation.cost, evaluation.violations)
        yield state


def paths(folder):
    return {name: folder / f"week.{name}" for name in ("solution", "html", "csv")}


def test_leaves_the_reference_evaluation(state, solution):
    batches = list(Finalize().run(state, Budget()))
    assert str(state.evaluation) == str(evaluate(solution, "UD2"))
    assert [(batch.done, batch.total) for batch in batches] == [(1, 1)]


def test_writes_the_files_it_was_asked_for(state, solution, tmp_path):
    batches = list(Finalize(**paths(tmp_path)).run(state, Budget()))
    assert Solution.read(tmp_path / "week.solution", solution.instance) == solution
    assert "<html" in (tmp_path / "week.html").read_text(encoding="utf-8")
    assert (tmp_path / "week.csv").read_text(encoding="utf-8").startswith("course,teacher")
    assert set(tmp_path.iterdir()) == set(state.files) == set(paths(tmp_path).values())
    assert [(batch.done, batch.total) for batch in batches] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("wrong", [(1, 0), (0, 1)])
def test_a_difference_from_the_search_is_an_error_and_nothing_is_written(state, tmp_path, wrong):
    state.cost += wrong[0]
    state.violations += wrong[1]
    with pytest.raises(RuntimeError, match="the reference evaluation 0 violations and cost 25"):
        list(Finalize(**paths(tmp_path)).run(state, Budget()))
    assert not list(tmp_path.iterdir())


def test_writes_before_it_yields_when_its_time_is_spent(state, tmp_path):
    stream = Finalize(**paths(tmp_path)).run(state, Budget(seconds=0))
    next(stream)
    stream.close()
    assert len(list(tmp_path.iterdir())) == 3


def test_without_a_solution_there_is_nothing_to_do(state, tmp_path):
    state.solution = None
    assert list(Finalize(**paths(tmp_path)).run(state, Budget())) == []
    assert not list(tmp_path.iterdir())
