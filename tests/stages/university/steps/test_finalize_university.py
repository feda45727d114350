"""The last stage of a university's pipeline."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from schoolbell.stages import Budget, FinalizeUniversity, State
from schoolbell.stages.university import Solution, TimetableError, evaluate, generate_with_solution


def finished(**change):
    instance, solution = generate_with_solution(20, 20, 3)
    with ThreadPoolExecutor(1) as pool:
        state = State(instance, seed=0, executor=pool)
    found = evaluate(solution)
    state.offer(solution, change.get("cost", found.cost), found.violations)
    return state, solution


def test_writes_the_solution_and_the_table(tmp_path):
    state, solution = finished()
    path, table = tmp_path / "s.xml.gz", tmp_path / "t.csv"
    list(FinalizeUniversity(solution=path, csv=table).run(state, Budget()))
    assert Solution.read(path, solution.instance) == solution
    assert len(table.read_text().splitlines()) == 1 + len(solution.instance.classes)
    assert state.evaluation.cost == evaluate(solution).cost
    assert state.files == [path, table]


def test_refuses_a_cost_that_the_definitions_do_not_give():
    state, _ = finished(cost=1)
    with pytest.raises(RuntimeError, match="reference evaluation"):
        list(FinalizeUniversity().run(state, Budget()))


def test_refuses_a_file_that_is_no_xml_before_the_run(tmp_path):
    with pytest.raises(TimetableError, match=r"s\.sol.*\.xml"):
        FinalizeUniversity(solution=tmp_path / "s.sol").check()
