"""What a notebook shows of a university's timetable."""

import re

from schoolbell.stages.university import Solution, Student, evaluate, generate_with_solution
from schoolbell.stages.university.views.notebook_view import MOST_CLASSES, MOST_WEEKS

from ...timetable.views.test_notebook_view import KEPT, Page

NASTY = "<img/src=x/onerror=alert(1)>"


def test_the_weeks_of_rooms_courses_groups_and_students_can_be_opened(university):
    students = tuple(Student(name, ("logic",)) for name in ("Ann", "Bob"))
    solution = Solution(
        university(students=students), [1, 0, 0, 1, 0], [1, 1, -1, 0, -1], [(0, 0), (1, 0), (1, 2)]
    )
    page = Page(solution._repr_html_())
    assert {key for key in page.texts if len(key) == 2} == {
        ("Rooms (2)", "room hall, 1 class"),
        ("Rooms (2)", "room lab, 2 classes"),
        ("Courses (2)", "course logic, 3 classes"),
        ("Courses (2)", "course art, 2 classes"),
        ("Student groups (1)", "group logic, 2 classes"),
        ("Students (2)", "student Ann, 1 class"),
        ("Students (2)", "student Bob, 2 classes"),
    }
    week = "".join(page.texts["Students (2)", "student Bob, 2 classes"])
    assert week.replace("\N{EN DASH}", "-") == (
        "MonTueWed08:00-10:00 seminar2weeks 1-4 · course logic"
        "08:00-10:00 lectureweeks 1-4 · room lab · course logic"
    )
    assert page.open == [1, 2]


def test_an_evaluation_shows_the_cost_by_part_too(good_solution):
    evaluation = evaluate(good_solution)
    html = evaluation._repr_html_()
    row = r"<tr><td[^>]*>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
    for name, cost in evaluation.soft.items():
        weight = getattr(good_solution.instance.weights, name)
        assert re.search(row.format(name, evaluation.units[name], weight, cost), html)
    assert re.search(row.format("RoomConflicts", 0, "hard", ""), html)
    assert f"<b>{evaluation.cost}</b>" in html
    assert "Rooms" in html


def test_nothing_is_lost_where_a_notebook_is_not_trusted_and_texts_are_escaped(university):
    students = (Student(NASTY, ("logic",)),)
    instance = university(name=NASTY, students=students)
    solution = Solution(instance, [0, 0, 0, 0, 1], [0, 0, -1, 0, -1], [(0, 0), (0, 2)])
    html = evaluate(solution)._repr_html_()
    tags = Page(html).tags
    assert NASTY not in html
    assert {tag for tag, _ in tags} <= KEPT
    assert {name for _, attrs in tags for name in attrs} <= {"style", "name", "open"}
    # Two kinds of weeks in which classes clash: that of the hall and that of the student.
    assert html.count("border:2px solid") == 5


def test_a_large_timetable_shows_the_busiest_and_says_so():
    _, solution = generate_with_solution(100, 200, seed=1)
    html = solution._repr_html_()
    assert len(html) < 300_000
    assert f"The {MOST_WEEKS} busiest of 200 students" in html


def test_a_crowd_in_one_day_is_cut(university):
    from schoolbell.stages.university import (
        Configuration,
        Course,
        CourseClass,
        Instance,
        Subpart,
        Time,
    )

    time = Time("1", 3, 1, "1")
    classes = tuple(CourseClass(f"k{k}", 1, (time,)) for k in range(MOST_CLASSES + 5))
    course = Course("c", (Configuration("1", (Subpart("1", classes),)),))
    instance = Instance("crowd", 1, (), (course,), days=1, slots_per_day=24)
    html = Solution(instance, [0] * len(classes), [-1] * len(classes))._repr_html_()
    assert "and 5 more" in html
