"""What the kernels count, against the definitions."""

import numpy as np
import pytest
from schoolbell.stages.search.random import random_state
from schoolbell.stages.university import evaluate
from schoolbell.stages.university.reduction.reduction import Reduction
from schoolbell.stages.university.search.annealing import Schedule, anneal_chunk, start_anneal
from schoolbell.stages.university.search.places import Places, Translation
from schoolbell.stages.university.search.search_problem import build_search_problem
from schoolbell.stages.university.search.timetable import (
    COST,
    HARD,
    build_timetable,
    count_all,
)

from ..random_university import random_solution, random_university


def translation_of(instance):
    return Translation(Reduction(instance, instance, {}), build_search_problem(instance))


def placed(translation, seed):
    return translation.draw(np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(25))
def test_the_cost_is_that_of_the_definitions_whatever_is_broken(seed):
    translation = translation_of(random_university(seed))
    places = placed(translation, seed)
    timetable = build_timetable(translation.problem, *places)
    found = evaluate(translation.solution(places))
    assert timetable.total[COST] == found.cost
    # Of equal rules between the same classes one is counted.
    assert 0 <= timetable.total[HARD] <= found.violations
    assert (timetable.total[HARD] > 0) == (found.violations > 0)


@pytest.mark.parametrize("seed", range(12))
def test_moves_keep_count_of_all_that_they_change(seed):
    translation = translation_of(random_university(seed))
    problem = translation.problem
    timetable = build_timetable(problem, *placed(translation, seed))
    schedule = Schedule(start=20.0, end=1.0, moves=6000, chains=0.4)
    anneal = start_anneal(timetable, schedule, random_state(np.random.SeedSequence(seed)))
    anneal_chunk(problem, timetable, anneal, schedule, 6000)
    total, own = timetable.total.copy(), timetable.own.copy()
    surplus, busy = timetable.surplus.copy(), timetable.busy.copy()
    count_all(problem, timetable)
    assert total.tolist() == timetable.total.tolist()
    assert np.array_equal(own, timetable.own)
    assert np.array_equal(surplus, timetable.surplus)
    anew = build_timetable(problem, timetable.row, timetable.option, timetable.bundle)
    assert np.array_equal(busy, anew.busy)
    assert np.array_equal(timetable.attend, anew.attend)
    places = (timetable.row, timetable.option, timetable.bundle)
    now = Places(*(one.astype(np.int64) for one in places))
    assert evaluate(translation.solution(now)).cost == timetable.total[COST]


@pytest.mark.parametrize("seed", range(6))
def test_the_best_is_what_was_counted_for_it(seed):
    translation = translation_of(random_university(seed, distributions=12))
    problem = translation.problem
    timetable = build_timetable(problem, *placed(translation, seed))
    schedule = Schedule(start=5.0, end=0.2, moves=20_000)
    anneal = start_anneal(timetable, schedule, random_state(np.random.SeedSequence(seed)))
    anneal_chunk(problem, timetable, anneal, schedule, 20_000)
    best = (anneal.best_row, anneal.best_option, anneal.best_bundle)
    found = evaluate(translation.solution(Places(*(one.astype(np.int64) for one in best))))
    assert (anneal.best_total[HARD] == 0) == found.feasible
    if found.feasible:
        assert found.cost == anneal.best_total[COST]


def test_a_solution_comes_back_as_it_was():
    instance = random_university(3)
    translation = translation_of(instance)
    solution = random_solution(instance, 3)
    again = translation.solution(translation.places(solution))
    assert np.array_equal(again.times, solution.times)
    assert np.array_equal(again.rooms, solution.rooms)
    assert np.array_equal(again.enrolments, solution.enrolments)


@pytest.mark.parametrize("name", ["row", "option", "bundle"])
def test_places_of_other_instances_are_refused(name):
    translation = translation_of(random_university(4))
    places = placed(translation, 4)
    wrong = getattr(places, name).copy()
    wrong[0] += 1000
    with pytest.raises(ValueError, match=f"{name} must be an option"):
        translation.check(places._replace(**{name: wrong}))
