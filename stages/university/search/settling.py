"""A first timetable by the search alone: any at first, then one without violations."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from ...problem import SolveLimits
from ...search.random import random_state
from ...tasks.stop_flag import StopFlag
from .annealing import MOVES_LEFT, MOVES_MADE, Schedule, anneal_chunk, start_anneal
from .places import Places, Translation
from .timetable import HARD, build_timetable

# The temperature, in what a usual change costs.
WARM = 0.2

# Most moves for each class in a unit of effort, a second or so of a mid-sized instance.
MOVES_OF_A_CLASS = 200

# Moves for each class in which what is feasible cools, and the temperature in the end,
# in that of the beginning.
QUENCH, COOLED = 100, 0.05

# Moves after which it is asked whether to end.
CHUNK = 20_000


def settle(
    translation: Translation,
    temperature: float,
    rng: np.random.Generator,
    limits: SolveLimits,
    flag: StopFlag,
    placed: NDArray[np.int64] | None = None,
    found: list[Places] | None = None,
) -> Places:
    """Place everything anywhere, and anneal until no required rule is broken; then cool.

    The temperature stays as it is meanwhile: what is warm gets out of its own way, and what
    it costs does not matter yet.

    Parameters
    ----------
    translation
        Of the instance.
    temperature
        In units of cost; about what a usual change costs.
    rng
        Draws the places.
    limits
        When to end with what violations are left.
    flag
        When set, the call returns soon.
    placed
        Told, while the search goes on, how many classes break no rule with others and
        are not too full, (1,).
    found
        Has the best places so far, one of them, while the search goes on.

    Returns
    -------
    Places
        With the fewest violations found, and of those at the least cost.
    """
    problem = translation.problem
    n = len(problem.limit)
    began = time.monotonic()
    most = max(CHUNK, int(limits.effort * MOVES_OF_A_CLASS * n))
    timetable = build_timetable(problem, *translation.draw(rng))
    state = random_state(np.random.SeedSequence(rng.integers(2**63)))
    warm = Schedule(temperature, temperature, most)
    anneal = start_anneal(timetable, warm, state)

    def best() -> Places:
        columns = anneal.best_row, anneal.best_option, anneal.best_bundle
        return Places(*(values.astype(np.int64) for values in columns))

    least = np.inf

    def tell() -> None:
        """Let others see what there is, when it has fewer violations than before."""
        nonlocal least
        if found is not None and anneal.best_total[HARD] < least:
            least = anneal.best_total[HARD]
            found[:] = [best()]

    def goes_on(moves: int) -> bool:
        in_time = limits.seconds is None or time.monotonic() - began < limits.seconds
        return moves > 0 and in_time and not flag.is_set

    left = most
    while anneal.best_total[HARD] > 0 and goes_on(left):
        anneal_chunk(problem, timetable, anneal, warm, min(CHUNK, left))
        left -= CHUNK
        tell()
        if placed is not None:
            broken = (timetable.own[:, HARD] > 0) | (timetable.attend > problem.limit)
            # What goes on moving may break a rule again; the best does not.
            placed[0] = n if anneal.best_total[HARD] == 0 else n - np.count_nonzero(broken)
    cooling = Schedule(temperature, COOLED * temperature, QUENCH * n)
    left = QUENCH * n if anneal.best_total[HARD] == 0 else 0
    anneal.clock[[MOVES_MADE, MOVES_LEFT]] = 0, left
    while goes_on(left):
        anneal_chunk(problem, timetable, anneal, cooling, min(CHUNK, left))
        left -= CHUNK
    return best()
