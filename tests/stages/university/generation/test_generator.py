import pytest
from schoolbell.stages.university import (
    Instance,
    InstanceError,
    evaluate,
    generate,
    generate_with_solution,
)
from schoolbell.stages.university.model.distribution import KINDS


@pytest.mark.parametrize(
    ("classes", "students", "seed"), [(1, 0, 0), (2, 9, 1), (20, 0, 2), (60, 150, 3)]
)
def test_the_hidden_timetable_breaks_no_hard_rule(classes, students, seed):
    instance, solution = generate_with_solution(classes, students, seed)
    assert len(instance.classes) == classes
    assert len(instance.students) == students
    found = evaluate(solution)
    assert found.feasible, found.details(5)
    assert Instance.loads(instance.dumps()) == instance


def test_the_same_seed_gives_the_same_university():
    assert generate(40, 50, seed=5) == generate_with_solution(40, 50, seed=5)[0]
    assert generate(40, 50, seed=5) != generate(40, 50, seed=6)


def test_a_generated_university_has_the_proportions_of_real_ones():
    instance = generate(400, 300, seed=1)
    statistics = instance.statistics()
    assert 8 <= statistics["times_per_class"] <= 45
    assert 2 <= statistics["rooms_per_class"] <= 25
    assert 1.2 <= statistics["classes"] / statistics["courses"] <= 6
    assert 0.6 <= statistics["distributions"] / statistics["classes"] <= 4
    assert 0.5 <= statistics["required_distributions"] / statistics["distributions"] <= 0.95
    assert 3 <= statistics["demands"] / statistics["students"] <= 12
    kinds = {one.kind for one in instance.distributions}
    assert len(kinds) >= len(KINDS) - 3


@pytest.mark.parametrize("arguments", [{"classes": 0}, {"students": -1}, {"seed": -1}])
def test_impossible_sizes_are_refused(arguments):
    with pytest.raises(InstanceError):
        generate(**arguments)
