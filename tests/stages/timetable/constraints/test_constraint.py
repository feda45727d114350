"""Constraints that are described by a table: units and words from the one description."""

import numpy as np
import pytest
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Formulation,
    Instance,
    InstanceError,
    Room,
    Solution,
    evaluate,
)
from schoolbell.stages.timetable.constraints import registry
from schoolbell.stages.timetable.constraints.constraint import Constraint
from schoolbell.stages.timetable.search.search_problem import build_search_problem

INSTANCE = Instance(
    "small",
    2,
    3,
    (Course("A", "Ada", 2, 1, 10), Course("B", "Bohr", 2, 1, 40)),
    (Room("hall", 100, "N"), Room("room", 50, "N")),
    (Curriculum("q", ("A", "B")),),
)
WASTED = Constraint.by_room(
    "WastedSeats",
    lambda instance: instance.room_capacity > 4 * instance.course_students[:, None],
    lambda placed, row: f"course {placed.course(placed.courses[row])} is lost in its room",
)
LATE = Constraint.by_period(
    "LateLectures",
    lambda instance: np.tile(
        np.arange(instance.n_periods) % instance.periods_per_day == 2, (instance.n_courses, 1)
    ),
    lambda placed, row: f"a lecture is late on {placed.when(placed.periods[row])}",
)
FULL = Constraint.by_day(
    "FullDays",
    lambda occupied: np.maximum(occupied.sum(axis=1) - 1, 0),
    lambda placed, q, day: f"curriculum {placed.curriculum(q)} has a full day {day}",
)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    for one in (WASTED, LATE, FULL):
        monkeypatch.setitem(registry._by_name, one.name, one)


def formulation(**weights):
    return Formulation("mine", weights)


def test_units_and_words_come_from_the_table():
    # A in the hall early and in the room late; B in the hall, both on day 0.
    solution = Solution(INSTANCE, [0, 0, 1], [0, 2, 1], [0, 1, 0])
    found = evaluate(solution, formulation(WastedSeats=3, LateLectures=2, FullDays=5))
    assert found.soft == {"WastedSeats": 6, "LateLectures": 2, "FullDays": 10}
    told = [line for line in found.details() if line.startswith("[S")]
    assert told == [
        "[S(3)] WastedSeats: course A is lost in its room",
        "[S(3)] WastedSeats: course A is lost in its room",
        "[S(2)] LateLectures: a lecture is late on day 0, timeslot 2",
        "[S(10)] FullDays: curriculum q has a full day 0",
    ]


def test_the_search_takes_the_tables_by_their_weights():
    problem = build_search_problem(INSTANCE, formulation(WastedSeats=3, LateLectures=2, FullDays=5))
    assert (problem.by_room, problem.by_period, problem.by_day) == (1, 1, 1)
    assert problem.in_rooms.tolist() == [[3, 3], [0, 0]]
    assert problem.in_periods.tolist() == [[0, 0, 2] * 2] * 2
    # By masks of three timeslots.
    assert problem.of_days.tolist() == [0, 0, 0, 5, 0, 5, 5, 10]
    assert problem.day_cost.tolist() == problem.of_days.tolist()
    without = build_search_problem(INSTANCE, Formulation.UD2)
    assert (without.by_room, without.by_period, without.by_day) == (None, None, None)


def test_days_of_too_many_timeslots_for_a_table_are_refused():
    long = Instance("long", 1, 20, INSTANCE.courses, INSTANCE.rooms, INSTANCE.curricula)
    build_search_problem(long, formulation(WastedSeats=1))
    with pytest.raises(InstanceError, match="for FullDays"):
        build_search_problem(long, formulation(FullDays=1))
