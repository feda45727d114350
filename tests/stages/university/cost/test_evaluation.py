import pickle

import numpy as np
import pytest
from schoolbell.stages.university import (
    Configuration,
    Course,
    CourseClass,
    Distribution,
    Instance,
    Room,
    Solution,
    Student,
    Subpart,
    Time,
    Weights,
    evaluate,
)

from ..random_university import random_solution, random_university
from .slow_evaluator import slow_evaluation


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("broken", [0.0, 0.2])
def test_the_evaluation_agrees_with_the_definitions_taken_slot_by_slot(seed, broken):
    instance = random_university(seed)
    for k in range(3):
        solution = random_solution(instance, k, broken)
        found = evaluate(solution)
        hard, units = slow_evaluation(solution)
        assert dict(found.hard) == hard
        assert dict(found.units) == units
        weights = instance.weights
        assert found.cost == (
            weights.time * units["time"]
            + weights.room * units["room"]
            + weights.distribution * units["distribution"]
            + weights.student * units["student"]
        )
        assert found.violations == sum(hard.values())


def two(first: Time, second: Time, rule: str, rooms=(), penalty=None, weeks=4, travel=2):
    """Evaluate a rule between two classes, a and b, in that order."""
    return evaluate(placed([first, second], rule, rooms, penalty, weeks, travel))


def placed(times, rule, rooms=(), penalty=None, weeks=4, travel=2):
    names = [f"k{i}" for i in range(len(times))]
    options = {i: ((room, 0),) for i, room in enumerate(rooms) if room}
    classes = tuple(
        CourseClass(name, 9, (time,), options.get(i, ()))
        for i, (name, time) in enumerate(zip(names, times, strict=True))
    )
    course = Course("c", (Configuration("g", (Subpart("s", classes),)),))
    instance = Instance(
        "rule",
        weeks,
        (Room("A"), Room("B")),
        (course,),
        (Distribution(rule, tuple(names), penalty),),
        travel=(("A", "B", travel),),
        days=5,
        slots_per_day=50,
    )
    positions = [
        instance.room_positions.get(dict(enumerate(rooms)).get(i), -1) for i in range(len(times))
    ]
    return Solution(instance, [0] * len(times), positions)


def t(days: str, start: int, length: int, weeks: str = "1111") -> Time:
    return Time(days.ljust(5, "0"), start, length, weeks)


MON, TUE, MON_TUE = "1", "01", "11"
PAIRS = [
    ("SameStart", t(MON, 8, 2), t(TUE, 8, 5), True),
    ("SameStart", t(MON, 8, 2), t(MON, 9, 1), False),
    ("SameTime", t(MON, 8, 4), t(TUE, 9, 3), True),
    ("SameTime", t(MON, 9, 3), t(TUE, 8, 4), True),
    ("SameTime", t(MON, 8, 4), t(MON, 9, 4), False),
    ("DifferentTime", t(MON, 8, 4), t(TUE, 12, 4), True),
    ("DifferentTime", t(MON, 8, 4), t(TUE, 11, 4), False),
    ("SameDays", t(MON_TUE, 8, 1), t(TUE, 9, 1), True),
    ("SameDays", t(MON_TUE, 8, 1), t("011", 8, 1), False),
    ("DifferentDays", t(MON, 8, 1), t(TUE, 8, 1), True),
    ("DifferentDays", t(MON_TUE, 8, 1), t(TUE, 8, 1, "0001"), False),
    ("SameWeeks", t(MON, 8, 1, "1100"), t(TUE, 9, 1, "0100"), True),
    ("SameWeeks", t(MON, 8, 1, "1100"), t(MON, 8, 1, "0110"), False),
    ("DifferentWeeks", t(MON, 8, 1, "1100"), t(MON, 8, 1, "0011"), True),
    ("DifferentWeeks", t(MON, 8, 1, "1100"), t(TUE, 8, 1, "0110"), False),
    ("Overlap", t(MON, 8, 3), t(MON_TUE, 10, 3, "1000"), True),
    ("Overlap", t(MON, 8, 3), t(MON, 11, 3), False),
    ("Overlap", t(MON, 8, 3), t(TUE, 8, 3), False),
    ("Overlap", t(MON, 8, 3, "1010"), t(MON, 8, 3, "0101"), False),
    ("NotOverlap", t(MON, 8, 3), t(MON, 11, 3), True),
    ("NotOverlap", t(MON, 8, 3, "1010"), t(MON, 8, 3, "0101"), True),
    ("NotOverlap", t(MON, 8, 3), t(MON, 10, 3), False),
    ("Precedence", t(TUE, 8, 3, "1000"), t(MON, 8, 3, "0100"), True),
    ("Precedence", t(MON, 8, 3), t(TUE, 1, 3), True),
    ("Precedence", t(MON, 8, 3), t(MON_TUE, 11, 3), True),
    ("Precedence", t(MON, 8, 3), t(MON, 10, 3), False),
    ("Precedence", t(MON, 8, 3, "0111"), t(TUE, 8, 3), False),
    ("Precedence", t(TUE, 8, 3), t(MON_TUE, 20, 3), False),
    ("WorkDay(10)", t(MON, 8, 2), t(MON, 16, 2), True),
    ("WorkDay(10)", t(MON, 8, 2), t(MON, 16, 3), False),
    ("WorkDay(10)", t(MON, 8, 2), t(TUE, 40, 3), True),
    ("WorkDay(3)", t(MON, 8, 4), t(MON, 9, 1), False),
    ("MinGap(3)", t(MON, 8, 2), t(MON, 13, 2), True),
    ("MinGap(3)", t(MON, 13, 2), t(MON, 8, 2), True),
    ("MinGap(3)", t(MON, 8, 2), t(MON, 12, 2), False),
    ("MinGap(3)", t(MON, 8, 2), t(TUE, 10, 2), True),
]


