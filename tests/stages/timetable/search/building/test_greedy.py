"""Timetables built lecture by lecture."""

import numpy as np
import pytest
from schoolbell.stages.timetable import Course, Instance, Room, Solution, evaluate
from schoolbell.stages.timetable.search.building.greedy import (
    greedy_timetable,
    place_rest,
)


def evaluated(instance, periods, rooms, formulation="UD2"):
    return evaluate(Solution.of_lectures(instance, periods, rooms), formulation)


@pytest.mark.parametrize("seed", range(5))
def test_breaks_no_hard_constraint_but_for_missing_lectures(instance, seed):
    periods, rooms = greedy_timetable(instance, np.random.default_rng(seed))
    found = evaluated(instance, periods, rooms)
    assert found.violations == found.hard["Lectures"] == (periods < 0).sum()
    assert ((periods < 0) == (rooms < 0)).all()


def test_places_all_lectures_of_real_instances(cbctt):
    for name in ("comp02", "comp12", "erlangen2012_1"):
        instance = Instance.read(cbctt / f"{name}.ectt")
        periods, rooms = greedy_timetable(instance, np.random.default_rng(0))
        assert evaluated(instance, periods, rooms).violations == 0


def test_every_seed_makes_another_timetable_and_the_same_seed_the_same(instance):
    made = [greedy_timetable(instance, np.random.default_rng(s))[0] for s in (1, 1, 2, 3)]
    assert (made[0] == made[1]).all()
    assert len({periods.tobytes() for periods in made}) == 3


def test_other_threads_can_see_what_is_placed_while_it_is(instance):
    seen = np.zeros(instance.n_lectures, np.int32)
    periods, rooms = greedy_timetable(instance, np.random.default_rng(1), into=seen)
    assert periods is seen
    same = greedy_timetable(instance, np.random.default_rng(1))
    assert (periods == same[0]).all()
    assert (rooms == same[1]).all()


def test_keeps_what_is_placed(instance):
    periods, rooms = greedy_timetable(instance, np.random.default_rng(0))
    begun = np.arange(instance.n_lectures) % 2 == 0
    begun_periods, begun_rooms = np.where(begun, periods, -1), np.where(begun, rooms, -1)
    again, again_rooms = greedy_timetable(
        instance, np.random.default_rng(1), begun_periods, begun_rooms
    )
    assert (again[begun] == periods[begun]).all()
    assert (again_rooms[begun] == rooms[begun]).all()
    assert (again >= 0).sum() > begun.sum()


def test_takes_only_rooms_that_suit_where_they_must(instance):
    periods, rooms = greedy_timetable(instance, np.random.default_rng(0), must_suit=True)
    assert evaluated(instance, periods, rooms, "UD4").hard["RoomSuitability"] == 0


def test_what_fits_nowhere_stays_out_until_it_is_placed_in_conflict():
    courses = (Course("a", "same", 3, 1, 10), Course("b", "same", 3, 1, 10))
    instance = Instance("crowded", 2, 2, courses, (Room("r", 20), Room("s", 20)))
    periods, rooms = greedy_timetable(instance, np.random.default_rng(0))
    assert (periods < 0).sum() == 2
    periods, rooms = place_rest(instance, np.random.default_rng(0), periods, rooms)
    found = evaluated(instance, periods, rooms)
    assert found.hard["Lectures"] == found.hard["RoomOccupancy"] == 0
    assert found.violations == found.hard["Conflicts"] == 2
