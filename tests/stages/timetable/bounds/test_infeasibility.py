"""Why an instance has no feasible timetable."""

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from ortools.sat.python.cp_model import CpModel, CpSolver
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
from schoolbell.stages.timetable.bounds.infeasibility import MOST_REASONS, infeasibility


def instance(lectures, days=1, slots=5, rooms=1, teachers=None, curricula=(), **more) -> Instance:
    """Courses a, b, c, … with so many lectures each, in rooms r1, r2, …"""
    names = [chr(ord("a") + k) for k in range(len(lectures))]
    teachers = teachers or [f"t{k}" for k in range(len(lectures))]
    return Instance(
        "small",
        days,
        slots,
        tuple(
            Course(name, teacher, n, 1, 10)
            for name, teacher, n in zip(names, teachers, lectures, strict=True)
        ),
        tuple(Room(f"r{k + 1}", 30) for k in range(rooms)),
        tuple(Curriculum(f"q{k}", tuple(members)) for k, members in enumerate(curricula)),
        **more,
    )


def closed(course: str, *periods: tuple[int, int]) -> tuple[tuple[str, int, int], ...]:
    return tuple((course, day, slot) for day, slot in periods)


def reasons(problem: Instance, formulation: str = "UD2") -> tuple[str, ...]:
    return infeasibility(problem, Formulation.of(formulation))


def test_too_few_places_are_told_with_both_numbers():
    (reason,) = reasons(instance([3, 3, 3]))
    assert reason == "9 lectures for 5 places (1 room, 5 periods)"
    assert reasons(instance([3, 2])) == ()


def test_a_teacher_with_more_lectures_than_free_periods_is_named():
    problem = instance(
        [4, 4, 4], days=2, slots=6, rooms=3, teachers=["t1"] * 3, curricula=["abc"],
        unavailability=tuple(row for c in "abc" for row in closed(c, (0, 0), (1, 5))),
    )  # fmt: skip
    # The curriculum of the same courses tells nothing new.
    assert reasons(problem) == ("teacher t1 has 12 lectures and 10 free periods",)


def test_some_courses_of_a_curriculum_that_lack_periods_are_named():
    gone = [(0, 2), (0, 3), (0, 4)]
    problem = instance(
        [2, 1, 1], rooms=3, curricula=["abc"],
        unavailability=closed("a", *gone) + closed("b", *gone),
    )  # fmt: skip
    (reason,) = reasons(problem)
    assert reason == "courses a and b of curriculum q0 have 3 lectures and 2 free periods"


def test_a_course_with_more_lectures_than_free_periods_is_named():
    problem = instance([3], unavailability=closed("a", (0, 0), (0, 1), (0, 2)))
    assert reasons(problem) == ("course a has 3 lectures and 2 free periods",)


def test_courses_that_conflict_in_pairs_for_several_reasons_are_found():
    problem = instance([2, 2, 2], rooms=3, teachers=["t", "t", "u"], curricula=["bc", "ac"])
    (reason,) = reasons(problem)
    assert (
        reason
        == "no two of the courses a, b and c may meet: they have 6 lectures and 5 free periods"
    )


def test_courses_that_need_the_only_suitable_room_are_found_where_that_is_hard():
    problem = instance(
        [10, 10, 10], days=5, slots=5, rooms=3,
        room_constraints=tuple((c, r) for c in "abc" for r in ("r2", "r3")),
    )  # fmt: skip
    (reason,) = reasons(problem, "UD4")
    assert (
        reason
        == "courses a, b and c all need the only room that suits (r1): 30 lectures, 25 periods"
    )
    assert reasons(problem, "UD3") == ()


def test_courses_that_share_few_rooms_are_found_though_no_two_have_the_same():
    forbidden = {"a": "34", "b": "14", "c": "24"}
    problem = instance(
        [4, 4, 4, 4], slots=5, rooms=4,
        room_constraints=tuple((c, f"r{r}") for c, text in forbidden.items() for r in text),
    )  # fmt: skip
    assert reasons(problem, "UD4") == ()
    crowded = instance(
        [6, 6, 6], slots=6, rooms=4, teachers=None,
        room_constraints=(
            *(("a", r) for r in ("r3", "r4")),
            *(("b", r) for r in ("r3", "r4")),
            *(("c", r) for r in ("r3", "r4")),
        ),
    )  # fmt: skip
    (reason,) = reasons(crowded, "UD4")
    assert (
        reason == "courses a, b and c need the 2 rooms that can suit (r1 and r2): "
        "18 lectures for 12 places in 6 periods"
    )


