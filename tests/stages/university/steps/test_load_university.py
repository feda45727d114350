"""The first stage of a university's pipeline."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from schoolbell.stages import Batch, Budget, LoadUniversity, State
from schoolbell.stages.university import (
    Instance,
    Student,
    TimetableError,
    UniversityProblem,
    evaluate,
    generate_with_solution,
)


@pytest.fixture
def executor():
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def generated():
    return generate_with_solution(20, 20, 3)


def prepare(state):
    """Load without the kernels, which are compiled elsewhere."""
    stage = LoadUniversity()
    stage.compile = lambda state, budget: (beat for beat in ())
    batches = [one for one in stage.run(state, Budget()) if isinstance(one, Batch)]
    return [(one.done, one.total) for one in batches]


def test_leaves_a_reduced_problem_and_a_bound_below_every_cost(generated, executor, tmp_path):
    instance, solution = generated
    instance.write(tmp_path / "u.xml.gz")
    state = State(tmp_path / "u.xml.gz", seed=0, executor=executor)
    assert prepare(state) == [(1, 3), (2, 3), (3, 3)]
    assert state.instance == instance
    assert isinstance(state.prepared, UniversityProblem)
    assert state.prepared.original == instance
    assert 0 <= state.bound <= evaluate(solution).cost
    assert state.infeasible_because == ()


def test_offers_the_initial_timetable_and_refuses_one_of_another_instance(generated, executor):
    instance, solution = generated
    state = State(instance, seed=0, executor=executor, initial=solution)
    assert prepare(state)[-1] == (4, 4)
    assert state.solution is solution
    assert state.violations == 0
    other = replace(instance, name="other")
    with pytest.raises(TimetableError, match="differs from the problem, 'other'"):
        LoadUniversity().check_problem(other, solution)


def test_says_which_course_has_too_few_places(generated, executor):
    instance, _ = generated
    course = instance.courses[0].id
    more = tuple(Student(f"more{k}", (course,)) for k in range(500))
    crowded = replace(instance, students=instance.students + more)
    state = State(crowded, seed=0, executor=executor)
    prepare(state)
    assert any(f"places of course {course}" in one for one in state.infeasible_because)


def test_refuses_what_is_no_problem():
    with pytest.raises(TimetableError, match="Instance or the path of one, got int"):
        LoadUniversity().check_problem(42, None)


def test_equal_instances_have_one_identity(generated):
    instance, _ = generated
    same = Instance.loads(instance.dumps())
    stage = LoadUniversity()
    assert stage.identify(instance) == stage.identify(same)
    assert stage.identify(instance) != stage.identify(replace(instance, name="other"))


def test_an_instance_of_the_other_problem_is_told_apart_by_its_package():
    from schoolbell.stages import Load
    from schoolbell.stages.timetable import generate

    with pytest.raises(
        TypeError, match=r"got one of schoolbell\.stages\.timetable, expected one of .*university"
    ):
        LoadUniversity().check_problem(generate(3), None)
    with pytest.raises(TypeError, match=r"got one of schoolbell\.stages\.university"):
        Load().check_problem(generate_with_solution(9, 3)[0], None)


def test_a_problem_that_is_no_instance_is_named_by_its_type():
    with pytest.raises(TypeError, match="an Instance or the path of one, got list"):
        LoadUniversity().check_problem([1, 2], None)


def test_expects_longer_of_a_larger_file_packed_or_not(generated, executor, tmp_path):
    instance, _ = generated
    small, large = tmp_path / "small.xml", tmp_path / "large.xml"
    instance.write(small)
    large.write_bytes(small.read_bytes() * 100)
    packed = tmp_path / "packed.xml.gz"
    instance.write(packed)

    def expected(problem):
        state = State(problem, seed=0, executor=executor)
        return LoadUniversity().expected_seconds(state, None)

    assert expected(large) > expected(small) > 0
    assert 0.5 < expected(packed) / expected(small) < 2
    assert expected(instance) > 0
    assert expected(tmp_path / "missing.xml") is None
