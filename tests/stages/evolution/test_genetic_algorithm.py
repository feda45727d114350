"""The genetic algorithm, driven without a runner."""

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from multiprocessing import get_context
from threading import Event, current_thread
from typing import Any

import numpy as np
import pytest
from schoolbell.stages import Batch, Budget, GeneticAlgorithm, Pulse, State
from schoolbell.stages.evolution import evolution
from schoolbell.stages.evolution.evolution import Evolution
from schoolbell.stages.plain_data import copy_plain
from schoolbell.stages.timetable import Formulation, Instance, Solution, evaluate, timetable_problem
from schoolbell.stages.timetable.breeding import timetable_anneal, timetable_breeding
from schoolbell.stages.timetable.breeding.timetable_breeding import USUAL_GAIN
from schoolbell.stages.timetable.search import anneal_chunk, cross
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable
from schoolbell.stages.timetable.timetable_problem import TimetableProblem

QUICK: dict[str, Any] = {
    "generations": 4,
    "population": 4,
    "founder_moves": 2_000,
    "child_moves": 1_000,
}


def make_state(instance: Instance, executor: Executor, workers: int = 1, seed: int = 1) -> State:
    state = State(instance, seed=seed, executor=executor, workers=workers)
    state.instance = instance
    state.formulation = Formulation.UD2
    state.prepared = TimetableProblem(instance, Formulation.UD2)
    state.clusters = np.arange(instance.n_courses, dtype=np.int32) % 4
    state.cluster_count = 4
    return state


def run(stage: GeneticAlgorithm, state: State, budget: Budget | None = None) -> list[Batch]:
    return [item for item in stage.run(state, budget or Budget()) if isinstance(item, Batch)]


def result_of(work: Any) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def test_a_short_generation_is_a_batch_and_the_cost_is_the_references(instance: Instance) -> None:
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        batches = run(GeneticAlgorithm(**QUICK), state)
    # Four founders are made two at a time, then come four generations of children.
    assert [batch.done for batch in batches] == [1, 2, 3, 4, 5, 6]
    assert {batch.total for batch in batches} == {6}
    assert all(set(batch.logs) == set(GeneticAlgorithm.metrics) for batch in batches)
    evaluation = evaluate(state.solution, "UD2")
    assert (evaluation.violations, evaluation.cost) == (state.violations, state.cost)


def test_founders_are_placed_aside_so_that_nothing_waits_for_it(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def place(*arguments: Any) -> Any:
        threads.append(current_thread())
        return greedy_timetable(*arguments)

    monkeypatch.setattr(timetable_breeding, "greedy_timetable", place)
    with ThreadPoolExecutor(1) as executor:
        run(GeneticAlgorithm(**QUICK), make_state(instance, executor))
    assert threads
    assert current_thread() not in threads


def test_it_improves_on_greedy_timetables_and_never_loses_the_best(instance: Instance) -> None:
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        places = greedy_timetable(instance, np.random.default_rng(1))
        start = Solution.of_lectures(instance, *places)
        evaluation = evaluate(start, "UD2")
        state.offer(start, evaluation.cost, evaluation.violations)
        seen = [(state.violations, state.cost)]
        for item in GeneticAlgorithm(**QUICK).run(state, Budget()):
            if isinstance(item, Batch):
                seen.append((state.violations, state.cost))
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] < seen[0]


def final_places(instance: Instance, executor: Executor, workers: int) -> Any:
    state = make_state(instance, executor, workers)
    run(GeneticAlgorithm(**QUICK), state)
    return state.solution


def test_the_same_seed_gives_the_same_timetable_with_any_number_of_workers(
    instance: Instance,
) -> None:
    with ThreadPoolExecutor(1) as executor:
        one = final_places(instance, executor, 1)
    with ThreadPoolExecutor(3) as executor:
        assert final_places(instance, executor, 3) == one


def test_it_runs_the_same_in_other_processes(instance: Instance) -> None:
    with ThreadPoolExecutor(1) as executor:
        here = final_places(instance, executor, 1)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        assert final_places(instance, executor, 2) == here


def test_seeds_matter(instance: Instance) -> None:
    found = []
    with ThreadPoolExecutor(1) as executor:
        for seed in (1, 2):
            state = make_state(instance, executor, seed=seed)
            run(GeneticAlgorithm(**QUICK), state)
            found.append(state.solution)
    assert found[0] != found[1]


