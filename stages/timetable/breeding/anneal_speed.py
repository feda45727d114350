"""How fast the search is on an instance and on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ...problem import Cooling
from ...tasks.stop_flag import StopFlag

if TYPE_CHECKING:
    from ..timetable_problem import TimetableProblem

# An anneal, made in pieces until a time is over: a large instance is slow enough to be timed
# with fewer moves.
MOVES, PIECES = 500_000, 50
MOST_SECONDS = 0.2


def anneal_speed(problem: TimetableProblem) -> float | None:
    """Return the moves that an anneal makes in a second; None where nothing can be moved.

    From hot to cold, as an anneal goes, and from a greedy timetable, since moves in an empty
    one cost more. In seconds of this thread's own: whatever else the machine does now, it may
    not do later. The first piece does not count, in which kernels are still being loaded.
    """
    if not problem.n_items:
        return None
    breeding = problem.breed()
    genes = breeding.found(np.random.default_rng(0), StopFlag()).run()
    cooling = Cooling(
        start=30.0 * breeding.scale,
        end=0.16 * float(np.sqrt(breeding.scale)),
        moves=MOVES,
        kempe=0.15,
        violation=100.0 * breeding.scale,
    )
    anneal = breeding.anneal(genes, cooling, np.random.SeedSequence(0))
    anneal = anneal.chunk(MOVES // PIECES).run()
    began, made = time.thread_time(), 0
    while made < MOVES - MOVES // PIECES and time.thread_time() - began < MOST_SECONDS:
        anneal = anneal.chunk(MOVES // PIECES).run()
        made += MOVES // PIECES
    return made / max(time.thread_time() - began, 1e-6)
