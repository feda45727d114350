"""A feasible timetable, then a cheaper one cluster by cluster."""

import logging
import re
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from schoolbell.stages import Batch, Budget, Pulse, State
from schoolbell.stages.exact import cp_sat
from schoolbell.stages.exact.cp_sat import CPSAT
from schoolbell.stages.problem import SolveLimits
from schoolbell.stages.tasks import waiting
from schoolbell.stages.tasks.stop_flag import StopFlag
from schoolbell.stages.timetable import Course, Formulation, Instance, Room, evaluate, generate
from schoolbell.stages.timetable.periods.course_division import CourseDivision
from schoolbell.stages.timetable.timetable_problem import TimetableProblem


@pytest.fixture(scope="module")
def faculty() -> Instance:
    return generate(40, seed=5)


def make_state(instance, executor, workers=1, formulation="UD2", clusters=3):
    state = State(instance, seed=1, executor=executor, workers=workers)
    state.instance = instance
    state.formulation = Formulation.of(formulation)
    state.prepared = TimetableProblem(instance, state.formulation)
    state.clusters = np.arange(instance.n_courses, dtype=np.int32) % clusters
    return state


def run(stage, instance, seconds=None, workers=1, **settings):
    with ThreadPoolExecutor(workers) as pool:
        state = make_state(instance, pool, workers, **settings)
        batches = [b for b in stage.run(state, Budget(seconds)) if isinstance(b, Batch)]
    return state, batches


def evaluated(state):
    found = evaluate(state.solution, state.formulation)
    assert (found.violations, found.cost) == (state.violations, state.cost)
    return found


@pytest.mark.parametrize("formulation", ["UD1", "UD2", "UD3", "UD4", "UD5"])
def test_finds_a_feasible_timetable_and_makes_it_cheaper(faculty, formulation):
    start, _ = run(CPSAT(rounds=0), faculty, formulation=formulation)
    better, _ = run(CPSAT(effort=0.05), faculty, formulation=formulation)
    assert evaluated(better).violations == 0
    assert better.cost < start.cost


def test_finds_what_greedy_placement_does_not(cbctt, caplog):
    instance = Instance.read(cbctt / "comp05.ectt")
    greedy, _ = run(CPSAT(rounds=0, starts=1, whole_effort=0), instance)
    assert evaluated(greedy).violations > 0
    whole, _ = run(CPSAT(rounds=0, starts=1), instance)
    assert evaluated(whole).violations == 0


def test_moves_courses_around_lectures_left_out_where_one_model_would_be_too_large():
    instance = generate(60, seed=34, occupancy=1.0)
    greedy, _ = run(CPSAT(rounds=0, starts=1, whole_effort=0), instance)
    assert evaluated(greedy).violations > 0
    size = int(instance.available.sum())
    around, _ = run(CPSAT(rounds=0, starts=1, whole_size=size - 1), instance)
    assert evaluated(around).violations == 0


def test_places_greedily_until_its_part_of_the_time_is_spent(cbctt):
    instance = Instance.read(cbctt / "comp05.ectt")
    once, _ = run(CPSAT(rounds=0, starts=1, whole_effort=0), instance)
    for seconds in (0.0, 1e-6):
        late, _ = run(CPSAT(rounds=0, starts=10**6, whole_effort=0), instance, seconds=seconds)
        assert late.solution == once.solution


def test_offers_what_a_construction_has_found_so_far(faculty, monkeypatch):
    monkeypatch.setattr(cp_sat, "FIRST_LOOK", 0.0)
    flag, begun = threading.Event(), threading.Event()
    part = []

    def construct(division, rng, limits, stop):
        whole = ordinary(division, rng, limits, stop)

        def slowly(*arguments):
            found = whole.function(*arguments)
            nothing = np.full_like(found[0], -1)
            part.append((nothing, nothing))
            begun.set()
            flag.wait(10)
            return found

        return replace(whole, function=slowly, so_far=lambda: part[0] if part else None)

    ordinary = CourseDivision.construct
    monkeypatch.setattr(CourseDivision, "construct", construct)
    with ThreadPoolExecutor(1) as pool:
        state = make_state(faculty, pool)
        beats = CPSAT(rounds=0).run(state, Budget())
        while state.solution is None:
            next(beats)
        assert begun.is_set() and not flag.is_set()
        assert evaluated(state).violations > 0
        flag.set()
        list(beats)
    assert state.violations == 0


def test_every_cluster_is_a_batch_with_its_cost_and_bound(faculty):
    _, batches = run(CPSAT(effort=0.05, rounds=2), faculty, clusters=4)
    assert [batch.done for batch in batches] == list(range(1, 9))
    assert all(batch.total == 8 for batch in batches)
    for batch in batches:
        assert batch.logs["bound"] <= batch.logs["objective"]


def test_the_workers_do_not_matter(faculty):
    stage = CPSAT(effort=0.03)
    one, _ = run(stage, faculty, workers=1, clusters=6)
    four, _ = run(stage, faculty, workers=4, clusters=6)
    assert one.solution == four.solution