def test_a_time_limit_is_kept_and_used(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    class Job(evolution.AnnealingJob):
        def begin(self, seconds: float | None, *clock: Any) -> None:
            assert seconds is not None
            given.append((seconds, budget.remaining))
            super().begin(seconds, *clock)

    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        state.bound = -1.0  # Never met: the time decides.
        run(GeneticAlgorithm(**QUICK), state)
        monkeypatch.setattr(evolution, "AnnealingJob", Job)
        budget = Budget(1.5)
        batches = run(GeneticAlgorithm(), state, budget)
    # No anneal gets more than is left, nor is any time left at the end.
    assert sum(seconds for seconds, _ in given) <= 1.5
    assert all(seconds <= left + 0.1 for seconds, left in given)
    assert budget.remaining == 0
    assert len(batches) >= 2


def test_it_pulses_while_anneals_run_and_ends_at_once_when_closed(instance: Instance) -> None:
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        state.bound = -1.0
        generator = GeneticAlgorithm(founder_moves=10**12).run(state, Budget())
        pulses = [next(generator) for _ in range(3)]
        while state.solution is None:
            pulses.append(next(generator))
        # The pool waits for the anneals, which would last for days.
        generator.close()
    assert all(isinstance(pulse, Pulse) for pulse in pulses)


def test_it_pulses_while_parents_are_crossed(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossing, go_on = Event(), Event()

    def slow_cross(*arguments: Any) -> Any:
        crossing.set()
        assert go_on.wait(60)
        return cross(*arguments)

    monkeypatch.setattr(timetable_breeding, "cross", slow_cross)
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        stream = GeneticAlgorithm(**QUICK).run(state, Budget())
        while not crossing.is_set():
            next(stream)
        assert isinstance(next(stream), Pulse)
        go_on.set()
        assert any(isinstance(item, Batch) for item in stream)


@pytest.mark.parametrize(("crossover", "least", "most"), [(0.0, 0, 0), (0.5, 1, 7), (1.0, 8, 8)])
def test_so_many_children_as_wanted_have_clusters_of_a_second_parent(
    instance: Instance,
    monkeypatch: pytest.MonkeyPatch,
    crossover: float,
    least: int,
    most: int,
) -> None:
    crossed = []

    def count(*arguments: Any) -> Any:
        crossed.append(arguments)
        return cross(*arguments)

    monkeypatch.setattr(timetable_breeding, "cross", count)
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        run(GeneticAlgorithm(**QUICK, crossover=crossover), state)
    # Four generations of two children.
    assert least <= len(crossed) <= most
    assert state.violations == 0


def test_a_timetable_that_meets_the_bound_ends_the_search(instance: Instance) -> None:
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        state.bound = 1e9
        batches = run(GeneticAlgorithm(**QUICK), state)
    assert len(batches) < 6


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("population", 1),
        ("offspring", 0),
        ("reheats", ()),
        ("reheats", (0.01,)),
        ("founder_temperature", 0.01),
        ("crossover", -0.1),
        ("kempe", 1.5),
        ("generations", -1),
    ],
)
def test_impossible_parameters_are_refused_by_name(parameter: str, value: Any) -> None:
    with pytest.raises(ValueError, match=parameter):
        GeneticAlgorithm(**{parameter: value})


def test_it_draws_clusters_where_no_stage_has_found_any(instance: Instance) -> None:
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        del state.clusters
        run(GeneticAlgorithm(**QUICK), state)
    assert state.violations == 0


def test_where_moves_can_win_more_violations_count_more_and_anneals_are_hotter(
    instance: Instance,
) -> None:
    stage = GeneticAlgorithm(violation=100.0, final_temperature=0.2)
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        problem = state.prepared
        usual = Evolution(stage, problem, problem.breed(), state, Budget())
        tenfold = np.full_like(problem.search.gain, 10 * USUAL_GAIN)
        problem.search = replace(problem.search, gain=tenfold)
        dense = Evolution(stage, problem, problem.breed(), state, Budget())
    places = greedy_timetable(instance, np.random.default_rng(1))
    genes = dict(zip(("period", "room"), places, strict=True))
    schedule = result_of(dense._job(genes, 1.0, 10)).anneal.schedule
    assert usual.scale == 1.0
    assert dense.scale == pytest.approx(10.0)
    assert schedule.violation == pytest.approx(1000.0)
    assert schedule.end == pytest.approx(0.2 * np.sqrt(10.0))


# Anneals of 14 chunks, 7 steps for the founders' generation of two and 4 for the children's.
LONG: dict[str, Any] = {
    "generations": 2,
    "population": 2,
    "founder_moves": 6_000,
    "child_moves": 3_000,
    "final_temperature": 0.5,
}


