"""The last stage."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from schoolbell.stages import Batch, Budget, Finalize, Pulse, State
from schoolbell.stages.timetable import (
    Course,
    Formulation,
    Instance,
    Room,
    Solution,
    evaluate,
)
from schoolbell.stages.timetable.steps import finalize
from schoolbell.stages.timetable.views.rendering import render_html


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
    batches = [b for b in Finalize().run(state, Budget()) if isinstance(b, Batch)]
    assert str(state.evaluation) == str(evaluate(solution, "UD2"))
    assert [(batch.done, batch.total) for batch in batches] == [(1, 1)]


def test_writes_the_files_it_was_asked_for(state, solution, tmp_path):
    stream = Finalize(**paths(tmp_path)).run(state, Budget())
    batches = [item for item in stream if isinstance(item, Batch)]
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


def test_pulses_while_a_large_timetable_is_evaluated_and_written(state, tmp_path, monkeypatch):
    evaluating, writing = threading.Event(), threading.Event()

    def slow(function, release):
        def wait_and_do(*arguments):
            assert release.wait(10)
            return function(*arguments)

        return wait_and_do

    monkeypatch.setattr(finalize, "evaluate", slow(evaluate, evaluating))
    monkeypatch.setattr(finalize, "render_html", slow(render_html, writing))
    stream = Finalize(**paths(tmp_path)).run(state, Budget())
    for release in (evaluating, writing):
        parts = [next(stream).part for _ in range(3)]
        assert parts == sorted(set(parts))
        release.set()
        while isinstance(item := next(stream), Pulse):
            pass
        assert isinstance(item, Batch)
    assert len(state.files) == 3


def test_what_it_is_writing_is_written_even_when_it_is_closed(state, tmp_path, monkeypatch):
    release = threading.Event()

    def slow(*arguments):
        assert release.wait(10)
        return render_html(*arguments)

    monkeypatch.setattr(finalize, "render_html", slow)
    stream = Finalize(**paths(tmp_path)).run(state, Budget())
    while not isinstance(next(stream), Batch):
        pass
    assert isinstance(next(stream), Pulse)
    threading.Timer(0.2, release.set).start()
    stream.close()
    assert len(list(tmp_path.iterdir())) == 3


def test_without_a_solution_there_is_nothing_to_do(state, tmp_path):
    state.solution = None
    assert list(Finalize(**paths(tmp_path)).run(state, Budget())) == []
    assert not list(tmp_path.iterdir())
