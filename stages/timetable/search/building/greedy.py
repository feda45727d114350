"""Timetables built lecture by lecture, the most constrained first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....search.compiling import NOWHERE, inner, kernel

if TYPE_CHECKING:
    from ...model.instance import Instance


class _Construction(NamedTuple):
    """A timetable under construction, as arrays for the kernels."""

    starts: NDArray[np.int32]
    students: NDArray[np.int32]
    periods_per_day: int
    conflict_starts: NDArray[np.int32]
    conflict_courses: NDArray[np.int32]
    available: NDArray[np.bool_]
    suitable: NDArray[np.bool_]
    rooms_by_size: NDArray[np.int64]
    capacity: NDArray[np.int32]
    must_suit: bool
    periods: NDArray[np.int32]
    rooms: NDArray[np.int32]
    # Lectures that conflict with a course in a period; its own count as well.
    clashes: NDArray[np.int32]
    held: NDArray[np.bool_]
    room_used: NDArray[np.bool_]


def greedy_timetable(
    instance: Instance,
    rng: np.random.Generator,
    periods: NDArray[np.int32] | None = None,
    rooms: NDArray[np.int32] | None = None,
    must_suit: bool = False,
    into: NDArray[np.int32] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Place lectures one by one without breaking a hard constraint.

    Next comes a lecture of the course with the fewest periods left for each of
    its lectures, and it goes where it takes away least from others; ties and
    near ties are broken at random, so that many different timetables come out.
    Lectures that fit nowhere stay without a period.

    Parameters
    ----------
    instance
        What to timetable.
    rng
        Source of the random numbers.
    periods, rooms
        A timetable to complete, -1 where a lecture has no place, shape
        (n_lectures,); its lectures stay. None to begin with an empty one.
    must_suit
        Whether a lecture may only have a room that suits its course.
    into
        An array for the periods that are returned, in which other threads can see how
        many lectures have one; filled with -1 first.

    Returns
    -------
    tuple of arrays
        Period and room of each lecture, -1 where it has none, int32 of shape
        (n_lectures,).

    References
    ----------
    D. Brélaz, *New methods to color the vertices of a graph*, Communications of
    the ACM 22, 1979 (the order).
    """
    work = _begin(instance, periods, rooms, must_suit, into)
    _construct(work, rng.random(instance.n_courses), rng.random(instance.available.shape))
    return work.periods, work.rooms


