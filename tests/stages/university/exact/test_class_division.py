"""Classes placed by the search and taken apart for CP-SAT."""

import numpy as np
import pytest
from schoolbell.stages.problem import SolveLimits
from schoolbell.stages.tasks.stop_flag import StopFlag
from schoolbell.stages.university import evaluate, generate, reduce
from schoolbell.stages.university.exact.troubles import troubled
from schoolbell.stages.university.university_problem import UniversityProblem

from ..random_university import random_solution, random_university


@pytest.fixture(scope="module")
def division():
    return UniversityProblem(reduce(generate(40, 80, 1))).divide()


@pytest.fixture(scope="module")
def draft(division):
    return division.construct(np.random.default_rng(1), SolveLimits(10.0), StopFlag()).run()


def test_builds_a_whole_timetable_with_students_within_the_limits(draft):
    solution, violations, cost = draft.evaluate()
    found = evaluate(solution)
    assert (violations, cost) == (found.violations, found.cost)
    assert found.hard["Students"] == found.hard["Limits"] == 0
    assert draft.missing == 0
    assert found.feasible


def test_counts_the_classes_that_have_been_placed(division):
    task = division.construct(np.random.default_rng(1), SolveLimits(10.0), StopFlag())
    assert task.counts() == (0, division.book.n_classes)
    task.run()
    assert task.counts() == (division.book.n_classes, division.book.n_classes)


def test_the_same_seed_builds_the_same(division, draft):
    again = division.construct(np.random.default_rng(1), SolveLimits(10.0), StopFlag()).run()
    assert np.array_equal(again.times, draft.times)
    assert np.array_equal(again.enrolments, draft.enrolments)


def test_improves_by_what_the_objective_says(division, draft):
    nodes = np.arange(8)
    task = division.improve(nodes, draft, SolveLimits(1.0), 0, StopFlag(), 1, 0)
    found = task.run()
    assert found.placed is not None
    changed = draft.change([(nodes, found.placed)]).run()
    assert changed.missing == 0
    assert changed.evaluate()[2] <= draft.evaluate()[2]


def test_goes_on_from_what_was_saved(division, draft):
    again = division.load_state_dict(draft.state_dict())
    assert again.evaluate()[1:] == draft.evaluate()[1:]


@pytest.mark.parametrize("seed", range(4))
def test_classes_without_trouble_break_no_rule(seed):
    instance = random_university(seed, distributions=6)
    solution = random_solution(instance, seed, 0.1)
    division = UniversityProblem(reduce(instance)).divide()
    draft = division.draft(solution)
    kinds = ("Times", "Rooms", "ClosedRooms", "RoomConflicts", "Distributions")
    smaller = evaluate(division.reduction.shrink(solution))
    broken = any(smaller.hard[kind] for kind in kinds)
    assert troubled(division.book, draft.places).any() == broken
