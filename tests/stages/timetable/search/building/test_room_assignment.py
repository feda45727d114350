"""Rooms for lectures whose periods are known."""

import numpy as np
import pytest
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Formulation,
    Instance,
    Room,
    Solution,
    evaluate,
)
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable
from schoolbell.stages.timetable.search.building.room_assignment import (
    RoomProblem,
    assign_rooms,
    scarce_rooms,
)


def assigned(instance, formulation, periods, rooms=None, movable=None, sweeps=3):
    everyone = np.ones(instance.n_lectures, bool)
    return assign_rooms(
        RoomProblem.of(instance, Formulation.of(formulation)),
        np.asarray(periods, np.int32),
        np.full(instance.n_lectures, -1, np.int32) if rooms is None else rooms,
        everyone if movable is None else movable,
        instance.n_periods,
        sweeps,
    )


def cost(instance, formulation, periods, rooms):
    return evaluate(Solution.of_lectures(instance, periods, rooms), formulation)


@pytest.mark.parametrize("formulation", ["UD1", "UD2", "UD3", "UD4", "UD5"])
def test_makes_any_timetable_cheaper_and_breaks_nothing(instance, formulation):
    must_suit = formulation == "UD4"
    for seed in range(3):
        rng = np.random.default_rng(seed)
        periods, rooms = greedy_timetable(instance, rng, must_suit=must_suit)
        careless = np.where(rooms >= 0, instance.n_rooms - 1 - rooms, -1).astype(np.int32)
        new = assigned(instance, formulation, periods, careless)
        before = cost(instance, formulation, periods, careless)
        after = cost(instance, formulation, periods, new)
        assert after.violations <= before.violations
        assert after.cost < before.cost


def test_a_period_costs_the_least_that_its_sizes_allow():
    courses = tuple(Course(f"c{i}", f"t{i}", 1, 1, s) for i, s in enumerate((90, 60, 30)))
    rooms = (Room("a", 35), Room("b", 80), Room("c", 55))
    instance = Instance("sizes", 1, 1, courses, rooms)
    found = assigned(instance, "UD1", [0, 0, 0])
    assert found.tolist() == [1, 2, 0]


def test_a_course_stays_in_its_room():
    courses = (Course("a", "t", 3, 1, 10), Course("b", "u", 3, 1, 10))
    instance = Instance("stable", 1, 3, courses, (Room("r", 20), Room("s", 20)))
    found = assigned(instance, "UD2", [0, 1, 2, 0, 1, 2])
    assert len(set(found[:3].tolist())) == len(set(found[3:].tolist())) == 1


def test_a_curriculum_stays_in_a_building():
    courses = tuple(Course(f"c{i}", f"t{i}", 1, 1, 10) for i in range(3))
    rooms = (Room("far", 20, "2"), Room("near", 20, "1"))
    barred_room = [("c0", "far")]
    curricula = (Curriculum("q", ("c0", "c1", "c2")),)
    instance = Instance("campus", 1, 3, courses, rooms, curricula, (), barred_room)
    formulation = Formulation("travel", {"TravelDistance": 2, "RoomSuitability": 1})
    assert assigned(instance, formulation, [0, 1, 2]).tolist() == [1, 1, 1]


def test_a_double_lecture_has_one_room():
    courses = (
        Course("a", "t", 2, 1, 50, double_lectures=True),
        Course("b", "u", 1, 1, 50),
    )
    instance = Instance("double", 1, 2, courses, (Room("large", 60), Room("small", 49)))
    found = assigned(instance, "UD4", [0, 1, 0])
    assert found[0] == found[1]


def test_others_keep_their_rooms(instance):
    periods, rooms = greedy_timetable(instance, np.random.default_rng(0))
    movable = np.arange(instance.n_lectures) % 3 == 0
    new = assigned(instance, "UD2", periods, rooms, movable)
    assert (new[~movable] == rooms[~movable]).all()
    assert cost(instance, "UD2", periods, new).hard["RoomOccupancy"] == 0


def test_a_lecture_that_no_room_suits_gets_none_and_the_shortage_is_found():
    courses = tuple(Course(f"c{i}", f"t{i}", 1, 1, 10) for i in range(3))
    rooms = tuple(Room(f"r{i}", 20) for i in range(3))
    barred = [(f"c{i}", "r2") for i in range(3)]
    instance = Instance("lab", 1, 2, courses, rooms, (), (), barred)
    found = assigned(instance, "UD4", [0, 0, 0])
    assert (found < 0).sum() == 1
    (scarce,) = scarce_rooms(instance.suitable, np.arange(3), found)
    assert scarce.tolist() == [True, True, False]
