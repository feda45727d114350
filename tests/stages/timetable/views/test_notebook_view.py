"""What a notebook shows of a timetable."""

import re
from html.parser import HTMLParser

import pytest
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Instance,
    Room,
    Solution,
    evaluate,
    generate_with_timetable,
)
from schoolbell.stages.timetable.views.notebook_view import MOST_CELLS, MOST_WEEKS

NASTY = "<img/src=x/onerror=alert(1)>"
# What JupyterLab leaves of the output of a notebook that is not trusted.
KEPT = {"p", "b", "br", "div", "details", "summary"} | {
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


class Page(HTMLParser):
    """Tags, and the text within each ``<details>`` by its summary."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.path, self.open = [], {}, [], []
        self.summary = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "details":
            self.path.append("")
            if "open" in dict(attrs):
                self.open.append(len(self.path))
        self.summary = self.summary or tag == "summary"

    def handle_endtag(self, tag):
        if tag == "summary":
            self.summary = False
        if tag == "details":
            self.path.pop()

    def handle_data(self, data):
        if self.summary:
            self.path[-1] += data
        elif self.path:
            key = tuple(self.path)
            self.texts.setdefault(key, []).append(data)


@pytest.fixture
def solution() -> Solution:
    courses = (Course("algebra", "noether", 2, 2, 40), Course(NASTY, NASTY, 1, 1, 9))
    rooms = (Room("hall", 30), Room("lab", 50))
    curricula = (Curriculum(NASTY, ("algebra", NASTY)), Curriculum("second", ("algebra",)))
    instance = Instance(NASTY, 2, 3, courses, rooms, curricula)
    return Solution.of_lectures(instance, [0, 5, 0], [1, 0, 0])


def test_the_weeks_of_every_room_curriculum_and_teacher_can_be_opened(solution):
    texts = Page(solution._repr_html_()).texts
    assert {key for key in texts if len(key) == 2} == {
        ("Rooms (2)", "room hall, 2 lectures"),
        ("Rooms (2)", "room lab, 1 lecture"),
        ("Curricula (2)", "curriculum <img/src=x/onerror=aler…, 3 lectures"),
        ("Curricula (2)", "curriculum second, 2 lectures"),
        ("Teachers (2)", "teacher noether, 2 lectures"),
        ("Teachers (2)", "teacher <img/src=x/onerror=aler…, 1 lecture"),
    }
    week = texts["Teachers (2)", "teacher noether, 2 lectures"]
    assert week == ["Mon", "Tue", "0", "algebra", "lab", "1", "2", "algebra", "hall"]


def test_one_week_is_open_at_first(solution):
    assert Page(solution._repr_html_()).open == [1, 2]


def test_opening_one_closes_the_others_of_its_kind_only(solution):
    html = solution._repr_html_()
    names = [attrs["name"] for tag, attrs in Page(html).tags if tag == "details"]
    assert len(names) == 9
    assert len(set(names)) == 4
    assert not set(names) & set(re.findall(r'details name="([^"]+)"', solution._repr_html_()))


def test_an_evaluation_shows_the_cost_by_constraint_too(solution):
    evaluation = evaluate(solution, "UD2")
    html = evaluation._repr_html_()
    row = r"<tr><td[^>]*>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
    for name, cost in evaluation.soft.items():
        units, weight = evaluation.units[name], evaluation.formulation.weights[name]
        assert re.search(row.format(name, units, weight, cost), html)
    assert re.search(row.format("Conflicts", 1, "hard", ""), html)
    assert f"<b>{evaluation.cost}</b>" in html
    assert "Rooms" in html


def test_the_text_of_a_file_is_escaped(solution):
    html = evaluate(solution)._repr_html_()
    assert NASTY not in html
    assert not [tag for tag, _ in Page(html).tags if tag == "img"]


def test_nothing_is_lost_where_a_notebook_is_not_trusted(solution):
    tags = Page(evaluate(solution)._repr_html_()).tags
    assert {tag for tag, _ in tags} <= KEPT
    assert {name for _, attrs in tags for name in attrs} <= {"style", "name", "open"}


def test_lectures_that_clash_are_marked_and_a_crowd_is_cut():
    courses = tuple(Course(f"c{i}", f"t{i}", 1, 1, 9) for i in range(9))
    instance = Instance("crowd", 1, 1, courses, (Room("hall", 30),))
    html = Solution.of_lectures(instance, [0] * 9, [0] * 9)._repr_html_()
    assert html.count("border:2px solid") == 1
    assert "and 6 more" in html


def test_a_large_timetable_shows_the_busiest_and_says_so():
    instance, solution = generate_with_timetable(courses=1500, seed=1)
    html = solution._repr_html_()
    assert len(html) < 200_000
    weeks = min(MOST_WEEKS, MOST_CELLS // instance.n_periods)
    assert f"The {weeks} busiest of {instance.n_curricula:,} curricula" in html
    assert html.count("<table>") == 3 * weeks


def test_a_week_of_very_many_periods_is_left_out_and_named():
    courses = (Course("algebra", "noether", 1, 1, 9),)
    instance = Instance("long", 50, 100, courses, (Room("hall", 30),))
    html = Solution.of_lectures(instance, [0], [0])._repr_html_()
    assert "The 0 busiest of 1 rooms" in html
    assert "<td>" not in html
