"""Kernels that are compiled before a run needs them."""

import gc

import numpy as np
from schoolbell.stages.timetable import Formulation, generate
from schoolbell.stages.timetable.search import (
    Schedule,
    anneal_chunk,
    annealing,
    build_search_problem,
    crossover,
    random_state,
    start_anneal,
)
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable
from schoolbell.stages.timetable.search.compile_kernels import compile_kernels


def test_what_was_compiled_on_a_tiny_instance_serves_any_other():
    compile_kernels(Formulation.UD2)
    kernels = (annealing.run_moves, crossover.cluster_costs)
    compiled = [list(kernel.signatures) for kernel in kernels]
    instance = generate(20, seed=1)
    problem = build_search_problem(instance, Formulation.UD2)
    start = greedy_timetable(instance, np.random.default_rng(0))
    schedule = Schedule(start=2.0, end=1.0, moves=100)
    anneal = start_anneal(problem, *start, schedule, random_state(np.random.SeedSequence(0)))
    anneal_chunk(problem, anneal, schedule, 100)
    clusters = np.zeros(instance.n_courses, np.int64)
    crossover.cluster_costs(problem, anneal.timetable, clusters, 1, 100.0)
    assert [list(kernel.signatures) for kernel in kernels] == compiled


def test_the_garbage_collector_is_left_as_it_was():
    # A compilation that another test has left behind may be under way.
    gc.unfreeze()
    compile_kernels(Formulation.UD2)
    assert gc.get_freeze_count() == 0
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        compile_kernels(Formulation.UD2)
        # Some have gone meanwhile, none was let back in.
        assert 0.9 * frozen < gc.get_freeze_count() <= frozen
    finally:
        gc.unfreeze()
