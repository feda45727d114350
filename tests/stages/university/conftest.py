"""A small university that tests change."""

from collections.abc import Callable
from typing import Any

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
)

MONDAY, TUESDAY, WEDNESDAY = "100", "010", "001"


def small(**changes: Any) -> Instance:
    """Return a university of three days, four weeks and two courses, changed."""
    times = (
        Time(MONDAY, 8, 2, "1111", 1),
        Time(TUESDAY, 8, 2, "1111"),
        Time("101", 10, 3, "1010", 4),
    )
    lecture = CourseClass("lecture", 30, times, (("hall", 2), ("lab", 0)))
    seminars = Subpart(
        "seminars",
        (
            CourseClass("seminar1", 1, times[:2], (("lab", 0),), parent="lecture"),
            CourseClass("seminar2", 5, times, (), parent="lecture"),
        ),
    )
    logic = Course("logic", (Configuration("taught", (Subpart("lectures", (lecture,)), seminars)),))
    reading = CourseClass("reading", 9, times, (("hall", 5),))
    online = CourseClass("online", 9, times[1:])
    art = Course(
        "art",
        (
            Configuration("present", (Subpart("readings", (reading,)),)),
            Configuration("afar", (Subpart("videos", (online,)),)),
        ),
    )
    closed = (Time(MONDAY, 9, 4, "1000"),)
    arguments: dict[str, Any] = {
        "name": "small & <whole>",
        "weeks": 4,
        "days": 3,
        "slots_per_day": 24,
        "rooms": (Room("hall", 40, closed), Room("lab", 20)),
        "courses": (logic, art),
        "distributions": (
            Distribution("WorkDay(5)", ("lecture", "reading")),
            Distribution("MaxBreaks(1,2)", ("reading", "online", "seminar1"), 3),
        ),
        "students": (Student("Ann", ("logic", "art")), Student("Bob", ("logic",))),
        "weights": Weights(2, 3, 5, 7),
        "travel": (("lab", "hall", 1),),
    }
    return Instance(**(arguments | changes))


@pytest.fixture
def university() -> Callable[..., Instance]:
    """Makes the small university, with some arguments changed."""
    return small


@pytest.fixture
def good_solution() -> Solution:
    """A feasible solution of the small university."""
    instance = small()
    # lecture, seminar1, seminar2, reading, online
    enrolments = [(0, 0), (0, 1), (1, 0), (1, 2), (0, 4)]
    return Solution(instance, [1, 0, 0, 1, 0], [1, 1, -1, 0, -1], enrolments)