def test_runs_on_processes(faculty):
    with ProcessPoolExecutor(2) as pool:
        state = make_state(faculty, pool, 2)
        list(CPSAT(effort=0.02).run(state, Budget()))
    threads, _ = run(CPSAT(effort=0.02), faculty)
    assert state.solution == threads.solution


def test_works_where_no_stage_has_found_clusters(faculty):
    with ThreadPoolExecutor(1) as pool:
        state = make_state(faculty, pool)
        del state.clusters
        batches = [b for b in CPSAT(effort=0.02).run(state, Budget()) if isinstance(b, Batch)]
    assert batches[-1].done == batches[-1].total > 1
    assert evaluated(state).violations == 0


def test_goes_on_from_a_feasible_solution_of_the_state(faculty):
    first, _ = run(CPSAT(effort=0.05), faculty)
    with ThreadPoolExecutor(1) as pool:
        state = make_state(faculty, pool, clusters=2)
        state.offer(first.solution, first.cost, first.violations)
        list(CPSAT(rounds=0).run(state, Budget()))
        assert state.solution is first.solution
        list(CPSAT(effort=0.1).run(state, Budget()))
    assert state.cost < first.cost


def test_what_fits_nowhere_is_left_out_and_the_log_says_so(caplog):
    courses = tuple(Course(f"c{i}", "same", 2, 1, 10) for i in range(4))
    instance = Instance("crowded", 2, 3, courses, (Room("r", 20), Room("s", 20)))
    with caplog.at_level(logging.INFO, "schoolbell.stages.exact.cp_sat"):
        state, _ = run(CPSAT(effort=0.02), instance)
    found = evaluated(state)
    assert found.violations == found.hard["Lectures"] == 2
    assert "proved infeasible" in caplog.text
    assert "2 lectures are left out" in caplog.text


def test_a_cluster_that_is_not_solved_stays_as_it_was_and_the_log_says_so(faculty, caplog):
    caplog.set_level("INFO", logger="schoolbell.stages.exact.cp_sat")
    start, _ = run(CPSAT(rounds=0), faculty)
    state, batches = run(CPSAT(effort=1e-9), faculty)
    assert state.solution == start.solution
    assert batches[-1].logs == {"objective": None, "bound": None}
    assert "cluster 0 not solved in time" in caplog.text


def test_keeps_to_its_time(cbctt):
    instance = Instance.read(cbctt / "comp12.ectt")
    run(CPSAT(effort=0.01), instance)
    # Its effort would last for days.
    state, _ = run(CPSAT(effort=1e6), instance, seconds=1.5)
    assert evaluated(state).violations == 0


def test_closing_stops_the_solver_and_keeps_the_best(cbctt):
    instance = Instance.read(cbctt / "comp12.ectt")
    with ThreadPoolExecutor(1) as pool:
        state = make_state(instance, pool)
        batches = CPSAT(effort=1e6).run(state, Budget())
        while state.solution is None:
            next(batches)
        for _ in range(5):
            assert isinstance(next(batches), Pulse)
        batches.close()
    # The pool has ended, so the solver has: its effort would have lasted for days.
    assert evaluated(state).violations == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"effort": 0},
        {"rounds": -1},
        {"starts": 0},
        {"whole_effort": -1},
        {"whole_size": -1},
    ],
)
def test_refuses_parameters_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CPSAT(**wrong)


def places(stage, instance, seconds=None, **settings):
    """Units done and the part of the unit in hand at each yield, and what was said."""
    done, told, said = 0, [], []
    with ThreadPoolExecutor(1) as pool:
        state = make_state(instance, pool, **settings)
        for item in stage.run(state, Budget(seconds)):
            if isinstance(item, Batch):
                done = item.done
                told.append(float(done))
            elif isinstance(item, Pulse) and item.part is not None:
                told.append(done + item.part)
                said.append(item.message)
    return told, said


def test_pulses_tell_the_part_of_the_cluster_in_hand_and_it_never_goes_back(faculty):
    for seconds in (None, 4.0):
        told, _ = places(CPSAT(effort=0.3), faculty, seconds, clusters=2)
        assert told == sorted(told)
        assert told[-1] == 2
        assert len({place for place in told if place % 1}) > 5


def test_says_how_many_lectures_have_been_placed_so_far(faculty):
    division = TimetableProblem(faculty, Formulation.of("UD2")).divide()
    task = division.construct(np.random.default_rng(1), SolveLimits(1.0), StopFlag())
    assert task.counts() == (0, faculty.n_lectures)
    draft = task.run()
    assert task.counts() == (faculty.n_lectures - draft.missing, faculty.n_lectures)


def test_pulses_move_while_a_timetable_to_start_from_is_found(cbctt, monkeypatch):
    # However quickly it is found.
    monkeypatch.setattr(waiting, "PULSE", 0.001)
    instance = Instance.read(cbctt / "comp05.ectt")
    told, said = places(CPSAT(effort=0.01, starts=2), instance)
    assert told == sorted(told)
    assert any(0 < place < 1 for place in told)
    # "placing the lectures, attempt 1: 12/152", or the seconds before it counts.
    assert any(re.match(r"CP-SAT: .*(: \d+/\d+|, \d+ s)$", text or "") for text in said)
