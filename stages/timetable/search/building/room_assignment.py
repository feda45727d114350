"""Rooms for lectures whose periods are known: one assignment problem a period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....ragged import ranges
from ....search.assignment import assign
from ....search.compiling import inner, kernel
from ...constraints.search import double_lectures, room_stability, travel_distance

if TYPE_CHECKING:
    from ...model.formulation import Formulation
    from ...model.instance import Instance

# Cost of a room that must not be taken; the lecture stays without one instead.
FORBIDDEN = np.int64(10**9)


class RoomProblem(NamedTuple):
    """What decides about rooms, as arrays for the kernels.

    Attributes
    ----------
    course, starts
        Course of each lecture and first lecture of each course.
    students, double
        Of each course.
    capacity, building
        Of each room.
    suitable
        Whether a room suits a course, shape (n_courses, n_rooms).
    curriculum_starts, curriculum_courses
        Courses of each curriculum.
    course_curricula_starts, course_curricula
        Curricula of each course.
    periods_per_day
        Timeslots of a day.
    price_capacity, price_suitability, price_stability, price_travel, price_double
        Weights; `price_suitability` is `FORBIDDEN` where the constraint is hard.
    """

    course: NDArray[np.int32]
    starts: NDArray[np.int32]
    students: NDArray[np.int32]
    double: NDArray[np.bool_]
    capacity: NDArray[np.int32]
    building: NDArray[np.int32]
    suitable: NDArray[np.bool_]
    curriculum_starts: NDArray[np.int32]
    curriculum_courses: NDArray[np.int32]
    course_curricula_starts: NDArray[np.int32]
    course_curricula: NDArray[np.int32]
    periods_per_day: int
    price_capacity: int
    price_suitability: int
    price_stability: int
    price_travel: int
    price_double: int

    @classmethod
    def of(cls, instance: Instance, formulation: Formulation) -> RoomProblem:
        """Take what concerns rooms from an instance and a formulation."""
        weights = formulation.weights
        hard = "RoomSuitability" in formulation.hard
        return cls(
            course=instance.lecture_course,
            starts=instance.course_starts,
            students=instance.course_students,
            double=instance.course_double,
            capacity=instance.room_capacity,
            building=instance.room_building,
            suitable=instance.suitable,
            curriculum_starts=instance.curriculum_starts,
            curriculum_courses=instance.curriculum_courses,
            course_curricula_starts=instance.course_curricula_starts,
            course_curricula=instance.course_curricula,
            periods_per_day=instance.periods_per_day,
            price_capacity=weights.get("RoomCapacity", 0),
            price_suitability=int(FORBIDDEN) if hard else weights.get("RoomSuitability", 0),
            price_stability=weights.get("RoomStability", 0),
            price_travel=weights.get("TravelDistance", 0),
            price_double=weights.get("DoubleLectures", 0),
        )

    def read_only(self) -> RoomProblem:
        """Return the same with read-only arrays, as the instance has them.

        Arrays that come out of a pickle can be written to, a type of its own to
        the compiler, which would compile the kernels once more.
        """
        return RoomProblem(*(_read_only(value) for value in self))


def _read_only(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view


def assign_rooms(
    problem: RoomProblem,
    periods: NDArray[np.int32],
    rooms: NDArray[np.int32],
    movable: NDArray[np.bool_],
    n_periods: int,
    sweeps: int = 2,
) -> NDArray[np.int32]:
    """Give lectures rooms, period by period at the least cost, the other periods fixed.

    No room is used twice in a period. The sweeps over the periods stop early
    when nothing changes. What a room costs is exact for capacity, suitability,
    stability and travel, given the other periods; for double lectures it asks
    for the room of the lecture next to it.

    Parameters
    ----------
    problem
        What decides about rooms.
    periods
        Period of each lecture, -1 without one, shape (n_lectures,).
    rooms
        Rooms that lectures have now, -1 without one, shape (n_lectures,); they
        count until their period's turn comes, and those of other lectures are
        not touched.
    movable
        Lectures that are to get a room, shape (n_lectures,).
    n_periods
        Periods of the week.
    sweeps
        Times to go through the periods at most.

    Returns
    -------
    array
        Room of each lecture, -1 where there is none for it, shape (n_lectures,).
    """
    problem = problem.read_only()
    at = np.where(movable, periods, -1)
    order = np.argsort(at, kind="stable").astype(np.int32)
    begin = np.searchsorted(at[order], np.arange(n_periods + 1)).astype(np.int64)
    everyone = np.argsort(periods, kind="stable").astype(np.int32)
    all_begin = np.searchsorted(periods[everyone], np.arange(n_periods + 1)).astype(np.int64)
    found = np.where(periods >= 0, rooms, -1).astype(np.int32)
    curriculum_at = _curriculum_lectures(problem, periods, n_periods)
    for _ in range(sweeps):
        moved = _sweep(
            problem, periods, found, movable, order, begin, everyone, all_begin, curriculum_at
        )
        if not moved:
            break
    return found


def _curriculum_lectures(
    problem: RoomProblem, periods: NDArray[np.int32], n_periods: int
) -> NDArray[np.int32]:
    """Find the lecture of each curriculum in each period, -1 where none is; for travel."""
    if not problem.price_travel:
        return np.full((0, 0), -1, np.int32)
    sizes = np.diff(problem.curriculum_starts)
    table = np.full((len(sizes), n_periods), -1, np.int32)
    curriculum = np.repeat(np.arange(len(sizes)), sizes)
    counts = np.diff(problem.starts)[problem.curriculum_courses]
    first = problem.starts[problem.curriculum_courses]
    rows = np.repeat(curriculum, counts)
    lectures = ranges(first, counts)
    placed = periods[lectures] >= 0
    table[rows[placed], periods[lectures[placed]]] = lectures[placed]
    return table


@kernel
def _sweep(problem, periods, rooms, movable, order, begin, everyone, all_begin, curriculum_at):
    """Assign rooms in one period after the other; return whether any room changed."""
    n_rooms = len(problem.capacity)
    changed = False
    taken = np.empty(n_rooms, np.bool_)
    for period in range(len(begin) - 1):
        rows = order[begin[period] : begin[period + 1]]
        if len(rows) == 0:
            continue
        taken[:] = False
        for lecture in everyone[all_begin[period] : all_begin[period + 1]]:
            if not movable[lecture] and rooms[lecture] >= 0:
                taken[rooms[lecture]] = True
        free = np.flatnonzero(~taken)
        # A column for each lecture that finds no room, so that the problem has a solution.
        cost = np.full((len(rows), len(free) + len(rows)), FORBIDDEN, np.int64)
        line = np.empty(n_rooms, np.int64)
        for i, lecture in enumerate(rows):
            _price_rooms(problem, periods, rooms, lecture, curriculum_at, line)
            # A loop and not a slice, which takes seconds to compile.
            for column, room in enumerate(free):
                cost[i, column] = line[room]
        for i, column in enumerate(assign(cost)):
            room = -1
            if column < len(free) and cost[i, column] < FORBIDDEN:
                room = free[column]
            changed |= rooms[rows[i]] != room
            rooms[rows[i]] = room
    return changed


@inner
def _price_rooms(problem, periods, rooms, lecture, curriculum_at, line):
    """Fill `line` with what each room costs a lecture in its period."""
    course = problem.course[lecture]
    for room in range(len(line)):
        excess = problem.students[course] - problem.capacity[room]
        line[room] = problem.price_capacity * max(excess, 0)
        if not problem.suitable[course, room]:
            line[room] += problem.price_suitability
    if problem.price_stability > 0:
        room_stability.price_rooms(problem, rooms, lecture, line)
    slot = periods[lecture] % problem.periods_per_day
    for other_slot, other in ((slot - 1, periods[lecture] - 1), (slot + 1, periods[lecture] + 1)):
        if 0 <= other_slot < problem.periods_per_day:
            if problem.price_double > 0 and problem.double[course]:
                double_lectures.price_rooms(problem, periods, rooms, lecture, other, line)
            if problem.price_travel > 0:
                travel_distance.price_rooms(problem, rooms, course, other, curriculum_at, line)


def scarce_rooms(
    suitable: NDArray[np.bool_],
    courses: NDArray[np.intp],
    rooms: NDArray[np.int32],
) -> list[NDArray[np.bool_]]:
    """Find why lectures of one period have no room that suits: rooms that too many need.

    Parameters
    ----------
    suitable
        Whether a room suits a course, shape (n_courses, n_rooms).
    courses, rooms
        Courses with a lecture in the period, and its room by a largest matching,
        -1 where it has none.

    Returns
    -------
    list of arrays
        For each lecture without a room a set of rooms, bool of shape (n_rooms,),
        that must hold this lecture and one more in each of its rooms.

    References
    ----------
    P. Hall, *On representatives of subsets*, J. London Math. Soc. 10, 1935.
    """
    found = []
    for without in courses[rooms < 0]:
        needed = suitable[without].copy()
        while True:
            inside = np.isin(rooms, np.flatnonzero(needed))
            more = needed | suitable[courses[inside]].any(axis=0)
            if (more == needed).all():
                break
            needed = more
        found.append(needed)
    return found
