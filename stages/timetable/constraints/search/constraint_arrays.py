"""What the kernels read of the constraints of a formulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....search.record import Record
from ..registry import cost_in_periods, cost_in_rooms
from . import double_lectures, travel_distance

if TYPE_CHECKING:
    from ...model.formulation import Formulation
    from ...model.instance import Instance


@dataclass(frozen=True, eq=False)
class ConstraintArrays(Record):
    """Weights of the constraints, and what these look at; the part of a `SearchProblem` so made.

    Attributes
    ----------
    students, min_days
        Of each course, int64 (n_courses,).
    double
        Whether the course asks for double lectures, bool (n_courses,).
    capacity, building
        Of each room, int64 (n_rooms,).
    unsuitable
        Whether a room does not suit a course, bool (n_courses, n_rooms);
        (1, 1) if the formulation does not ask.
    isolated, windows, load
        Weights of the three constraints that make up a curriculum's day.
    min_load, max_load
        Bounds on a curriculum's lectures a day.
    room_capacity, min_working_days, room_stability, travel_distance,
    double_lectures, room_suitability, hard_suitability
        Weights of the other constraints; None for one that the formulation
        lacks, so that kernels compile without it.
    other_room
        What a room costs at least that is new to a course which has lectures elsewhere;
        None where it makes no difference.
    rooms_of_curricula
        1 where rooms make a difference to what curricula cost, else None.
    by_room, by_period
        1 where the formulation has constraints that are described by tables of rooms and
        of periods, else None; then the arrays that follow are (1, 1).
    in_rooms, in_periods
        Weighted cost of a lecture of each course in each room and in each period by these
        constraints, int64 (n_courses, n_rooms) and (n_courses, n_periods).
    slack
        The most that moving a lecture of a course can win beside the days of its
        curricula, its working days and the size of its room, int64 (n_courses,).
    gain
        The most by which moving a lecture of a course can lower the weighted
        cost outside of its room, int64 (n_courses,).
    """

    students: NDArray[np.int64]
    min_days: NDArray[np.int64]
    double: NDArray[np.bool_]
    capacity: NDArray[np.int64]
    building: NDArray[np.int64]
    unsuitable: NDArray[np.bool_]
    isolated: int
    windows: int
    load: int
    min_load: int
    max_load: int
    room_capacity: int | None
    min_working_days: int | None
    room_stability: int | None
    travel_distance: int | None
    double_lectures: int | None
    room_suitability: int | None
    hard_suitability: int | None
    other_room: int | None
    rooms_of_curricula: int | None
    by_room: int | None
    by_period: int | None
    in_rooms: NDArray[np.int64]
    in_periods: NDArray[np.int64]
    slack: NDArray[np.int64]
    gain: NDArray[np.int64]


def constraint_arrays(
    instance: Instance, formulation: Formulation, counted: NDArray[np.int64], steepest: int
) -> dict[str, Any]:
    """Return the fields of `ConstraintArrays`.

    Parameters
    ----------
    counted
        Curricula of each course, int64 (n_courses,).
    steepest
        The most that one timeslot more or less changes in a curriculum's day.
    """
    weights = _weights(formulation)
    in_rooms = cost_in_rooms(instance, formulation.weights)
    in_periods = cost_in_periods(instance, formulation.weights)
    asks = weights["room_suitability"] is not None or weights["hard_suitability"] is not None
    slack = _slack(instance, weights, counted, in_periods)
    gain = slack + 2 * steepest * counted + (weights["min_working_days"] or 0)
    # Where lectures clash, more is won now and then: courses that ask for no doubles have that to
    # spare, and what a seed finds depends on it.
    spare = instance.course_lectures - double_lectures.most(instance)
    gain += (weights["double_lectures"] or 0) * spare
    return {
        "students": instance.course_students.astype(np.int64),
        "min_days": instance.course_min_days.astype(np.int64),
        "double": instance.course_double,
        "capacity": instance.room_capacity.astype(np.int64),
        "building": instance.room_building.astype(np.int64),
        "unsuitable": np.ascontiguousarray(~instance.suitable) if asks else np.zeros((1, 1), "?"),
        "isolated": int(formulation.weights.get("IsolatedLectures", 0)),
        "windows": int(formulation.weights.get("Windows", 0)),
        "load": int(formulation.weights.get("StudentMinMaxLoad", 0)),
        "min_load": instance.min_load,
        "max_load": instance.max_load,
        **weights,
        "other_room": weights["room_stability"],
        "rooms_of_curricula": None if weights["travel_distance"] is None else 1,
        "by_room": None if in_rooms is None else 1,
        "by_period": None if in_periods is None else 1,
        "in_rooms": np.zeros((1, 1), np.int64) if in_rooms is None else in_rooms,
        "in_periods": np.zeros((1, 1), np.int64) if in_periods is None else in_periods,
        "slack": np.minimum(slack, 2**30),
        "gain": np.minimum(gain, 2**30),
    }


def _weights(formulation: Formulation) -> dict[str, Any]:
    names = {
        "room_capacity": "RoomCapacity",
        "min_working_days": "MinWorkingDays",
        "room_stability": "RoomStability",
        "travel_distance": "TravelDistance",
        "double_lectures": "DoubleLectures",
        "room_suitability": "RoomSuitability",
    }
    weights = {key: int(formulation.weights.get(name, 0)) or None for key, name in names.items()}
    return weights | {"hard_suitability": 1 if "RoomSuitability" in formulation.hard else None}


def _slack(
    instance: Instance,
    weights: dict[str, int | None],
    counted: NDArray[np.int64],
    in_periods: NDArray[np.int64] | None,
) -> NDArray[np.int64]:
    """Bound what one moved lecture of each course can win beyond what is quick to tell."""
    slack = travel_distance.MOST * (weights["travel_distance"] or 0) * counted
    slack += weights["room_stability"] or 0
    slack += (weights["double_lectures"] or 0) * double_lectures.most(instance)
    if in_periods is not None:
        slack += in_periods.max(axis=1, initial=0)
    return slack.astype(np.int64)
