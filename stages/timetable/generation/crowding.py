"""Hard things to repair: crowded instances, and timetables full of conflicts."""

import numpy as np
from numpy.typing import NDArray

from ..model.curriculum import Curriculum
from ..model.instance import Instance
from ..model.solution import Solution


def crowd(
    instance: Instance, solution: Solution, barred: float, linked: float, rng: np.random.Generator
) -> Instance:
    """Take room to move from an instance, but not the timetable that proves it feasible.

    Parameters
    ----------
    instance
        What to make harder.
    solution
        A timetable of it, to stay without violations.
    barred
        Part of each course's unused periods that become unavailable.
    linked
        Part of the pairs of courses that never meet in the timetable and from
        now on must not: each gets a curriculum of its own.
    rng
        Source of the random numbers.
    """
    used = np.zeros(instance.available.shape, np.bool_)
    used[solution.courses, solution.periods] = True
    bars = ((rng.random(used.shape) < barred) & ~used) | ~instance.available
    meet = used.astype(np.float32) @ used.T.astype(np.float32) > 0
    pairs = np.argwhere(np.triu(~meet & (rng.random(meet.shape) < linked), 1))
    ids = [course.id for course in instance.courses]
    slots = instance.periods_per_day
    return Instance(
        f"{instance.name}-crowded",
        instance.days,
        slots,
        instance.courses,
        instance.rooms,
        (*instance.curricula, *(Curriculum(f"q{a}-{b}", (ids[a], ids[b])) for a, b in pairs)),
        tuple((ids[c], int(p) // slots, int(p) % slots) for c, p in np.argwhere(bars)),
        instance.room_constraints,
        instance.min_daily_lectures,
        instance.max_daily_lectures,
    )


def scatter(
    instance: Instance, solution: Solution, part: float, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Throw part of a timetable's lectures into cells at random, conflicts or not.

    Returns
    -------
    tuple of arrays
        Period and room of each lecture, int32 (n_lectures,); -1 for one that
        fell where its course is not available.
    """
    periods, rooms = solution.lecture_arrays()
    thrown = (rng.random(len(periods)) < part) | (periods < 0)
    taken = np.zeros((instance.n_periods, instance.n_rooms), np.bool_)
    taken[periods[~thrown], rooms[~thrown]] = True
    free = rng.permutation(np.flatnonzero(~taken.ravel()))[: int(thrown.sum())]
    periods[thrown], rooms[thrown] = -1, -1
    falls = np.flatnonzero(thrown)[: len(free)]
    periods[falls], rooms[falls] = np.divmod(free, instance.n_rooms)
    barred = (periods >= 0) & ~instance.available[instance.lecture_course, periods]
    periods[barred], rooms[barred] = -1, -1
    return periods, rooms
