"""A university's timetable as a picture."""

import sys

import pytest
from schoolbell.stages.university import Solution, Student, TimetableError, generate_with_solution
from schoolbell.stages.university.views.plotting import MOST_ROWS

matplotlib_figure = pytest.importorskip(
    "matplotlib.figure", reason="matplotlib is not installed, so nothing draws"
)
RED = pytest.approx((0.843, 0.149, 0.239, 1.0), abs=0.01)


def axes(width=11.0, height=7.0):
    return matplotlib_figure.Figure(figsize=(width, height)).subplots()


def texts(ax):
    return [text.get_text().replace("\N{EN DASH}", "-") for text in ax.texts]


def boxes(ax):
    """Left, top, width and height of each box that is drawn."""
    found = []
    for collection in ax.collections:
        for path in collection.get_paths():
            low, high = path.vertices.min(axis=0), path.vertices.max(axis=0)
            if len(path.vertices) == 5:
                found.append((*low.tolist(), *(high - low).tolist()))
    return found


def red(ax):
    edges = [edge for collection in ax.collections for edge in collection.get_edgecolors()]
    return sum(tuple(edge) == RED for edge in edges)


def test_a_week_draws_each_class_on_its_days_at_its_true_length(good_solution):
    ax = axes()
    assert good_solution.plot("student", "Bob", ax=ax) is ax
    # The lecture on Tuesday and the seminar on Monday, both from 8 to 10.
    assert [[round(one, 2) for one in box] for box in boxes(ax)] == [
        [0.02, 8, 0.96, 2],
        [1.02, 8, 0.96, 2],
    ]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Mon", "Tue", "Wed"]
    assert ax.get_yticklabels()[0].get_text() == "08:00"
    assert texts(ax) == [
        "seminar2\nweeks 1-4\ncourse logic",
        "lecture\nweeks 1-4\nroom lab\ncourse logic",
    ]
    assert ax.get_title() == "small & <whole>: student Bob, 2 classes, all weeks"


def test_a_chosen_week_draws_what_takes_place_then(university):
    # The lecture is on Monday and Wednesday of odd weeks, the reading every Monday.
    solution = Solution(university(), [2, 0, -1, 0, -1], [0, 1, -1, 0, -1])
    odd, even = (solution.plot("room", "hall", week, axes()) for week in (1, 2))
    assert len(boxes(odd)) == 3
    assert any("weeks 1, 3" in text for text in texts(odd))
    assert not any("weeks 1-4" in text for text in texts(odd))
    assert len(boxes(even)) == 1
    assert even.get_title().endswith("room hall, 1 class, week 2")


def test_all_rooms_have_a_row_each(good_solution):
    ax = good_solution.plot(ax=axes())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["hall", "lab"]
    rows = sorted(round(top + height / 2) for _, top, _, height in boxes(ax))
    assert rows == [0, 1, 1]
    assert sorted(texts(ax)) == ["lecture", "reading", "seminar1"]


def test_classes_that_clash_are_red_counted_and_side_by_side(university):
    instance = university(students=(Student("Ann", ("logic", "art")),))
    attended = [(0, 0), (0, 2), (0, 3)]
    clash = Solution(instance, [0, -1, 0, 0, -1], [0, -1, -1, 0, -1], attended)
    for by, which, count in (("room", "hall", 2), ("student", "Ann", 3)):
        ax = clash.plot(by, which, ax=axes())
        assert red(ax) == count
        assert f"{count} classes clash" in ax.get_title()
        assert sorted(round(box[2], 2) for box in boxes(ax)) == [round(0.96 / count, 2)] * count
        lefts = sorted(box[0] for box in boxes(ax))
        assert len(set(lefts)) == count
    assert red(clash.plot("course", "logic", ax=axes())) == 0
    assert red(clash.plot(ax=axes())) == 2


def test_of_many_students_the_busiest_are_drawn():
    _, solution = generate_with_solution(30, 80, seed=1)
    ax = solution.plot("student", ax=axes())
    assert f"the {MOST_ROWS} busiest of 80 students" in ax.get_title()
    assert len(ax.get_yticklabels()) == MOST_ROWS


def test_names_are_text_and_never_formulas(university):
    instance = university(name="$x_1$", students=(Student("$y$", ("logic",)),))
    ax = Solution(instance, [1, 0, 0, 1, 0], [1, 1, -1, 0, -1], [(0, 0)]).plot(
        "student", "$y$", ax=axes()
    )
    ax.figure.canvas.draw()
    assert not any(text.get_parse_math() for text in [*ax.texts, ax.title, *ax.get_yticklabels()])


def test_an_empty_timetable_can_be_drawn(university):
    nothing = Solution(university(), [-1] * 5, [-1] * 5)
    for by, which in [("room", None), ("group", None), ("student", "Ann"), ("class", "reading")]:
        ax = nothing.plot(by, which, ax=axes())
        ax.figure.canvas.draw()
        assert not texts(ax)


def test_what_is_not_there_is_named(good_solution):
    with pytest.raises(TimetableError, match=r"unknown room 'hal'.*did you mean 'hall'"):
        good_solution.plot("room", "hal", ax=axes())
    with pytest.raises(TimetableError, match="by='teacher', expected one of room, course"):
        good_solution.plot("teacher")
    for week in (0, 5, 1.0, True, "1"):
        with pytest.raises(TimetableError, match=r"week is .*, expected None or 1 to 4"):
            good_solution.plot(week=week)


def test_axes_of_a_bare_figure_do_without_pyplot(good_solution, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    # Who has imported it before has it as an attribute too.
    monkeypatch.delattr("matplotlib.pyplot", raising=False)
    good_solution.plot(ax=axes())
    good_solution.plot("room", "lab", ax=axes())
    with pytest.raises(ImportError):
        good_solution.plot()


def test_without_matplotlib_the_error_tells_what_to_install(good_solution, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'schoolbell\[plot\]'"):
        good_solution.plot()
