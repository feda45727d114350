"""Compile the kernels before they are needed."""

import numpy as np

from ...search.compile_progress import KernelWork
from ...search.random import random_state
from ..model.configuration import Configuration
from ..model.course import Course
from ..model.course_class import CourseClass
from ..model.instance import Instance
from ..model.subpart import Subpart
from ..model.time import Time
from .annealing import Schedule, anneal_chunk, start_anneal
from .attempts import attempt, class_costs
from .search_problem import build_search_problem
from .timetable import build_timetable, count_all

KERNELS = (
    KernelWork("fill", 15, 40, 8),
    KernelWork("run_moves", 35, 110, 60),
    KernelWork("count", 4, 12, 6),
    KernelWork("class_costs", 3, 8, 4),
    KernelWork("attempt", 30, 90, 40),
)
"""The kernels in the order in which `compile_kernels` calls them."""


def compile_kernels() -> None:
    """Call every kernel once, so that each is compiled or read from numba's cache.

    The first time on a machine this takes half a minute, afterwards a few tenths of a
    second. The kernels work on a tiny instance.
    """
    one = CourseClass("1", 1, times=(Time("1000000", 0, 1, "1"),))
    tiny = Instance("tiny", 1, (), (Course("1", (Configuration("1", (Subpart("1", (one,)),)),)),))
    problem = build_search_problem(tiny)
    nothing = np.zeros(0, np.int64)
    timetable = build_timetable(problem, np.zeros(1, np.int64), np.full(1, -1), nothing)
    schedule = Schedule(start=1.0, end=0.5, moves=4)
    anneal = start_anneal(timetable, schedule, random_state(np.random.SeedSequence(0)))
    anneal_chunk(problem, timetable, anneal, schedule, 4)
    count_all(problem, timetable)
    class_costs(problem, timetable, 100.0, np.zeros(1))
    for kind in range(3):
        attempt(problem, timetable, 0, 0, kind, 100.0, anneal.queue, anneal.rng)
