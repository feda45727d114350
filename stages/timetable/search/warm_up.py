"""Compile the kernels before they are needed."""

import numpy as np

from ...search.action_values import ActionValues
from ...search.random import random_state
from .annealing import Schedule, anneal_chunk, start_anneal
from .crossover import cluster_costs, cross
from .repairing.episodes import play_episodes, start_repair
from .repairing.repair import lecture_costs
from .search_problem import SearchProblem


def warm_up(problem: SearchProblem) -> None:
    """Call every kernel once, so that each is compiled or read from the cache.

    The first time on a machine this takes several seconds for each formulation,
    afterwards a few tenths of one.
    """
    rng = random_state(np.random.SeedSequence(0))
    nowhere = np.full(len(problem.course), -1, np.int64)
    schedule = Schedule(start=1.0, end=0.5, moves=4)
    anneal = start_anneal(problem, nowhere, nowhere, schedule, rng)
    if len(nowhere) == 0:
        return
    anneal_chunk(problem, anneal, schedule, 4)
    n_courses = len(problem.students)
    parent = (anneal.best_period, anneal.best_room)
    child = cross(problem, parent, parent, np.zeros(n_courses, np.bool_), rng)
    cluster_costs(problem, child, np.zeros(n_courses, np.int64), 1, 100.0)
    repair = start_repair(child, np.random.SeedSequence(0))
    agent = ActionValues(
        np.zeros((1, 1)), np.zeros(1, np.int64), np.zeros((1, 6), np.int64), 0.9, 0.1
    )
    play_episodes(problem, child, repair, agent, 0, 0.0, 1, 100.0, 1, 0.1)
    lecture_costs(problem, child, 100.0)