@pytest.mark.parametrize(("rule", "first", "second", "holds"), PAIRS)
def test_a_rule_between_two_classes(rule, first, second, holds):
    assert two(first, second, rule).hard["Distributions"] == (not holds)
    soft = two(first, second, rule, penalty=7)
    assert soft.units["distribution"] == (0 if holds else 7)
    assert soft.feasible


ATTENDED = [
    (t(MON, 8, 2), t(MON, 10, 2), ("A", "A"), True),
    (t(MON, 8, 2), t(MON, 11, 2), ("A", "B"), False),
    (t(MON, 8, 2), t(MON, 12, 2), ("A", "B"), True),
    (t(MON, 12, 2), t(MON, 8, 2), ("B", "A"), True),
    (t(MON, 11, 2), t(MON, 8, 2), ("B", "A"), False),
    (t(MON, 8, 2), t(MON, 10, 2), ("A", None), True),
    (t(MON, 8, 2), t(TUE, 8, 2), ("A", "B"), True),
    (t(MON, 8, 2), t(MON, 9, 2), (None, None), False),
]


@pytest.mark.parametrize(("first", "second", "rooms", "holds"), ATTENDED)
def test_travel_counts_for_attendees_and_for_students(first, second, rooms, holds):
    assert two(first, second, "SameAttendees", rooms).hard["Distributions"] == (not holds)


@pytest.mark.parametrize(("rooms", "same"), [(("A", "A"), True), (("A", "B"), False)])
def test_rules_about_rooms(rooms, same):
    there = (t(MON, 8, 2), t(TUE, 8, 2))
    assert two(*there, "SameRoom", rooms).hard["Distributions"] == (not same)
    assert two(*there, "DifferentRoom", rooms).hard["Distributions"] == same


def test_precedence_holds_for_every_later_class():
    times = [t(TUE, 8, 2), t(MON, 8, 2), t("001", 8, 2), t(MON, 9, 2)]
    # First before second, first before last, third before last, and second before last overlap.
    assert evaluate(placed(times, "Precedence", penalty=1)).units["distribution"] == 4


def units(times, rule, penalty=1, weeks=4):
    hard = evaluate(placed(times, rule, weeks=weeks)).hard["Distributions"]
    soft = evaluate(placed(times, rule, penalty=penalty, weeks=weeks)).units["distribution"]
    return hard, soft


def test_days_are_counted_over_all_weeks():
    times = [t(MON, 8, 2, "1000"), t(TUE, 8, 2, "0100"), t("001", 8, 2, "0001")]
    assert units(times, "MaxDays(3)", 5) == (0, 0)
    assert units(times, "MaxDays(1)", 5) == (2, 10)


