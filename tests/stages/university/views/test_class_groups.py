"""The classes of a timetable by whom they concern."""

import pytest
from schoolbell.stages.university import Solution, Student, TimetableError
from schoolbell.stages.university.views.class_groups import group_classes, student_groups


def named(solution, by):
    groups = group_classes(solution, by)
    classes = solution.instance.classes
    return {
        name: [classes[k].id for k in groups.of(group)] for group, name in enumerate(groups.names)
    }


def test_classes_are_grouped_by_room_course_class_and_student_in_the_order_of_the_day(
    good_solution,
):
    assert named(good_solution, "room") == {
        "hall": ["reading"],
        "lab": ["lecture", "seminar1"],
    }
    assert named(good_solution, "course") == {
        "logic": ["lecture", "seminar1", "seminar2"],
        "art": ["reading", "online"],
    }
    assert named(good_solution, "class")["online"] == ["online"]
    assert named(good_solution, "student") == {
        "Ann": ["lecture", "seminar1", "online"],
        "Bob": ["lecture", "seminar2"],
    }


def test_a_group_are_the_students_who_ask_for_the_same_courses_in_any_order(university):
    students = (
        Student("Ann", ("logic", "art")),
        Student("Bob", ("logic",)),
        Student("Cid", ("art", "logic")),
        Student("Dee", ("logic",)),
        Student("Eve", ("logic",)),
        Student("Fay", ("art",)),
        Student("Gus", ()),
        Student("Hal", ()),
    )
    instance = university(students=students)
    assert student_groups(instance) == {"logic": [1, 3, 4], "logic + art": [0, 2]}
    attended = [(1, 0), (3, 0), (3, 1), (4, 2), (0, 4), (5, 3)]
    solution = Solution(instance, [1, 0, 0, 1, 0], [1, 1, -1, 0, -1], attended)
    assert named(solution, "group") == {
        "logic": ["lecture", "seminar1", "seminar2"],
        "logic + art": ["online"],
    }


def test_classes_without_a_time_are_left_out(good_solution):
    solution = Solution(good_solution.instance, [1, -1, 0, 1, 0], good_solution.rooms)
    assert named(solution, "room")["lab"] == ["lecture"]
    assert named(solution, "student") == {"Ann": [], "Bob": []}


def test_what_is_not_there_is_named(good_solution):
    with pytest.raises(TimetableError, match=r"by='rooms', expected one of room, .*'room'"):
        group_classes(good_solution, "rooms")
    with pytest.raises(TimetableError, match=r"unknown student 'Anne'.*did you mean 'Ann'"):
        group_classes(good_solution, "student").position("Anne")
