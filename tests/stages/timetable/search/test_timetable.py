"""The kernels against the reference: counters, totals and the official cost."""

import os
import pickle

import numpy as np
import pytest
from schoolbell.stages.search.compiling import kernel_of
from schoolbell.stages.timetable import Formulation, Instance, Solution, evaluate, generate
from schoolbell.stages.timetable.constraints import registry
from schoolbell.stages.timetable.constraints.constraint import Constraint
from schoolbell.stages.timetable.model.formulation import SOFT_CONSTRAINTS
from schoolbell.stages.timetable.repair_operators import OPERATORS
from schoolbell.stages.timetable.search import (
    Schedule,
    Timetable,
    anneal_chunk,
    build_search_problem,
    build_timetable,
    random_state,
    search_problem,
    start_anneal,
)
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable
from schoolbell.stages.timetable.search.repairing.episodes import (
    FIRST,
    LECTURE,
    start_repair,
    take_step,
)
from schoolbell.stages.timetable.search.timetable import turn_into

COUNTERS = (
    "cell",
    "lecture",
    "conflicts",
    "present",
    "on_day",
    "working_days",
    "mask",
    "count",
    "clash",
    "in_building",
    "turning",
    "slack",
    "total",
)
# As the environment of repair has it, so that it is compiled once for both.
apply = kernel_of(take_step)

COLD = Schedule(2.0, 0.2, 60_000)
HOT_AND_BLIND_TO_VIOLATIONS = Schedule(1e6, 1e5, 60_000, violation=1.0, kempe=0.3)
CHAINS_ONLY = Schedule(5.0, 1.0, 20_000, kempe=1.0)
PAIRS_ONLY = Schedule(20.0, 1.0, 60_000, kempe=0.0, best_room=0.0, pair=1.0)
DOUBLE_CHAINS_ONLY = Schedule(20.0, 1.0, 60_000, kempe=0.0, best_room=0.0, pair=0.0, double=1.0)
SCHEDULES = (HOT_AND_BLIND_TO_VIOLATIONS, COLD, CHAINS_ONLY, PAIRS_ONLY, DOUBLE_CHAINS_ONLY)
HOT = Schedule(1e6, 1e5, 40_000_000, violation=1.0, cutoff=1.0)
HOT_WITHOUT_A_CLASH = Schedule(100.0, 100.0, 40_000_000, levels=1, violation=1e6, cutoff=1.0)

# Kernels are compiled for each formulation, half a minute each: one with all constraints and
# one without some of them stand for the others where SCHOOLBELL_ALL_FORMULATIONS is not set.
HARD = ("RoomSuitability",)
WEIGHTS = {name: 1 + i for i, name in enumerate(sorted(set(SOFT_CONSTRAINTS) - set(HARD)))}
# Constraints that are described by tables of numbers, which tell where a kernel mistakes one.
TABLES = {
    "OfRooms": Constraint.by_room(
        "OfRooms", lambda one: _numbers(one.n_courses, one.n_rooms), lambda placed, row: ""
    ),
    "OfPeriods": Constraint.by_period(
        "OfPeriods", lambda one: _numbers(one.n_courses, one.n_periods), lambda placed, row: ""
    ),
    "OfDays": Constraint.by_day(
        "OfDays",
        lambda occupied: occupied @ (1 + np.arange(occupied.shape[1])) % 5,
        lambda placed, q, day: "",
    ),
}


def _numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 4, shape)


with pytest.MonkeyPatch.context() as known:
    for name, constraint in TABLES.items():
        known.setitem(registry._by_name, name, constraint)
    ALL = Formulation("all", WEIGHTS | {"OfRooms": 2, "OfPeriods": 3, "OfDays": 1}, HARD)


@pytest.fixture(autouse=True)
def tables_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, constraint in TABLES.items():
        monkeypatch.setitem(registry._by_name, name, constraint)


FORMULATIONS = [Formulation.UD2, ALL]
if os.environ.get("SCHOOLBELL_ALL_FORMULATIONS"):
    FORMULATIONS += [Formulation.UD1, Formulation.UD3, Formulation.UD4, Formulation.UD5]
EACH_FORMULATION = pytest.mark.parametrize("formulation", FORMULATIONS, ids=lambda one: one.name)


def assert_counted_right(
    instance: Instance, formulation: Formulation, timetable: Timetable
) -> None:
    problem = build_search_problem(instance, formulation)
    anew = build_timetable(problem, timetable.period, timetable.room)
    for counter in COUNTERS:
        np.testing.assert_array_equal(getattr(timetable, counter), getattr(anew, counter), counter)
    period, room = (a.astype(np.int32) for a in (timetable.period, timetable.room))
    evaluation = evaluate(Solution.of_lectures(instance, period, room), formulation)
    assert timetable.total.tolist() == [evaluation.violations, evaluation.cost]


@EACH_FORMULATION
def test_counters_and_cost_agree_with_the_reference_after_every_kind_of_move(
    instance: Instance, formulation: Formulation
) -> None:
    problem = build_search_problem(instance, formulation)
    period = room = np.full(instance.n_lectures, -1)
    for schedule in SCHEDULES:
        rng = random_state(np.random.SeedSequence(1))
        anneal = start_anneal(problem, period, room, schedule, rng)
        while anneal.moves_left:
            anneal_chunk(problem, anneal, schedule, 5_000)
            assert_counted_right(instance, formulation, anneal.timetable)
        assert anneal.clock[5] > 100
        period, room = anneal.best_period, anneal.best_room


