"""What the kernels count, against the definitions."""

from dataclasses import replace

import numpy as np
import pytest
from schoolbell.stages.search.random import random_state
from schoolbell.stages.university import Student, evaluate
from schoolbell.stages.university.errors import InstanceError
from schoolbell.stages.university.reduction.reduction import Reduction
from schoolbell.stages.university.search.annealing import Schedule, anneal_chunk, start_anneal
from schoolbell.stages.university.search.places import Places, Translation
from schoolbell.stages.university.search.search_problem import (
    MOST_SHARED,
    build_search_problem,
    dearest_change,
)
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


def with_costs(instance, penalty, weight):
    """Return an instance whose last class's times cost very much, but for the first."""
    *before, last = instance.courses
    *configurations, end = last.configurations
    *subparts, part = end.subparts
    *classes, one = part.classes
    times = tuple(replace(time, penalty=penalty if k else 0) for k, time in enumerate(one.times))
    part = replace(part, classes=(*classes, replace(one, times=times)))
    end = replace(end, subparts=(*subparts, part))
    last = replace(last, configurations=(*configurations, end))
    weights = replace(instance.weights, time=weight)
    return replace(instance, courses=(*before, last), weights=weights)


def test_costs_far_beyond_the_usual_are_counted_and_weigh_less_than_a_violation():
    instance = with_costs(random_university(2), 3_000_000, 4_000)
    translation = translation_of(instance)
    problem = translation.problem
    places = placed(translation, 1)
    dear = places._replace(row=np.where(np.arange(len(places.row)) == len(places.row) - 1,
                                        problem.time_starts[-1] - 1, places.row))  # fmt: skip
    timetable = build_timetable(problem, *dear)
    found = evaluate(translation.solution(dear))
    assert found.cost > 3_000_000 * 4_000
    assert timetable.total[COST] == found.cost
    assert dearest_change(problem) >= min(3_000_000 * 4_000, 1e12)


def test_more_students_than_two_classes_may_share_are_refused():
    instance = random_university(1)
    crowd = tuple(Student(f"x{k}", ("c0",)) for k in range(MOST_SHARED + 1))
    with pytest.raises(InstanceError, match=r"found 32,768 students of course c0"):
        build_search_problem(replace(instance, students=crowd))
