from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from schoolbell.stages.university import (
    Configuration,
    Course,
    CourseClass,
    Distribution,
    Instance,
    Room,
    Solution,
    Subpart,
    Time,
    TimetableError,
    evaluate,
    generate,
    generate_with_solution,
    reduce,
)
from schoolbell.stages.university.reduction import compatible_times

from ..random_university import random_university

MON, TUE, WED = "10000", "01000", "00100"


def instance_of(classes, rules=(), rooms=()):
    subparts = tuple(Subpart(one.id, (one,)) for one in classes)
    course = Course("c", (Configuration("g", subparts),))
    return Instance("r", 2, rooms, (course,), rules, days=5, slots_per_day=24)


def klass(name, *times, rooms=()):
    return CourseClass(name, 9, tuple(Time(day, at, 2, "11") for day, at in times), rooms)


def starts(one):
    return [(time.days, time.start) for time in one.times]


def test_every_feasible_solution_is_kept_at_its_cost():
    feasible = 0
    for seed in (0, 1, 3, 5):
        instance = random_university(seed, courses=1, distributions=24)
        instance = replace(instance, students=())
        small = [replace(one, times=one.times[:3], rooms=one.rooms[:2]) for one in instance.classes]
        small = [replace(one, parent=None) for one in small[:5]]
        names = {one.id for one in small}
        rules = tuple(
            replace(rule, classes=tuple(name for name in rule.classes if name in names))
            for rule in instance.distributions
        )
        subparts = tuple(Subpart(one.id, (one,)) for one in small)
        course = Course("c", (Configuration("g", subparts),))
        instance = replace(instance, courses=(course,), distributions=rules[seed % 3 :: 3])
        reduction = reduce(instance)
        choices = [
            [(t, r) for t in range(len(one.times)) for r in _rooms(instance, one)]
            for one in instance.classes
        ]
        every = list(product(*choices))
        for at in np.random.default_rng(seed).permutation(len(every))[:30]:
            times, rooms = zip(*every[at], strict=True)
            found = evaluate(Solution(instance, times, rooms))
            if found.feasible:
                feasible += 1
                again = evaluate(reduction.shrink(found.solution))
                assert again.feasible
                assert again.soft == found.soft
                assert reduction.restore(again.solution) == found.solution
            elif (reduction.shrink(found.solution).times >= 0).all():
                assert not evaluate(reduction.shrink(found.solution)).feasible
    assert feasible > 0


def _rooms(instance, one):
    return [instance.room_positions[option.room] for option in one.rooms] or [-1]


def test_the_timetable_of_a_generated_university_survives():
    instance, solution = generate_with_solution(80, 60, seed=3)
    reduction = reduce(instance)
    found = evaluate(reduction.shrink(solution))
    assert found.feasible
    assert found.soft == evaluate(solution).soft
    assert reduction.removed["times"] > 0


@pytest.mark.parametrize(("name", "value"), [("_MOST", 0), ("_RULES", 1), ("_TOGETHER", 1)])
def test_how_times_are_looked_up_does_not_matter(monkeypatch, name, value):
    instance = generate(80, 60, seed=3)
    usual = reduce(instance)
    monkeypatch.setattr(compatible_times, name, value)
    other = reduce(instance)
    assert other.removed == usual.removed
    assert other.instance == usual.instance
    assert usual.removed["times"] > 0 and usual.removed["pairs"] > 0


def test_options_that_go_with_no_option_of_another_class_are_taken_away():
    classes = [
        klass("a", (MON, 8)),
        klass("b", (MON, 9), (TUE, 9)),
        klass("c", (MON, 2), (TUE, 5), (WED, 5)),
    ]
    rules = (Distribution("NotOverlap", ("a", "b")), Distribution("SameDays", ("b", "c")))
    reduced = reduce(instance_of(classes, rules)).instance
    assert [starts(one) for one in reduced.classes] == [[(MON, 8)], [(TUE, 9)], [(TUE, 5)]]
    # Nothing can break the rules any more.
    assert reduced.distributions == ()


def test_times_and_rooms_that_are_closed_are_taken_away():
    rooms = (Room("A", 1, (Time("11111", 0, 24, "10"),)), Room("B", 1, (Time(MON, 9, 1, "01"),)))
    classes = [klass("a", (MON, 8), (TUE, 8), rooms=(("A", 0), ("B", 0)))]
    reduced = reduce(instance_of(classes, rooms=rooms)).instance.classes[0]
    assert starts(reduced) == [(TUE, 8)]
    assert [option.room for option in reduced.rooms] == ["B"]


def test_pairs_that_are_said_twice_or_implied_stay_once_and_make_cliques():
    times = ((MON, 8), (MON, 9), (TUE, 8))
    classes = [klass(name, *times) for name in "abc"]
    rules = (
        Distribution("NotOverlap", ("a", "b")),
        Distribution("NotOverlap", ("b", "a")),
        Distribution("NotOverlap", ("b", "c")),
        Distribution("NotOverlap", ("a", "c")),
        Distribution("DifferentDays", ("a", "c")),
        Distribution("SameStart", ("a", "b"), 3),
        Distribution("SameStart", ("b", "a"), 4),
        Distribution("SameStart", ("c", "b"), 0),
    )
    reduction = reduce(instance_of(classes, rules))
    assert set(reduction.instance.distributions) == {
        Distribution("NotOverlap", ("a", "b")),
        Distribution("NotOverlap", ("b", "c")),
        Distribution("DifferentDays", ("a", "c")),
        Distribution("SameStart", ("a", "b"), 7),
    }
    assert reduction.removed == {"times": 0, "rooms": 0, "pairs": 2, "distributions": 2}
    plain = [Distribution("NotOverlap", pair) for pair in (("a", "b"), ("b", "c"), ("c", "a"))]
    assert reduce(instance_of(classes, tuple(plain))).instance.distributions == (
        Distribution("NotOverlap", ("a", "b", "c")),
    )


def test_an_instance_without_a_solution_keeps_options():
    classes = [klass("a", (MON, 8)), klass("b", (MON, 9))]
    reduced = reduce(instance_of(classes, (Distribution("NotOverlap", ("a", "b")),))).instance
    assert all(one.times for one in reduced.classes)
    assert reduced.distributions


def test_a_solution_of_another_instance_is_refused(good_solution):
    reduction = reduce(instance_of([klass("a", (MON, 8))]))
    with pytest.raises(TimetableError, match="another instance"):
        reduction.restore(good_solution)