def in_steps_of(moves: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a step for so many moves, in chunks of a tenth of the usual size."""
    monkeypatch.setattr(timetable_problem, "MOVES_PER_SECOND", 8e5)
    monkeypatch.setattr(timetable_breeding, "STEP_MOVES", moves)


def unbounded(instance: Instance, executor: Executor, workers: int = 1) -> State:
    state = make_state(instance, executor, workers)
    state.bound = -1.0
    return state


def rows(batches: list[Batch]) -> list[tuple[int, Any, Any]]:
    return [(batch.done, batch.total, batch.logs) for batch in batches]


def test_a_long_generation_is_told_step_by_step_with_rows_that_differ(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_steps_of(80_000, monkeypatch)
    with ThreadPoolExecutor(1) as executor:
        batches = run(GeneticAlgorithm(**LONG), unbounded(instance, executor))
    assert len(batches) > 10
    assert [batch.done for batch in batches] == list(range(1, len(batches) + 1))
    assert {batch.total for batch in batches} == {len(batches)}
    logs = [tuple(batch.logs.values()) for batch in batches]
    assert len(set(logs)) == len(logs)
    assert all(value is not None for row in logs for value in row)
    temperatures = [batch.logs["temperature"] for batch in batches]
    falls = [later < earlier for earlier, later in pairwise(temperatures)]
    # It rises where children are reheated.
    assert falls.count(False) <= 2


def test_steps_change_nothing_of_what_is_found_and_are_the_same_with_any_workers(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, told = [], []
    for moves, workers in ((10**9, 1), (80_000, 1), (80_000, 3)):
        in_steps_of(moves, monkeypatch)
        with ThreadPoolExecutor(workers) as executor:
            state = unbounded(instance, executor, workers)
            told.append(rows(run(GeneticAlgorithm(**LONG), state)))
        found.append(state.solution)
    assert found[0] == found[1] == found[2]
    assert len(told[0]) == 3
    assert told[1] == told[2]


def test_a_run_that_was_broken_off_in_the_midst_of_anneals_goes_on_as_if_it_had_not(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_steps_of(160_000, monkeypatch)
    with ThreadPoolExecutor(1) as executor:
        whole = unbounded(instance, executor)
        batches = run(GeneticAlgorithm(**LONG), whole)
        stage, broken = GeneticAlgorithm(**LONG), unbounded(instance, executor)
        stream, saved = stage.run(broken, Budget()), []
        for item in stream:
            if isinstance(item, Batch):
                best = broken.solution, broken.cost, broken.violations
                saved.append((copy_plain(stage.state_dict()), best))
        assert any(state["brood"] is not None for state, _ in saved)
        assert any(state["brood"] is None for state, _ in saved)
        for done, (state_dict, best) in enumerate(saved[:-1], start=1):
            later, state = GeneticAlgorithm(**LONG), unbounded(instance, executor)
            state.offer(*best)
            later.load_state_dict(state_dict)
            assert rows(run(later, state)) == rows(batches[done:])
            assert state.solution == whole.solution


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("clock", np.zeros(5, np.int64)),
        ("rng", np.zeros(4, np.int64)),
        ("period", np.full(46, 99, np.int64)),
        ("best_room", np.zeros(45, np.int64)),
        ("speed", "fast"),
    ],
)
def test_anneals_that_are_none_of_the_instance_are_refused(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, name: str, wrong: Any
) -> None:
    in_steps_of(80_000, monkeypatch)
    with ThreadPoolExecutor(1) as executor:
        stage = GeneticAlgorithm(**LONG)
        stream = stage.run(unbounded(instance, executor), Budget())
        while not isinstance(next(stream), Batch):
            pass
        saved = copy_plain(stage.state_dict())
        stream.close()
        saved["brood"]["jobs"][0][name] = wrong
        later = GeneticAlgorithm(**LONG)
        later.load_state_dict(saved)
        with pytest.raises(ValueError, match=r"expected|below"):
            run(later, unbounded(instance, executor))


def test_with_a_time_limit_the_steps_are_known_from_the_beginning_and_all_are_done(
    instance: Instance,
) -> None:
    seconds = 2.0
    with ThreadPoolExecutor(1) as executor:
        batches = run(GeneticAlgorithm(), unbounded(instance, executor), Budget(seconds))
    done = [batch.done for batch in batches]
    assert done == sorted(set(done))
    assert {batch.total for batch in batches} == {done[-1]} == {20}
    assert len(done) > 10
    logs = [tuple(batch.logs.values()) for batch in batches if batch.logs]
    assert len(set(logs)) > 10


def test_the_part_of_the_step_in_hand_never_goes_back(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_steps_of(160_000, monkeypatch)
    for seconds in (None, 1.0):
        place = done = 0.0
        with ThreadPoolExecutor(1) as executor:
            state = unbounded(instance, executor)
            for item in GeneticAlgorithm(**LONG).run(state, Budget(seconds)):
                if isinstance(item, Batch):
                    done = item.done
                assert item is not None
                part = item.part if isinstance(item, Pulse) else 0.0
                assert part is not None
                assert place <= done + part
                place = done + part


@pytest.mark.parametrize("generations", [0, 2, 5])
def test_the_users_generations_hold_with_a_time_limit_and_fill_it(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, generations: int
) -> None:
    made = []
    end = Evolution._end

    def count(self: Evolution, brood: Any) -> None:
        made.append(len(brood.origins))
        end(self, brood)

    monkeypatch.setattr(Evolution, "_end", count)
    with ThreadPoolExecutor(1) as executor:
        stage = GeneticAlgorithm(generations=generations, population=2)
        batches = run(stage, unbounded(instance, executor), Budget(2.0))
    # One worker makes one founder and one child at a time.
    assert made == [0, 0] + [1] * generations
    assert batches[-1].done == batches[-1].total


def test_what_is_tuned_counts_for_the_anneals_in_progress_from_the_next_step_on(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_steps_of(80_000, monkeypatch)
    used = []

    def watch(problem: Any, anneal: Any, schedule: Any, moves: int) -> Any:
        used.append((schedule.end, schedule.kempe, schedule.violation))
        return anneal_chunk(problem, anneal, schedule, moves)

    monkeypatch.setattr(timetable_anneal, "anneal_chunk", watch)
    with ThreadPoolExecutor(1) as executor:
        stage = GeneticAlgorithm(**LONG)
        stream = stage.run(unbounded(instance, executor), Budget())
        while not isinstance(next(stream), Batch):
            pass
        assert set(used) == {(0.5, 0.15, 100.0)}
        used.clear()
        stage.tune(final_temperature=0.25, kempe=0.3, violation=50.0)
        while not isinstance(next(stream), Batch):
            pass
        stream.close()
    assert set(used) == {(0.25, 0.3, 50.0)}


def test_a_backup_in_the_midst_of_a_timed_run_waits_for_no_more_than_the_chunks_in_progress(
    instance: Instance,
) -> None:
    with ThreadPoolExecutor(1) as executor:
        stage = GeneticAlgorithm()
        stream = stage.run(unbounded(instance, executor), Budget(30.0))
        while not (isinstance(item := next(stream), Batch) and item.logs):
            pass
        saved = copy_plain(stage.state_dict())
        stream.close()
        later = GeneticAlgorithm()
        later.load_state_dict(saved)
        stream = later.run(unbounded(instance, executor), Budget(30.0, spent=1.0))
        while not isinstance(item := next(stream), Batch):
            pass
        stream.close()
    assert item.done >= saved["steps_done"]
    assert item.total == saved["steps"][0]


def test_a_population_has_no_more_founders_than_it_keeps_however_many_could_work(
    instance: Instance,
) -> None:
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor, workers=8)
        stage = GeneticAlgorithm(population=2, offspring=8)
        breeding = state.prepared.breed()
        assert Evolution(stage, state.prepared, breeding, state, Budget(5.0)).founders == 2


def test_as_many_founders_begin_as_work_at_once(instance: Instance) -> None:
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor, workers=3)
        stage = GeneticAlgorithm(population=4, offspring=3)
        breeding = state.prepared.breed()
        assert Evolution(stage, state.prepared, breeding, state, Budget(1.0)).founders == 3


def test_what_breaks_rules_is_warmed_up_least(instance: Instance) -> None:
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        places = greedy_timetable(instance, np.random.default_rng(1))
        state.offer(Solution.of_lectures(instance, *places), cost=0, violations=0)
        evolved = Evolution(
            GeneticAlgorithm(**QUICK), state.prepared, state.prepared.breed(), state, Budget()
        )
        starts = []
        for violations in (0, 3):
            state.violations = violations
            starts.append(result_of(evolved._founder_start(0, None))[1])
        assert starts == [4.0, 1.0]