def test_a_course_that_no_room_suits_is_named():
    problem = instance([1, 1], rooms=2, room_constraints=(("b", "r1"), ("b", "r2")))
    assert reasons(problem, "UD4") == ("no room suits course b",)


def test_places_in_the_periods_that_courses_have_are_counted():
    gone = [(0, 2), (0, 3), (0, 4)]
    problem = instance([2, 2, 2, 1], rooms=2, unavailability=tuple(
        row for c in "abc" for row in closed(c, *gone)
    ))  # fmt: skip
    (reason,) = reasons(problem)
    assert reason == (
        "courses a, b and c have 6 lectures for 4 places in the 2 rooms in their 2 free periods "
        "(day 0 timeslot 0 and day 0 timeslot 1)"
    )


def test_many_reasons_are_counted_rather_than_listed():
    rows = tuple(row for k in range(20) for row in closed(chr(ord("a") + k), *[(0, 0)] * 1))
    problem = instance([5] * 20, rooms=20, unavailability=rows)
    texts = reasons(problem)
    assert len(texts) == MOST_REASONS
    assert re.fullmatch(r"and \d+ more such reasons", texts[-1])


def random_instance(rng: np.random.Generator) -> Instance:
    slots, n = int(rng.integers(2, 7)), int(rng.integers(1, 7))
    rooms = int(rng.integers(1, 4))
    names = [chr(ord("a") + k) for k in range(n)]
    lectures = rng.integers(1, min(slots, 4) + 1, n).tolist()
    teachers = [f"t{k}" for k in rng.integers(0, n, n)]
    curricula = [
        sorted(rng.choice(names, int(rng.integers(1, n + 1)), replace=False).tolist())
        for _ in range(int(rng.integers(0, 4)))
    ]
    some = rng.random() * 0.6
    gone = tuple((c, 0, s) for c in names for s in range(slots) if rng.random() < some)
    bad = tuple((c, f"r{r + 1}") for c in names for r in range(rooms) if rng.random() < 0.35)
    return instance(
        lectures, 1, slots, rooms, teachers, curricula, unavailability=gone, room_constraints=bad
    )


def is_feasible(problem: Instance, rooms_count: bool) -> bool:
    """Ask CP-SAT with a model of every lecture, period and room."""
    model = CpModel()
    shape = (problem.n_courses, problem.n_periods, problem.n_rooms)
    x = {key: model.new_bool_var("") for key in np.ndindex(*shape)}
    courses, periods, rooms = map(range, shape)
    for c in courses:
        model.add(sum(x[c, p, r] for p in periods for r in rooms) == problem.courses[c].lectures)
        for p in periods:
            model.add(sum(x[c, p, r] for r in rooms) <= int(problem.available[c, p]))
            for r in rooms:
                if rooms_count and not problem.suitable[c, r]:
                    model.add(x[c, p, r] == 0)
    for p in periods:
        for r in rooms:
            model.add(sum(x[c, p, r] for c in courses) <= 1)
        for c in courses:
            for d in problem.conflict_courses[slice(*problem.conflict_starts[c : c + 2])].tolist():
                model.add(sum(x[c, p, r] + x[d, p, r] for r in rooms) <= 1)
    solver = CpSolver()
    solver.parameters.num_workers = 1
    return solver.status_name(solver.solve(model)) != "INFEASIBLE"


@pytest.mark.parametrize("formulation", ["UD2", "UD4"])
def test_what_is_said_is_true_and_seldom_something_is_missed(formulation):
    rng = np.random.default_rng(5)
    said = missed = 0
    for _ in range(300):
        problem = random_instance(rng)
        feasible = is_feasible(problem, formulation == "UD4")
        texts = reasons(problem, formulation)
        assert not (feasible and texts), (problem.dumps(), texts)
        said += bool(texts)
        missed += not feasible and not texts
    assert said > 100
    assert missed < 0.1 * said, (said, missed)


def test_an_evaluation_keeps_the_reasons_and_shows_them():
    problem = instance([3, 3, 3])
    evaluation = replace(
        evaluate(Solution(problem, [], [], [])), infeasible_because=reasons(problem)
    )
    copy = pickle.loads(pickle.dumps(evaluation))
    assert copy == evaluation
    assert "9 lectures for 5 places (1 room, 5 periods)" in copy._repr_html_()


def test_a_generated_instance_has_no_reason_to_be_infeasible():
    for formulation in ("UD2", "UD4"):
        assert reasons(generate(60, seed=1), formulation) == ()
