"""Timetables as pictures."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Instance,
    Room,
    Solution,
    TimetableError,
    generate_with_timetable,
)
from schoolbell.stages.timetable.views.plotting import MOST_ROWS

matplotlib_figure = pytest.importorskip(
    "matplotlib.figure", reason="matplotlib is not installed, so nothing draws"
)
BLANK = pytest.approx((0.957, 0.961, 0.973), abs=0.01)
RED = pytest.approx((0.843, 0.149, 0.239), abs=0.01)


@pytest.fixture
def solution() -> Solution:
    courses = (
        Course("algebra", "noether", 2, 2, 40),
        Course("$x_1$", "hilbert", 1, 1, 9),
        Course("logic", "noether", 1, 1, 9),
    )
    rooms = (Room("hall", 30), Room("lab", 50))
    curricula = (Curriculum("first", ("algebra", "$x_1$")), Curriculum("second", ("logic",)))
    instance = Instance("small", 2, 3, courses, rooms, curricula)
    return Solution.of_lectures(instance, [0, 5, 0, 4], [1, 0, 0, 1])


def axes(width=11.0, height=7.0):
    return matplotlib_figure.Figure(figsize=(width, height)).subplots()


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_all_rooms_have_a_row_each_with_their_lectures_by_period(solution):
    ax = axes()
    assert solution.plot(ax=ax) is ax
    assert [label.get_text() for label in ax.get_yticklabels()] == ["hall", "lab"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Mon", "Tue"]
    assert {(text.get_text(), *text.get_position()) for text in ax.texts} == {
        ("$x_1$", 0, 0),
        ("algebra", 5, 0),
        ("algebra", 0, 1),
        ("logic", 4, 1),
    }
    image = ax.images[0].get_array()
    assert tuple(image[0, 1]) == BLANK
    assert tuple(image[0, 5]) == tuple(image[1, 0]) != tuple(image[1, 4])


def test_lectures_that_clash_are_red_and_counted(solution):
    ax = solution.plot("curriculum", ax=axes())
    assert tuple(ax.images[0].get_array()[0, 0]) == RED
    assert ax.get_title() == "small: 2 curricula, 1 clashes"
    assert "2" in texts(ax)
    assert solution.plot("teacher", ax=axes()).get_title() == "small: 2 teachers"


@pytest.mark.parametrize(
    ("by", "which", "cards"),
    [
        ("room", "lab", {("algebra\nnoether", 0, 0), ("logic\nnoether", 1, 1)}),
        (
            "teacher",
            "noether",
            {("algebra\nlab", 0, 0), ("algebra\nhall", 1, 2), ("logic\nlab", 1, 1)},
        ),
        ("curriculum", "second", {("logic\nlab\nnoether", 1, 1)}),
    ],
)
def test_a_week_shows_each_lecture_on_its_day_and_timeslot(solution, by, which, cards):
    ax = solution.plot(by, which, axes())
    found = {
        (text.get_text(), round(text.get_position()[0]), text.get_position()[1])
        for text in ax.texts
    }
    assert found == cards


def test_lectures_of_one_period_stand_beside_each_other(solution):
    ax = solution.plot("curriculum", "first", axes())
    left, right, _ = sorted(ax.texts, key=lambda text: text.get_position())
    assert (left.get_text(), right.get_text()) == ("algebra\nlab\nnoether", "$x_1$\nhall\nhilbert")
    assert left.get_position()[0] < right.get_position()[0] < 0.5


@pytest.mark.parametrize("slots", [18, 64])
def test_a_day_of_many_timeslots_stays_readable(slots):
    courses = (Course("algebra", "noether", slots, 1, 9),)
    instance = Instance("long", 5, slots, courses, (Room("hall", 30),))
    solution = Solution.of_lectures(instance, np.arange(slots), np.zeros(slots, np.int64))
    ax = solution.plot("room", "hall", axes())
    ax.figure.draw_without_rendering()
    for labels in (ax.texts, [one for one in ax.get_yticklabels() if one.get_text()]):
        boxes = [label.get_window_extent() for label in labels]
        assert len(boxes) > 10
        assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(boxes))
    assert all(text.get_text().startswith("algebra") for text in ax.texts)
    assert all(text.get_fontsize() >= 5 for text in ax.texts)


def test_a_crowd_in_one_period_is_cut_and_counted():
    courses = tuple(Course(f"c{i}", "noether", 1, 1, 9) for i in range(9))
    instance = Instance("crowd", 1, 1, courses, (Room("hall", 30),))
    ax = Solution.of_lectures(instance, [0] * 9, [0] * 9).plot("room", "hall", axes())
    assert texts(ax)[-1] == "and 6\nmore"
    assert len(ax.texts) == 4


def test_names_are_text_and_never_formulas(solution):
    ax = solution.plot(ax=axes())
    ax.figure.canvas.draw()
    assert not any(text.get_parse_math() for text in [*ax.texts, ax.title, *ax.get_yticklabels()])


def test_of_many_curricula_the_busiest_are_drawn_without_labels():
    instance, solution = generate_with_timetable(courses=400, seed=1)
    ax = solution.plot("curriculum", ax=axes())
    assert instance.n_curricula > MOST_ROWS
    assert f"the {MOST_ROWS} busiest of {instance.n_curricula}" in ax.get_title()
    assert ax.images[0].get_array().shape[0] == MOST_ROWS
    assert not ax.texts
    drawn = {label.get_text() for label in ax.get_yticklabels()}
    size_of = {
        curriculum.id: sum(
            np.isin(solution.courses, [instance.course_positions[c]]).sum()
            for c in curriculum.courses
        )
        for curriculum in instance.curricula
    }
    least_drawn = min(size_of[name] for name in drawn)
    assert least_drawn >= max(size for name, size in size_of.items() if name not in drawn)


def test_an_empty_timetable_can_be_drawn(solution):
    nothing = Solution(solution.instance, [], [], [])
    for by, which in [("room", None), ("curriculum", "first"), ("teacher", "noether")]:
        assert not texts(nothing.plot(by, which, axes()))


def test_an_instance_without_curricula_can_be_drawn(solution):
    instance = Instance("bare", 2, 3, solution.instance.courses, solution.instance.rooms)
    bare = Solution.of_lectures(instance, [0, 5, 0, 4], [1, 0, 0, 1])
    ax = bare.plot("curriculum", ax=axes())
    ax.figure.canvas.draw()
    assert ax.get_title() == "bare: 0 curricula"


def test_what_is_not_there_is_named(solution):
    with pytest.raises(TimetableError, match="unknown teacher 'gauss', expected one of noether"):
        solution.plot("teacher", "gauss", axes())
    with pytest.raises(TimetableError, match="by='day', expected one of room, curriculum, teacher"):
        solution.plot("day")


def test_axes_of_a_bare_figure_do_without_pyplot():
    program = (
        "import sys; from matplotlib.figure import Figure\n"
        "from schoolbell.stages.timetable import generate_with_timetable\n"
        "_, solution = generate_with_timetable(courses=8, seed=1)\n"
        "solution.plot(ax=Figure().subplots())\n"
        "solution.plot('teacher', solution.instance.courses[0].teacher, Figure().subplots())\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_without_axes_a_figure_of_pyplot_is_made(solution):
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    ax = solution.plot("room", "hall")
    assert ax.figure.number in pyplot.get_fignums()
    pyplot.close(ax.figure)


def test_without_matplotlib_the_error_tells_what_to_install(solution, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'schoolbell\[plot\]'"):
        solution.plot()