def place_rest(
    instance: Instance,
    rng: np.random.Generator,
    periods: NDArray[np.int32],
    rooms: NDArray[np.int32],
    must_suit: bool = False,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Place the lectures that are left where they conflict with the fewest others.

    For a search that starts from complete timetables and repairs conflicts. No
    room is used twice, and no course twice, in a period. Parameters and result
    as for `greedy_timetable`.
    """
    work = _begin(instance, periods, rooms, must_suit)
    order = rng.permutation(np.flatnonzero(work.periods < 0))
    _place_least_conflicting(work, order, instance.lecture_course, rng.random(instance.n_periods))
    return work.periods, work.rooms


def _begin(
    instance: Instance,
    periods: NDArray[np.int32] | None,
    rooms: NDArray[np.int32] | None,
    must_suit: bool,
    into: NDArray[np.int32] | None = None,
) -> _Construction:
    """Lay out the arrays and enter the lectures that have a place already."""
    nowhere = np.full(instance.n_lectures, -1, np.int32) if into is None else into
    nowhere[:] = -1
    work = _Construction(
        starts=instance.course_starts,
        students=instance.course_students,
        periods_per_day=instance.periods_per_day,
        conflict_starts=instance.conflict_starts,
        conflict_courses=instance.conflict_courses,
        available=instance.available,
        suitable=instance.suitable,
        rooms_by_size=np.argsort(instance.room_capacity, kind="stable"),
        capacity=instance.room_capacity,
        must_suit=must_suit,
        periods=nowhere,
        rooms=nowhere.copy(),
        clashes=np.zeros(instance.available.shape, np.int32),
        held=np.zeros(instance.available.shape, np.bool_),
        room_used=np.zeros((instance.n_periods, instance.n_rooms), np.bool_),
    )
    if periods is not None and rooms is not None:
        _enter(work, instance.lecture_course, periods, rooms)
    return work


@kernel
def _enter(work, course, periods, rooms):
    """Place the lectures of a given timetable."""
    for lecture in range(len(periods)):
        if periods[lecture] >= 0 and rooms[lecture] >= 0:
            _place(work, course[lecture], lecture, periods[lecture], rooms[lecture])


@inner
def _place(work, course, lecture, period, room):
    """Give a lecture its place."""
    work.periods[lecture] = period
    work.rooms[lecture] = room
    work.room_used[period, room] = True
    work.held[course, period] = True
    work.clashes[course, period] += 1
    for i in range(work.conflict_starts[course], work.conflict_starts[course + 1]):
        work.clashes[work.conflict_courses[i], period] += 1


@inner
def _room_for(work, course, period):
    """Find a free room: the smallest that is large enough, else the largest; -1 if none.

    Rooms that suit come first; others only where they may be taken at all.
    """
    best, best_rank = NOWHERE, NOWHERE
    for room in work.rooms_by_size:
        suits = work.suitable[course, room]
        if work.room_used[period, room] or (work.must_suit and not suits):
            continue
        large = work.capacity[room] >= work.students[course]
        rank = 2 * suits + large
        # Rooms come by size: among small ones the last, among large ones the first.
        if rank > best_rank or (rank == best_rank and not large):
            best, best_rank = room, rank
    return best


@kernel
def _construct(work, course_noise, period_noise):
    """Place lectures without a conflict, the most constrained course first."""
    n_courses, n_periods = work.available.shape
    choices = np.zeros(n_courses, np.int64)
    missing = np.zeros(n_courses, np.int64)
    used = np.zeros(n_periods, np.int64)
    for course in range(n_courses):
        for lecture in range(work.starts[course], work.starts[course + 1]):
            missing[course] += work.periods[lecture] < 0
        for period in range(n_periods):
            choices[course] += work.available[course, period] and not work.clashes[course, period]
    for period in range(n_periods):
        used[period] = work.room_used[period].sum()
    while True:
        course, least = NOWHERE, np.inf
        for candidate in range(n_courses):
            if missing[candidate]:
                slack = choices[candidate] - missing[candidate] + course_noise[candidate]
                if slack / missing[candidate] < least:
                    course, least = candidate, slack / missing[candidate]
        if course < 0:
            return
        period, room = _best_period(work, course, choices, missing, used, period_noise[course])
        if period < 0:
            missing[course] = 0
            continue
        lecture = work.starts[course]
        while work.periods[lecture] >= 0:
            lecture += 1
        missing[course] -= 1
        used[period] += 1
        choices[course] -= 1
        for i in range(work.conflict_starts[course], work.conflict_starts[course + 1]):
            other = work.conflict_courses[i]
            free = work.available[other, period] and not work.clashes[other, period]
            choices[other] -= free
        _place(work, course, lecture, period, room)


@inner
def _best_period(work, course, choices, missing, used, noise):
    """Find the period, and a room in it, that takes least away from other courses."""
    best, best_room, least = NOWHERE, NOWHERE, np.inf
    n_rooms = len(work.capacity)
    for period in range(len(noise)):
        if work.clashes[course, period] or not work.available[course, period]:
            continue
        if used[period] >= n_rooms:
            continue
        loss = 0.5 * noise[period] + used[period] / n_rooms
        for i in range(work.conflict_starts[course], work.conflict_starts[course + 1]):
            other = work.conflict_courses[i]
            free = work.available[other, period] and not work.clashes[other, period]
            if missing[other] and free:
                loss += missing[other] / max(1, choices[other] - missing[other] + 1)
        day = period - period % work.periods_per_day
        loss += work.held[course, day : day + work.periods_per_day].sum()
        # Next to a lecture of the same curriculum or teacher none stands alone.
        if period > day and work.clashes[course, period - 1]:
            loss -= 0.5
        if period < day + work.periods_per_day - 1 and work.clashes[course, period + 1]:
            loss -= 0.5
        if loss < least:
            room = _room_for(work, course, period)
            if room >= 0:
                best, best_room, least = period, room, loss
    return best, best_room


@kernel
def _place_least_conflicting(work, order, course_of, noise):
    """Place lectures in the order given, conflicts or not, where a room is free."""
    for lecture in order:
        course = course_of[lecture]
        best, best_room, least = NOWHERE, NOWHERE, np.inf
        for period in range(len(noise)):
            if work.held[course, period] or not work.available[course, period]:
                continue
            loss = work.clashes[course, period] + noise[period]
            if loss < least:
                room = _room_for(work, course, period)
                if room >= 0:
                    best, best_room, least = period, room, loss
        if best >= 0:
            _place(work, course, lecture, best, best_room)
