import numpy as np
import pytest
from schoolbell.stages.timetable import Formulation, Instance
from schoolbell.stages.timetable.search import (
    build_search_problem,
    build_timetable,
    cluster_costs,
    cross,
    random_state,
)
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable

Places = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def parents(instance: Instance) -> list[Places]:
    made = [greedy_timetable(instance, np.random.default_rng(seed)) for seed in (1, 2)]
    problem = build_search_problem(instance, Formulation.UD2)
    tables = [build_timetable(problem, *places) for places in made]
    return [(table.period, table.room) for table in tables]


def test_courses_of_the_second_parent_stand_where_they_stood(
    instance: Instance, parents: list[Places]
) -> None:
    problem = build_search_problem(instance, Formulation.UD2)
    from_second = np.arange(instance.n_courses) % 2 == 0
    child = cross(problem, *parents, from_second, random_state(np.random.SeedSequence(1)))
    taken = from_second[instance.lecture_course] & (parents[1][0] >= 0)
    assert taken.any()
    np.testing.assert_array_equal(child.period[taken], parents[1][0][taken])
    np.testing.assert_array_equal(child.room[taken], parents[1][1][taken])


def test_most_other_courses_stand_as_in_the_first_parent(
    instance: Instance, parents: list[Places]
) -> None:
    problem = build_search_problem(instance, Formulation.UD2)
    from_second = np.arange(instance.n_courses) < 4
    child = cross(problem, *parents, from_second, random_state(np.random.SeedSequence(1)))
    others = ~from_second[instance.lecture_course]
    assert np.mean(child.period[others] == parents[0][0][others]) > 0.6


def test_a_child_places_every_lecture_that_its_parents_placed(
    instance: Instance, parents: list[Places]
) -> None:
    problem = build_search_problem(instance, Formulation.UD2)
    placed = min(int(np.count_nonzero(period >= 0)) for period, _ in parents)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        child = cross(
            problem,
            *parents,
            rng.random(instance.n_courses) < 0.5,
            random_state(np.random.SeedSequence(seed)),
        )
        assert np.count_nonzero(child.period >= 0) >= placed
        anew = build_timetable(problem, child.period, child.room)
        assert anew.total.tolist() == child.total.tolist()


def test_the_clusters_costs_sum_to_more_where_conflicts_are(
    instance: Instance, parents: list[Places]
) -> None:
    problem = build_search_problem(instance, Formulation.UD2)
    clusters = np.arange(instance.n_courses) % 3
    table = build_timetable(problem, *parents[0])
    costs = cluster_costs(problem, table, clusters, 3, 100.0)
    dearer = cluster_costs(problem, table, clusters, 3, 1000.0)
    assert costs.shape == (3,)
    hard = table.total[0] > 0
    assert (dearer.sum() > costs.sum()) == hard


def test_without_conflicts_the_clusters_costs_sum_to_the_total(instance: Instance) -> None:
    problem = build_search_problem(instance, Formulation.UD2)
    for seed in range(20):
        places = greedy_timetable(instance, np.random.default_rng(seed))
        table = build_timetable(problem, *places)
        if table.total[0] == 0:
            break
    assert table.total[0] == 0
    costs = cluster_costs(problem, table, np.arange(instance.n_courses) % 4, 4, 100.0)
    assert costs.sum() == pytest.approx(table.total[1])
