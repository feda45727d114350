"""How fast the search of an instance is on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ...search.random import random_state
from ..search.annealing import Schedule, anneal_chunk, start_anneal
from ..search.places import Translation
from ..search.temperatures import usual_change
from ..search.timetable import build_timetable

if TYPE_CHECKING:
    from ..university_problem import UniversityProblem

# Moves until the worst is settled, and moves that are measured: a tenth of a second or two.
SETTLING, MOVES = 20_000, 20_000


def anneal_speed(problem: UniversityProblem) -> float:
    """Return the moves that an anneal makes in a second of this thread's own.

    Whatever else the machine does now, it may not do later.
    """
    search = problem.search
    places = Translation(problem.reduction, search).draw(np.random.default_rng(0))
    timetable = build_timetable(search, *places)
    warm = usual_change(search, problem.instance)
    schedule = Schedule(warm, warm, SETTLING + MOVES)
    anneal = start_anneal(timetable, schedule, random_state(np.random.SeedSequence(0)))
    anneal_chunk(search, timetable, anneal, schedule, SETTLING)
    began = time.thread_time()
    anneal_chunk(search, timetable, anneal, schedule, MOVES)
    return MOVES / max(time.thread_time() - began, 1e-6)
