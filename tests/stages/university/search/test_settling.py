"""A first timetable by the search alone."""

from dataclasses import replace

import numpy as np
import pytest
from schoolbell.stages.problem import SolveLimits
from schoolbell.stages.tasks.stop_flag import StopFlag
from schoolbell.stages.university import evaluate, generate, reduce
from schoolbell.stages.university.search.places import Translation
from schoolbell.stages.university.search.search_problem import build_search_problem
from schoolbell.stages.university.search.settling import settle


@pytest.fixture(scope="module")
def translation():
    reduction = reduce(generate(60, 150, 3))
    return Translation(reduction, build_search_problem(reduction.instance))


def settled(translation, seed=1, effort=10.0, flag=None):
    rng = np.random.default_rng(seed)
    return settle(translation, 5.0, rng, SolveLimits(effort), flag or StopFlag())


def violations(translation, places):
    return evaluate(translation.solution(places)).violations


def test_finds_a_timetable_without_violations(translation):
    drawn = translation.draw(np.random.default_rng(1))
    assert violations(translation, drawn) > 50
    assert violations(translation, settled(translation)) == 0


def test_cools_what_breaks_no_rule(translation):
    drawn = translation.draw(np.random.default_rng(1))
    cost = evaluate(translation.solution(settled(translation))).cost
    assert cost < 0.5 * evaluate(translation.solution(drawn)).cost


def test_the_same_seed_settles_the_same(translation):
    one, same, other = (settled(translation, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_ends_at_once_when_asked_to(translation):
    flag = StopFlag()
    flag.set()
    places = settled(translation, flag=flag)
    drawn = translation.draw(np.random.default_rng(1))
    assert all(np.array_equal(a, b) for a, b in zip(places, drawn, strict=True))


def test_tells_how_many_classes_are_settled(translation):
    placed, n = np.zeros(1, np.int64), len(translation.problem.limit)
    rng = np.random.default_rng(1)
    settle(translation, 5.0, rng, SolveLimits(10.0), StopFlag(), placed)
    assert placed[0] == n
    crowded = translation.problem
    # Nobody may attend: what is full by then is never settled.
    nobody = replace(crowded, limit=np.zeros_like(crowded.limit))
    narrow = Translation(translation.reduction, nobody)
    settle(narrow, 5.0, np.random.default_rng(1), SolveLimits(1.0), StopFlag(), placed)
    assert 0 < placed[0] < n


def test_shows_the_best_places_so_far(translation):
    seen = []

    class Found(list):
        def __setitem__(self, key, value):
            super().__setitem__(key, value)
            seen.append(violations(translation, value[0]))

    found = Found()
    rng = np.random.default_rng(1)
    settle(translation, 5.0, rng, SolveLimits(10.0), StopFlag(), None, found)
    assert seen == sorted(set(seen), reverse=True)
    assert seen[-1] == 0
