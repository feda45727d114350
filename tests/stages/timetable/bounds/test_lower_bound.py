"""What every feasible timetable costs at least."""

from itertools import combinations, product

import numpy as np
import pytest
from schoolbell.stages.tasks.stop_flag import StopFlag
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Formulation,
    Instance,
    Room,
    Solution,
    evaluate,
    generate,
)
from schoolbell.stages.timetable.bounds.lower_bound import lower_bound
from schoolbell.stages.timetable.generation.generator import generate_with_timetable
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable

FORMULATIONS = ("UD1", "UD2", "UD3", "UD4", "UD5")


def tiny_instance(seed: int) -> Instance:
    """Three courses, so few periods and rooms that every timetable can be looked at."""
    rng = np.random.default_rng(seed)
    courses = [
        Course(
            f"c{i}",
            f"t{rng.integers(3)}",
            lectures=1 + (i == 2),
            min_working_days=int(rng.integers(1, 4)),
            students=int(rng.integers(5, 40)),
            double_lectures=bool(rng.integers(2)),
        )
        for i in range(3)
    ]
    rooms = [Room("a", int(rng.integers(10, 40)), "x"), Room("b", int(rng.integers(10, 40)), "y")]
    curricula = [Curriculum("q0", ("c0", "c1")), Curriculum("q1", ("c1", "c2"))]
    barred = {(f"c{rng.integers(3)}", int(rng.integers(2)), int(rng.integers(2))) for _ in range(2)}
    unsuitable = {(f"c{rng.integers(3)}", "ab"[rng.integers(2)]) for _ in range(2)}
    return Instance(
        "tiny", 2, 2, courses, rooms, curricula, sorted(barred), sorted(unsuitable), 2, 2
    )


def feasible_costs(instance: Instance) -> dict[str, int]:
    """The lowest cost by formulation of all timetables; where there are none, no entry."""
    choices = []
    for course in range(instance.n_courses):
        cells = list(product(np.flatnonzero(instance.available[course]), range(instance.n_rooms)))
        choices.append(
            [
                pick
                for pick in combinations(cells, int(instance.course_lectures[course]))
                if len({period for period, _ in pick}) == len(pick)
            ]
        )
    least: dict[str, int] = {}
    for timetable in product(*choices):
        cells = [cell for pick in timetable for cell in pick]
        if len(set(cells)) < len(cells):
            continue
        periods, rooms = np.array(cells).T
        solution = Solution.of_lectures(instance, periods, rooms)
        for name in FORMULATIONS:
            evaluation = evaluate(solution, name)
            if evaluation.feasible and evaluation.cost < least.get(name, np.inf):
                least[name] = evaluation.cost
    return least


def test_no_timetable_of_a_tiny_instance_costs_less():
    gaps = []
    for seed in range(3):
        instance = tiny_instance(seed)
        for name, cost in feasible_costs(instance).items():
            gaps.append(cost - lower_bound(instance, Formulation.of(name)))
    assert min(gaps) == 0


@pytest.mark.parametrize("name", FORMULATIONS)
@pytest.mark.parametrize("seed", range(3))
def test_timetables_known_to_be_feasible_cost_no_less(name, seed):
    instance, timetable = generate_with_timetable(30, seed)
    evaluation = evaluate(timetable, name)
    assert evaluation.feasible
    assert lower_bound(instance, Formulation.of(name), effort=0.05) <= evaluation.cost


def test_greedy_timetables_cost_no_less(instance):
    for name in FORMULATIONS:
        bound = lower_bound(instance, Formulation.of(name), effort=0.05)
        for seed in range(5):
            arrays = greedy_timetable(instance, np.random.default_rng(seed))
            evaluation = evaluate(Solution.of_lectures(instance, *arrays), name)
            assert evaluation.violations or bound <= evaluation.cost


def week(courses, rooms, curricula=(), **more):
    return Instance("week", 5, 4, tuple(courses), tuple(rooms), tuple(curricula), **more)


def test_seats_that_no_room_has_are_counted():
    instance = week([Course("c", "t", 3, 1, 42)], [Room("a", 40), Room("b", 30)])
    assert lower_bound(instance, Formulation.UD1) == 3 * 2


def test_large_courses_that_fill_the_large_room_push_each_other_out():
    courses = [Course("c", "t", 12, 1, 40), Course("d", "u", 11, 1, 40)]
    instance = week(courses, [Room("a", 40), Room("b", 30)])
    assert lower_bound(instance, Formulation.UD1) == 3 * 10


def test_a_course_that_no_single_room_can_hold_changes_rooms():
    # Three courses of 15 lectures in two rooms of 24 periods: one of them is divided.
    courses = [Course(f"c{i}", f"t{i}", 15, 1, 10) for i in range(3)]
    instance = Instance("full", 6, 4, tuple(courses), (Room("a", 40), Room("b", 40)))
    assert lower_bound(instance, Formulation.UD2) == 1


def test_days_that_a_course_cannot_have_are_counted():
    barred = [("c", day, slot) for day in (0, 1, 2) for slot in range(4)]
    instance = week([Course("c", "t", 3, 4, 10)], [Room("a", 40)], unavailability=tuple(barred))
    assert lower_bound(instance, Formulation.UD1) == 2 * 5


def test_days_and_curricula_are_weighed_against_each_other():
    # Spread over three days the lectures stand alone (3); together two days lack (10).
    course = Course("c", "t", 3, 3, 10)
    instance = week([course], [Room("a", 40)], [Curriculum("q", ("c",))])
    assert lower_bound(instance, Formulation.UD1) == 3
    assert lower_bound(instance, Formulation.UD2) == 6


def test_a_course_of_two_curricula_lacks_its_days_once():
    course = Course("c", "t", 2, 4, 10)
    curricula = [Curriculum("q", ("c", "d")), Curriculum("r", ("c", "e"))]
    others = [Course(id, id, 2, 1, 10) for id in ("d", "e")]
    instance = week([course, *others], [Room("a", 40)], curricula)
    assert lower_bound(instance, Formulation.UD1) == 2 * 5


def test_an_instance_without_feasible_timetables_has_a_bound_all_the_same():
    courses = [Course(f"c{i}", "t", 4, 1, 10) for i in range(6)]
    instance = week(courses, [Room("a", 40)], [Curriculum("q", tuple(c.id for c in courses))])
    for name in FORMULATIONS:
        assert lower_bound(instance, Formulation.of(name)) >= 0


def test_a_bound_without_a_limit_in_seconds_is_always_the_same():
    instance = generate(60, seed=5)
    bounds = {lower_bound(instance, Formulation.UD2, effort=0.05) for _ in range(2)}
    assert len(bounds) == 1


def test_what_there_is_no_time_for_is_left_out():
    instance = week([Course("c", "t", 3, 3, 42)], [Room("a", 40)], [Curriculum("q", ("c",))])
    flag = StopFlag()
    flag.set()
    assert lower_bound(instance, Formulation.UD1, flag=flag) == 3 * 2
    assert lower_bound(instance, Formulation.UD1, seconds=0) == 3 * 2


def test_the_seats_that_comp01_lacks_are_proved(cbctt):
    instance = Instance.read(cbctt / "comp01.ctt")
    assert lower_bound(instance, Formulation.UD1) == 4
    assert lower_bound(instance, Formulation.UD2) == 5
