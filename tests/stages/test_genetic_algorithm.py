"""The genetic algorithm, driven without a runner."""

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from threading import Event, current_thread
from typing import Any

import numpy as np
import pytest
from schoolbell.stages import Batch, Budget, GeneticAlgorithm, State
from schoolbell.stages.timetable import Formulation, Instance, Solution, evaluate, evolution
from schoolbell.stages.timetable.evolution import USUAL_GAIN, Evolution
from schoolbell.stages.timetable.greedy import greedy_timetable
from schoolbell.stages.timetable.search import build_search_problem, cross

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
    state.search = build_search_problem(instance, Formulation.UD2)
    state.clusters = np.arange(instance.n_courses, dtype=np.int32) % 4
    state.cluster_count = 4
    return state


def run(stage: GeneticAlgorithm, state: State, budget: Budget | None = None) -> list[Batch]:
    return [batch for batch in stage.run(state, budget or Budget()) if batch is not None]


def test_each_generation_is_a_batch_and_the_cost_is_the_references(instance: Instance) -> None:
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        batches = run(GeneticAlgorithm(**QUICK), state)
    # Four founders are made two at a time, then come four generations of children.
    assert [batch.done for batch in batches] == [1, 2, 3, 4, 5, 6]
    assert {batch.total for batch in batches} == {6}
    assert all(set(batch.logs) == {"population_mean", "diversity"} for batch in batches)
    evaluation = evaluate(state.solution, "UD2")
    assert (evaluation.violations, evaluation.cost) == (state.violations, state.cost)


def test_founders_are_placed_aside_so_that_nothing_waits_for_it(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def place(*arguments: Any) -> Any:
        threads.append(current_thread())
        return greedy_timetable(*arguments)

    monkeypatch.setattr(evolution, "greedy_timetable", place)
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
        for batch in GeneticAlgorithm(**QUICK).run(state, Budget()):
            if batch is not None:
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
        def begin(self, seconds: float | None) -> None:
            assert seconds is not None
            given.append((seconds, budget.remaining))
            super().begin(seconds)

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
        # The pool waits for the anneals, which would last for days.
        generator.close()
    assert pulses == [None, None, None]
    assert state.solution is not None


def test_it_pulses_while_parents_are_crossed(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossing, go_on = Event(), Event()

    def slow_cross(*arguments: Any) -> Any:
        crossing.set()
        assert go_on.wait(60)
        return cross(*arguments)

    monkeypatch.setattr(evolution, "cross", slow_cross)
    with ThreadPoolExecutor(1) as executor:
        state = make_state(instance, executor)
        stream = GeneticAlgorithm(**QUICK).run(state, Budget())
        while not crossing.is_set():
            next(stream)
        assert next(stream) is None
        go_on.set()
        assert any(batch is not None for batch in stream)


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

    monkeypatch.setattr(evolution, "cross", count)
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
        usual = Evolution(stage, state, Budget())
        tenfold = np.full_like(state.search.gain, 10 * USUAL_GAIN)
        state.search = replace(state.search, gain=tenfold)
        dense = Evolution(stage, state, Budget())
    places = greedy_timetable(instance, np.random.default_rng(1))
    schedule = dense._job(*places, 1.0, 10).schedule
    assert usual.scale == 1.0
    assert dense.scale == pytest.approx(10.0)
    assert schedule.violation == pytest.approx(1000.0)
    assert schedule.end == pytest.approx(0.2 * np.sqrt(10.0))
