"""Periods by CP-SAT."""

import threading

import numpy as np
import pytest
from schoolbell.stages.problem import SolveLimits
from schoolbell.stages.tasks.stop_flag import StopFlag
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Formulation,
    Instance,
    Room,
    Solution,
    evaluate,
)
from schoolbell.stages.timetable.constraints import registry
from schoolbell.stages.timetable.constraints.constraint import Constraint
from schoolbell.stages.timetable.periods.draft import Draft
from schoolbell.stages.timetable.periods.period_model import improve, place_all
from schoolbell.stages.timetable.periods.period_problem import PeriodRelaxation
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable

LIMITS = SolveLimits(effort=2.0)
OF_PERIODS = ("MinWorkingDays", "IsolatedLectures", "Windows", "StudentMinMaxLoad")
ONLY_PERIODS = [
    Formulation("days", {"MinWorkingDays": 5}),
    Formulation("isolated", {"IsolatedLectures": 2}),
    Formulation("windows", {"Windows": 4}),
    Formulation("load", {"StudentMinMaxLoad": 3}),
    Formulation("all", dict.fromkeys(OF_PERIODS, 2)),
]


def greedy_draft(instance, seed=0):
    return Draft.of_lectures(instance, *greedy_timetable(instance, np.random.default_rng(seed)))


def frozen(problem):
    """The problem with no choice but its hint."""
    return type(problem)(
        **{n: getattr(problem, n) for n in problem.__slots__} | {"allowed": problem.hint}
    )


def soft_cost(draft, formulation):
    return evaluate(draft.solution(), formulation).cost


@pytest.mark.parametrize("formulation", ONLY_PERIODS, ids=lambda f: f.name)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_objective_is_the_cost_of_the_timetable(instance, formulation, seed):
    draft = greedy_draft(instance, seed)
    everyone = np.arange(instance.n_courses)
    problem = PeriodRelaxation(instance, formulation).part(everyone, draft.placed)
    result = improve(frozen(problem), LIMITS, 1, StopFlag())
    assert result.objective == soft_cost(draft, formulation) + 10_000 * draft.missing


@pytest.mark.parametrize("formulation", ONLY_PERIODS, ids=lambda f: f.name)
def test_what_is_fixed_counts_in_the_objective_of_a_part(instance, formulation):
    draft = greedy_draft(instance)
    part = np.arange(0, instance.n_courses, 2)
    problems = PeriodRelaxation(instance, formulation)
    problem = problems.part(part, draft.placed)
    before = improve(frozen(problem), LIMITS, 1, StopFlag())
    after = improve(problem, LIMITS, 1, StopFlag())
    changed = draft.change(part, after.placed)
    gain = timetable_cost(draft, formulation) - timetable_cost(changed, formulation)
    assert gain == before.objective - after.objective
    assert gain >= 0


def timetable_cost(draft, formulation):
    """Cost as if every lecture had a room of its own."""
    large = tuple(Room(f"r{i}", 1000) for i in range(draft.instance.n_courses))
    instance = Instance(
        "roomy",
        draft.instance.days,
        draft.instance.periods_per_day,
        draft.instance.courses,
        large,
        draft.instance.curricula,
        draft.instance.unavailability,
        min_daily_lectures=draft.instance.min_load,
        max_daily_lectures=draft.instance.max_load,
    )
    periods, _ = draft.lecture_arrays()
    rooms = np.where(periods >= 0, draft.instance.lecture_course, -1)
    found = evaluate(Solution.of_lectures(instance, periods, rooms), formulation)
    assert found.hard["Conflicts"] == found.hard["Availability"] == 0
    return found.cost + 10_000 * found.hard["Lectures"]


def test_a_part_keeps_clear_of_what_is_fixed_and_of_the_rooms_in_use(instance):
    draft = greedy_draft(instance)
    part = np.arange(1, instance.n_courses, 2)
    problem = PeriodRelaxation(instance, Formulation.UD2).part(part, draft.placed)
    result = improve(problem, LIMITS, 1, StopFlag())
    changed = draft.change(part, result.placed)
    assert (changed.placed.sum(axis=0) <= instance.n_rooms).all()
    timetable_cost(changed, Formulation.UD2)


def test_two_parts_together_never_take_more_rooms_than_there_are(instance):
    draft = greedy_draft(instance)
    problems = PeriodRelaxation(instance, Formulation.UD2)
    halves = np.array_split(np.arange(instance.n_courses), 2)
    limits = [problems.part(h, draft.placed, 2, i).room_limits for i, h in enumerate(halves)]
    assert (sum(limits) == instance.n_rooms).all()


