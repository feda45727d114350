"""Search kernels: the change that a move makes, annealing and recombination."""

# First, since its package sees that numba is there.
from ...search.random import random_state
from .annealing import Anneal, Schedule, anneal_chunk, start_anneal
from .crossover import cluster_costs, cross
from .search_problem import SearchProblem, build_search_problem
from .timetable import Timetable, build_timetable
from .warm_up import warm_up

__all__ = [
    "Anneal",
    "Schedule",
    "SearchProblem",
    "Timetable",
    "anneal_chunk",
    "build_search_problem",
    "build_timetable",
    "cluster_costs",
    "cross",
    "random_state",
    "start_anneal",
    "warm_up",
]
