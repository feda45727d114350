"""Have all kernels compiled before a run counts on their speed."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ..model.course import Course
from ..model.formulation import Formulation
from ..model.instance import Instance
from ..model.room import Room
from . import build_search_problem, warm_up
from .building.greedy import greedy_timetable
from .building.room_assignment import RoomProblem, assign_rooms


def compile_kernels(formulation: Formulation, timeslots: int = 3, days: int = 1) -> None:
    """Call every kernel once, so that each is compiled or read from numba's cache.

    The first time on a machine this takes many seconds for each formulation. The
    kernels work on a tiny instance, so that the size of the user's does not matter.

    Parameters
    ----------
    formulation
        What the kernels are compiled for.
    timeslots, days
        Of a day and of the week; long ones have kernels of their own.
    """
    with _what_is_there_left_alone():
        courses = (Course("a", "a", 2, 1, 1), Course("b", "b", 1, 1, 1))
        tiny = Instance("tiny", days, timeslots, courses, (Room("a", 1),))
        warm_up(build_search_problem(tiny, formulation))
        periods, rooms = greedy_timetable(tiny, np.random.default_rng(0))
        problem = RoomProblem.of(tiny, formulation)
        assign_rooms(problem, periods, rooms, np.ones(len(periods), np.bool_), tiny.n_periods)


@contextmanager
def _what_is_there_left_alone() -> Iterator[None]:
    """Spare the garbage collector the objects that are there already.

    Compiling makes objects by the million, and each full collection stops all threads,
    the longer the more objects there are.
    """
    if gc.get_freeze_count() > 0:
        # Somebody else's, who will want it to stay so.
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