def test_double_lectures_are_brought_together():
    course = Course("c", "t", 2, 1, 10, double_lectures=True)
    barred = [("c", 1, slot) for slot in range(4)] + [("c", 0, 3)]
    other = Course("d", "t", 1, 1, 10)
    instance = Instance("double", 2, 4, (course, other), (Room("r", 20),), (), barred)
    placed = np.zeros((2, 8), bool)
    placed[0, [0, 2]] = True
    placed[1, 4] = True
    formulation = Formulation("double", {"DoubleLectures": 1})
    problem = PeriodRelaxation(instance, formulation).part(np.array([0]), placed)
    assert improve(frozen(problem), LIMITS, 1, StopFlag()).objective == 2
    assert improve(problem, LIMITS, 1, StopFlag()).objective == 0


def test_periods_are_charged_for_by_the_table_of_a_constraint(monkeypatch):
    late = Constraint.by_period("Late", lambda one: [[3, 1, 0]], lambda placed, row: "late")
    monkeypatch.setitem(registry._by_name, "Late", late)
    course = Course("c", "t", 1, 1, 10)
    instance = Instance("late", 1, 3, (course,), (Room("r", 20),))
    placed = np.array([[True, False, False]])
    problems = PeriodRelaxation(instance, Formulation("late", {"Late": 2}))
    problem = problems.part(np.array([0]), placed)
    assert improve(frozen(problem), LIMITS, 1, StopFlag()).objective == 6
    assert improve(problem, LIMITS, 1, StopFlag()).objective == 0


def test_large_courses_are_spread_over_the_large_rooms():
    courses = tuple(Course(f"c{i}", f"t{i}", 1, 1, 90) for i in range(2))
    rooms = (Room("small", 40), Room("large", 100))
    instance = Instance("sizes", 1, 2, courses, rooms)
    placed = np.array([[True, False], [True, False]])
    problems = PeriodRelaxation(instance, Formulation("size", {"RoomCapacity": 1}))
    problem = problems.part(np.arange(2), placed)
    assert improve(frozen(problem), LIMITS, 1, StopFlag()).objective == 50
    assert improve(problem, LIMITS, 1, StopFlag()).objective == 0


def test_places_all_lectures_where_greed_does_not(cbctt):
    instance = Instance.read(cbctt / "comp05.ectt")
    nothing = np.zeros((instance.n_courses, instance.n_periods), bool)
    problem = PeriodRelaxation(instance, Formulation.UD2).whole(nothing)
    result = place_all(problem, LIMITS, 1, StopFlag())
    assert result.placed is not None
    assert (result.placed.sum(axis=1) == instance.course_lectures).all()
    assert not (result.placed & ~instance.available).any()
    ends = np.repeat(np.arange(instance.n_courses), np.diff(instance.conflict_starts))
    assert not (result.placed[ends] & result.placed[instance.conflict_courses]).any()


def test_tells_when_there_is_no_timetable():
    courses = (Course("a", "same", 3, 1, 10), Course("b", "same", 2, 1, 10))
    instance = Instance("crowded", 2, 2, courses, (Room("r", 20), Room("s", 20)))
    problem = PeriodRelaxation(instance, Formulation.UD2).whole(np.zeros((2, 4), bool))
    result = place_all(problem, LIMITS, 1, StopFlag())
    assert result.placed is None
    assert result.optimal


def test_places_what_the_hint_lacks_before_it_saves_cost():
    courses = (Course("a", "t", 2, 2, 10), Course("b", "t", 2, 1, 10))
    curricula = (Curriculum("q", ("a", "b")),)
    instance = Instance("gap", 2, 2, courses, (Room("r", 20),), curricula)
    placed = np.array([[True, False, False, False], [False, True, False, True]])
    problem = PeriodRelaxation(instance, Formulation.UD2).part(np.array([0]), placed)
    result = improve(problem, LIMITS, 1, StopFlag())
    assert result.placed.tolist() == [[True, False, True, False]]


def test_the_same_seed_and_effort_give_the_same_periods(instance):
    draft = greedy_draft(instance)
    problem = PeriodRelaxation(instance, Formulation.UD2).part(
        np.arange(instance.n_courses), draft.placed
    )
    effort = SolveLimits(effort=0.02)
    one, other = (improve(problem, effort, 7, StopFlag()) for _ in range(2))
    assert (one.placed == other.placed).all()


def test_stops_when_the_flag_is_set(cbctt):
    instance = Instance.read(cbctt / "comp12.ectt")
    draft = greedy_draft(instance)
    everyone = np.arange(instance.n_courses)
    problem = PeriodRelaxation(instance, Formulation.UD2).part(everyone, draft.placed)
    flag = StopFlag()
    solving = threading.Thread(target=improve, args=(problem, SolveLimits(1e6), 1, flag))
    solving.start()
    flag.set()
    solving.join(timeout=20)
    assert not solving.is_alive()
