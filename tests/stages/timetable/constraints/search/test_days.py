"""Days of many timeslots and weeks of many days, whose costs come from bits and not from tables."""

from dataclasses import replace

import numpy as np
import pytest
from schoolbell.runner import timetabling_pipeline
from schoolbell.stages.search.compiling import kernel_of
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Formulation,
    Instance,
    InstanceError,
    Room,
    Solution,
    evaluate,
)
from schoolbell.stages.timetable.constraints.search.days import day_cost, steepest_turn, turned
from schoolbell.stages.timetable.model.limits import MAX_TIMESLOTS
from schoolbell.stages.timetable.search import (
    Schedule,
    Timetable,
    anneal_chunk,
    annealing,
    build_search_problem,
    build_timetable,
    crossover,
    random_state,
    search_problem,
    start_anneal,
)
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable
from schoolbell.stages.timetable.search.compile_kernels import compile_kernels

MIXED = Schedule(30.0, 0.3, 40_000, kempe=0.2, double=0.1)
BLIND_TO_VIOLATIONS = Schedule(1e6, 1e5, 40_000, violation=1.0, kempe=0.2)

cost_of_day, turned_in_day = kernel_of(day_cost), kernel_of(turned)


def long_days(days: int, slots: int) -> Instance:
    courses = (Course("a", "a", 2, 1, 1),)
    return Instance("long", days, slots, courses, (Room("a", 1),), (), (), (), 3, 5)


def one_day_cost(slots: list[bool]) -> int:
    """Weighted cost of a curriculum's day, timeslot by timeslot."""
    taken = [slot for slot, one in enumerate(slots) if one]
    if not taken:
        return 0
    alone = sum(slot - 1 not in taken and slot + 1 not in taken for slot in taken)
    windows = taken[-1] - taken[0] + 1 - len(taken)
    load = max(3 - len(taken), 0) + max(len(taken) - 5, 0)
    return 7 * alone + 11 * windows + 13 * load


FORMULATION = Formulation(
    "all three", {"IsolatedLectures": 7, "Windows": 11, "StudentMinMaxLoad": 13}
)


@pytest.mark.parametrize("slots", [17, 33, 64])
def test_a_day_costs_what_its_timeslots_say(slots: int) -> None:
    problem = build_search_problem(long_days(1, slots), FORMULATION)
    assert problem.by_bits
    rng = np.random.default_rng(slots)
    days = [rng.random(slots) < rng.choice([0.05, 0.3, 0.9]) for _ in range(100)]
    days += [np.zeros(slots, bool), np.ones(slots, bool), *np.eye(slots, dtype=bool)]
    for day in days:
        bits = np.uint64(sum(1 << slot for slot in np.flatnonzero(day).tolist()))
        assert cost_of_day(problem, bits) == one_day_cost(day.tolist())
        slot = int(rng.integers(slots))
        other = day.copy()
        other[slot] ^= True
        change = one_day_cost(other.tolist()) - one_day_cost(day.tolist())
        assert turned_in_day(problem, bits, np.uint64(slot)) == change
        assert abs(change) <= steepest_turn(long_days(1, slots), FORMULATION)


def test_tables_and_bits_say_the_same_of_every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    by_table = build_search_problem(long_days(1, 7), FORMULATION)
    monkeypatch.setattr(search_problem, "MAX_SLOTS_IN_TABLES", 0)
    by_bits = build_search_problem(long_days(1, 7), FORMULATION)
    assert not by_table.by_bits
    assert by_bits.by_bits
    for bits in np.arange(1 << 7, dtype=np.uint64):
        assert cost_of_day(by_table, bits) == cost_of_day(by_bits, bits)


def anneal(instance: Instance, schedule: Schedule) -> Timetable:
    problem = build_search_problem(instance, Formulation.UD2)
    start = greedy_timetable(instance, np.random.default_rng(1))
    begun = start_anneal(problem, *start, schedule, random_state(np.random.SeedSequence(1)))
    anneal_chunk(problem, begun, schedule, schedule.moves)
    assert begun.clock[5] > 1000
    return begun.timetable


def test_an_anneal_by_bits_makes_the_moves_of_one_by_tables(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_tables = anneal(instance, MIXED)
    monkeypatch.setattr(search_problem, "MAX_SLOTS_IN_TABLES", 0)
    by_bits = anneal(instance, MIXED)
    assert by_bits.mask.dtype == np.uint64
    np.testing.assert_array_equal(by_tables.period, by_bits.period)
    np.testing.assert_array_equal(by_tables.room, by_bits.room)
    assert by_tables.total.tolist() == by_bits.total.tolist()


@pytest.mark.parametrize("schedule", [MIXED, BLIND_TO_VIOLATIONS], ids=["mixed", "blind"])
@pytest.mark.parametrize(
    ("days", "slots"), [(2, 17), (5, 18), (1, 32), (1, 33), (5, 64), (70, 2), (366, 1)]
)
def test_the_search_of_long_days_and_long_weeks_counts_right(
    instance: Instance, days: int, slots: int, schedule: Schedule
) -> None:
    instance = replace(instance, days=days, periods_per_day=slots, unavailability=())
    table = anneal(instance, schedule)
    anew = build_timetable(
        build_search_problem(instance, Formulation.UD2), table.period, table.room
    )
    for counter in ("mask", "count", "clash", "conflicts", "working_days", "slack", "total"):
        np.testing.assert_array_equal(getattr(table, counter), getattr(anew, counter), counter)
    solution = Solution.of_lectures(
        instance, table.period.astype(np.int32), table.room.astype(np.int32)
    )
    evaluation = evaluate(solution, "UD2")
    assert table.total.tolist() == [evaluation.violations, evaluation.cost]


@pytest.mark.usefixtures("quick_bound")
def test_a_run_on_a_long_day_goes_through_all_stages_and_compiles_nothing_late(tmp_path) -> None:
    compile_kernels(Formulation.UD2, 18, 5)
    kernels = (annealing.run_moves, crossover.cluster_costs)
    compiled = [list(kernel.signatures) for kernel in kernels]
    rng = np.random.default_rng(4)
    courses = tuple(Course(f"c{i}", f"t{i % 12}", 6, 3, 10 + i) for i in range(30))
    rooms = (Room("a", 25), Room("b", 45))
    curricula = tuple(
        Curriculum(f"q{q}", tuple(f"c{i}" for i in rng.choice(30, 4, replace=False)))
        for q in range(10)
    )
    closed = tuple((f"c{i}", int(rng.integers(5)), int(rng.integers(18))) for i in range(30))
    instance = Instance("long", 5, 18, courses, rooms, curricula, tuple(sorted(set(closed))))
    page = tmp_path / "week.html"
    pipeline = timetabling_pipeline(
        ga__generations=1, ga__founder_moves=3000, rl__episodes=50, finalize__html=page
    )
    run = pipeline.fit(instance, seed=1, workers=1, verbose=False)
    found = evaluate(run.solution, "UD2")
    assert (run.violations, run.cost) == (found.violations, found.cost)
    assert run.violations == 0
    assert '"slots":18' in page.read_text().replace(" ", "")
    assert [list(kernel.signatures) for kernel in kernels] == compiled


def test_a_day_that_is_too_long_is_refused_with_the_longest_that_is_not() -> None:
    assert build_search_problem(long_days(2, MAX_TIMESLOTS), Formulation.UD2).by_bits
    with pytest.raises(InstanceError, match="65 timeslots a day, expected at most 64"):
        build_search_problem(long_days(2, 65), Formulation.UD2)
