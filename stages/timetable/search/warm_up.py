"""Compile the kernels before they are needed."""

import numpy as np

from .annealing import Schedule, anneal_chunk, start_anneal
from .crossover import cluster_costs, cross
from .random import random_state
from .repair import apply_operator, free_periods, lecture_costs
from .search_problem import SearchProblem
from .timetable import restore


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
    lecture_costs(problem, child, 100.0)
    free_periods(problem, child, 0)
    apply_operator(problem, child, 0, 0, 100.0, rng)
    restore(problem, child, *parent)