def test_chains_and_pairs_move_where_courses_share_columns_of_the_conflict_matrix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance = generate(courses=90, seed=1)
    monkeypatch.setattr(search_problem, "MAX_COLUMNS", 64)
    problem = build_search_problem(instance, Formulation.UD2)
    assert problem.conflict_bits.shape[1] * 64 < instance.n_courses
    period, room = greedy_timetable(instance, np.random.default_rng(1))
    for schedule in (CHAINS_ONLY, PAIRS_ONLY, DOUBLE_CHAINS_ONLY):
        anneal = start_anneal(
            problem, period, room, schedule, random_state(np.random.SeedSequence(1))
        )
        anneal_chunk(problem, anneal, schedule, 20_000)
        assert anneal.clock[5] > 100
        assert_counted_right(instance, Formulation.UD2, anneal.timetable)


@EACH_FORMULATION
@pytest.mark.parametrize("schedule", [HOT, HOT_WITHOUT_A_CLASH], ids=["any", "without a clash"])
def test_counters_hold_after_a_million_accepted_moves(
    instance: Instance, formulation: Formulation, schedule: Schedule
) -> None:
    problem = build_search_problem(instance, formulation)
    nowhere = np.full(instance.n_lectures, -1)
    rng = random_state(np.random.SeedSequence(2))
    first = start_anneal(problem, nowhere, nowhere, COLD, rng)
    anneal_chunk(problem, first, COLD, COLD.moves)
    anneal = start_anneal(problem, first.best_period, first.best_room, schedule, rng)
    clashed = False
    while anneal.clock[5] < 1_000_000:
        anneal_chunk(problem, anneal, schedule, 10_000)
        clashed = clashed or anneal.timetable.total[0] > 0
    assert clashed == (schedule is HOT)
    assert_counted_right(instance, formulation, anneal.timetable)


def test_a_copy_from_another_process_counts_on(instance: Instance) -> None:
    problem = build_search_problem(instance, Formulation.UD2)
    nowhere = np.full(instance.n_lectures, -1)
    anneal = start_anneal(problem, nowhere, nowhere, COLD, random_state(np.random.SeedSequence(4)))
    for _ in range(2):
        anneal = pickle.loads(pickle.dumps(anneal_chunk(problem, anneal, COLD, 20_000)))
        assert_counted_right(instance, Formulation.UD2, anneal.timetable)
    assert np.shares_memory(anneal.timetable.turning, anneal.timetable.turning_words)


def test_the_best_timetable_is_the_one_whose_total_was_kept(instance: Instance) -> None:
    problem = build_search_problem(instance, Formulation.UD2)
    schedule = COLD
    nowhere = np.full(instance.n_lectures, -1)
    anneal = start_anneal(
        problem, nowhere, nowhere, schedule, random_state(np.random.SeedSequence(3))
    )
    anneal_chunk(problem, anneal, schedule, 60_000)
    anew = build_timetable(problem, anneal.best_period, anneal.best_room)
    assert anew.total.tolist() == anneal.best_total.tolist()
    turn_into(problem, anneal.timetable, anneal.best_period, anneal.best_room)
    assert_counted_right(instance, Formulation.UD2, anneal.timetable)
    assert anneal.timetable.total.tolist() == anneal.best_total.tolist()


@pytest.mark.parametrize("operator", range(len(OPERATORS)), ids=OPERATORS)
def test_repair_operators_keep_the_counters(instance: Instance, operator: int) -> None:
    problem = build_search_problem(instance, Formulation.UD2)
    rng = random_state(np.random.SeedSequence(operator))
    start = np.full(instance.n_lectures, -1)
    schedule = HOT_AND_BLIND_TO_VIOLATIONS
    anneal = start_anneal(problem, start, start, schedule, rng)
    anneal_chunk(problem, anneal, schedule, 2_000)
    repair, changed = start_repair(anneal.timetable, np.random.SeedSequence(operator)), 0
    for lecture in range(instance.n_lectures):
        before = anneal.timetable.period.copy(), anneal.timetable.room.copy()
        repair.now[LECTURE] = repair.now[FIRST] = lecture
        apply(problem, anneal.timetable, repair, operator, 100.0, 10)
        after = anneal.timetable.period, anneal.timetable.room
        changed += not all(map(np.array_equal, before, after))
        assert_counted_right(instance, Formulation.UD2, anneal.timetable)
    assert changed > 10


def test_a_lecture_that_may_not_stand_where_it_is_loses_its_place(instance: Instance) -> None:
    problem = build_search_problem(instance, Formulation.UD2)
    course, period = np.argwhere(~instance.available)[0]
    first, second = instance.course_starts[course], instance.course_starts[course + 1]
    periods = np.full(instance.n_lectures, -1)
    rooms = np.full(instance.n_lectures, -1)
    periods[first], rooms[first] = period, 0
    other = 0 if second >= instance.n_lectures else int(second)
    free = int(np.flatnonzero(instance.available[instance.lecture_course[other]])[0])
    periods[other], rooms[other] = free, 2
    timetable = build_timetable(problem, periods, rooms)
    assert timetable.period[first] == -1
    assert timetable.period[other] == free
    assert np.count_nonzero(timetable.period >= 0) == 1