def test_the_load_of_days_is_summed_and_divided_once():
    times = [t(MON, 8, 4), t(MON, 8, 4, "1110"), t(TUE, 8, 4)]
    # Monday of the first three weeks has 8 slots.
    assert units(times, "MaxDayLoad(8)") == (0, 0)
    assert units(times, "MaxDayLoad(7)", 1) == (3, 0)
    assert units(times, "MaxDayLoad(7)", 3) == (3, 9 // 4)
    assert units(times, "MaxDayLoad(3)", 1) == (3 * 5 + 1 + 4, 20 // 4)


def test_breaks_are_gaps_longer_than_allowed():
    times = [t(MON, 2, 2), t(MON, 5, 2), t(MON, 12, 2), t(MON, 20, 1, "1100")]
    # Blocks 2-7, 12-14 and, in two weeks, 20-21.
    assert units(times, "MaxBreaks(2,1)", 4) == (0, 0)
    assert units(times, "MaxBreaks(1,1)", 4) == (2, 2)
    assert units(times, "MaxBreaks(0,1)", 4) == (2 + 4, 6)
    assert units(times, "MaxBreaks(0,5)", 4) == (2, 2)
    assert units(times, "MaxBreaks(0,0)", 4) == (3 + 3 + 2 + 2, 10)
    # A class within another one does not shorten the block.
    within = [t(MON, 2, 10), t(MON, 3, 1), t(MON, 12, 1)]
    assert units(within, "MaxBreaks(0,0)") == (0, 0)


def test_blocks_of_two_or_more_classes_are_bounded():
    times = [t(MON, 2, 4), t(MON, 6, 4), t(MON, 30, 9)]
    assert units(times, "MaxBlock(8,0)", 4) == (0, 0)
    assert units(times, "MaxBlock(7,0)", 4) == (4, 4)
    assert units([t(MON, 2, 9)], "MaxBlock(7,0)") == (0, 0)
    # Classes that all start together are a block as well.
    assert units([t(MON, 2, 9), t(MON, 2, 8)], "MaxBlock(7,0)", 4) == (4, 4)
    # 21 - 17 is a gap of 4.
    assert units([t(MON, 10, 7), t(MON, 21, 7)], "MaxBlock(7,3)", 4) == (0, 0)
    assert units([t(MON, 10, 7), t(MON, 21, 7)], "MaxBlock(7,4)", 4) == (4, 4)


def test_a_feasible_solution_and_its_cost(good_solution):
    found = evaluate(good_solution)
    assert found.feasible, found.details()
    # Both seminars at 1 for the time; reading in the hall 5.
    assert dict(found.units) == {"time": 2, "room": 5, "distribution": 0, "student": 1}
    assert found.cost == 2 * 2 + 3 * 5 + 7 * 1
    assert found.details()[:1] == [
        "[S(2)] time: class seminar1 (Mon 08:00-10:00, weeks 1-4, room lab)"
    ]
    assert found.details(1) == found.details()[:1]
    assert found.details()[-1].startswith("[S(7)] student: student Ann cannot attend both class ")
    assert "Total" in str(found)


def test_every_broken_hard_rule_is_counted_and_told(university):
    instance = university()
    enrolments = [(0, 1), (1, 0), (1, 1), (1, 2), (1, 4), (0, 3), (0, 4)]
    solution = Solution(instance, [0, 0, -1, 0, 1], [0, 0, 1, 0, -1], enrolments)
    found = evaluate(solution)
    assert dict(found.hard) == {
        "Times": 1,
        "Rooms": 2,
        "ClosedRooms": 3,
        "RoomConflicts": 3,
        "Distributions": 0,
        "Students": 4,
        "Limits": 1,
    }
    told = found.details()
    assert sum(line.startswith("[H(") for line in told) == found.violations
    assert "[H(1)] Times: class seminar2 has no time" in told
    assert "[H(1)] Limits: class seminar1 has 2 students, 1 at most" in told
    assert "[H(1)] Students: student Ann, course art: attends classes of two configurations" in told
    assert any("while the room is closed on Mon 09:00-13:00, weeks 1" in line for line in told)


def test_what_each_distribution_costs_is_told(university):
    rules = (
        Distribution("DifferentRoom", ("lecture", "reading")),
        Distribution("SameDays", ("lecture", "seminar1", "online"), 4),
        Distribution("MaxDayLoad(1)", ("lecture", "online"), 3),
    )
    instance = university(distributions=rules)
    found = evaluate(Solution(instance, [0, 0, 0, 0, 0], [0, 1, -1, 0, -1]))
    assert [(one.units, one.cost) for one in found.distributions] == [(1, 0), (2, 8), (8, 6)]
    assert found.units["distribution"] == 14
    told = [line for line in found.details() if "MaxDayLoad" in line]
    assert len(told) == 1
    assert told[0].startswith("[S(30)] distribution: MaxDayLoad(1) of classes lecture, online: ")
    assert "1 too many in week 4 on Tue" in told[0]


def test_an_evaluation_is_pickled(good_solution):
    found = evaluate(good_solution)
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_solution_of_nothing_is_evaluated():
    subpart = Subpart("s", (CourseClass("k", 1, (Time("1000000", 1, 1, "1"),)),))
    instance = Instance("bare", 1, (), (Course("c", (Configuration("g", (subpart,)),)),))
    assert evaluate(Solution(instance, [0], [-1])).cost == 0
    assert evaluate(Solution(instance, [-1], [-1])).violations == 1


def test_a_big_real_solution_is_evaluated_quickly(itc2019):
    instance = Instance.read(itc2019 / "muni-fi-spr17.xml.gz")
    solution = random_solution(instance, 1)
    found = evaluate(solution)
    assert found.hard["Times"] == found.hard["Rooms"] == 0
    again = Solution.loads(solution.dumps(), instance)
    assert evaluate(again) == found
    assert isinstance(instance.students[0], Student)
    assert instance.weights == Weights(3, 1, 10, 5)
    assert np.array_equal(again.times, solution.times)
