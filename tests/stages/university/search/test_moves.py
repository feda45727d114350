"""Moves of classes with those that they push away."""

import numpy as np
import pytest
from schoolbell.stages.search.random import random_state
from schoolbell.stages.university import (
    Configuration,
    Course,
    CourseClass,
    Distribution,
    Instance,
    Subpart,
    Time,
    Weights,
    evaluate,
)
from schoolbell.stages.university.reduction.reduction import Reduction
from schoolbell.stages.university.search.annealing import Schedule, anneal_chunk, start_anneal
from schoolbell.stages.university.search.places import Places, Translation
from schoolbell.stages.university.search.search_problem import build_search_problem
from schoolbell.stages.university.search.timetable import COST, HARD, build_timetable

N = 15


def together(kind, penalty):
    """Make a university of classes that are to go together, and cost less on Tuesday."""
    times = (Time("10000", 4, 2, "1", 1), Time("01000", 4, 2, "1", 0))
    courses = tuple(
        Course(f"c{k}", (Configuration("g", (Subpart("s", (CourseClass(f"k{k}", 0, times),)),)),))
        for k in range(N)
    )
    rule = Distribution(kind, tuple(f"k{k}" for k in range(N)), penalty)
    return Instance("together", 1, (), courses, (rule,), (), Weights(1, 1, 1, 1), (), 5, 20)


@pytest.mark.parametrize("kind", ["SameTime", "SameDays", "SameStart"])
@pytest.mark.parametrize("penalty", [None, 4])
def test_classes_that_are_to_go_together_move_together(kind, penalty):
    instance = together(kind, penalty)
    translation = Translation(Reduction(instance, instance, {}), build_search_problem(instance))
    problem = translation.problem
    monday = problem.time_starts[:-1].astype(np.int64)
    places = Places(monday, np.full(N, -1), np.empty(0, np.int64))
    timetable = build_timetable(problem, *places)
    assert timetable.total.tolist() == [0, N]
    # Colder by far than what one class alone would cost on another day.
    schedule = Schedule(start=0.5, end=0.2, moves=5000)
    anneal = start_anneal(timetable, schedule, random_state(np.random.SeedSequence(1)))
    anneal_chunk(problem, timetable, anneal, schedule, 5000)
    assert (anneal.best_total[HARD], anneal.best_total[COST]) == (0, 0)
    best = Places(anneal.best_row.astype(np.int64), places.option, places.bundle)
    assert evaluate(translation.solution(best)).cost == 0
