"""A timetable as a web page and as CSV."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Instance,
    Room,
    Solution,
    evaluate,
)
from schoolbell.stages.timetable.views.rendering import MAX_DETAILS, render_csv, render_html

NASTY = "</script><img/src=x/onerror=alert(1)>&amp;<!--"


@pytest.fixture
def solution() -> Solution:
    courses = (
        Course("algebra", "noether", 2, 2, 40),
        Course(NASTY, 'O"Hara,', 1, 1, 9),
    )
    rooms = (Room("hall", 30), Room("{{data}}", 50))
    curricula = (Curriculum("first", ("algebra", NASTY)), Curriculum("second", ("algebra",)))
    instance = Instance(f"{NASTY} & {{{{data}}}}", 2, 3, courses, rooms, curricula)
    return Solution.of_lectures(instance, [5, 0, 0], [0, 1, 0])


class Page(HTMLParser):
    """The tags of a page and the text of its elements, by id or else by tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.texts: dict[str, str] = {}
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open = dict(attrs).get("id") or tag

    def handle_endtag(self, tag):
        self.open = ""

    def handle_data(self, data):
        self.texts[self.open] = self.texts.get(self.open, "") + data


def test_the_page_says_why_no_timetable_can_be_feasible(solution):
    reasons = ("9 lectures for 5 places", NASTY)
    page = Page(render_html(replace(evaluate(solution), infeasible_because=reasons)))
    data = json.loads(page.texts["data"])
    assert data["infeasible_because"] == ["9 lectures for 5 places", NASTY]
    assert ("section", True) in [
        (tag, "hidden" in about) for tag, about in page.tags if about.get("id") == "infeasible"
    ]


def render(solution):
    return render_html(evaluate(solution, "UD2"))


def test_the_page_holds_the_timetable_and_its_cost(solution):
    data = json.loads(Page(render(solution)).texts["data"])
    evaluation = evaluate(solution, "UD2")
    assert data["lectures"] == [[0, 0, 1], [0, 5, 0], [1, 0, 0]]
    assert [course[0] for course in data["courses"]] == ["algebra", NASTY]
    assert data["curricula"] == [["first", [0, 1]], ["second", [0]]]
    assert (data["cost"], data["violations"]) == (evaluation.cost, evaluation.violations)
    assert sum(cost for _, _, cost in data["soft"]) == evaluation.cost
    assert ["Conflicts", 1] in data["hard"]
    assert data["details"] == evaluation.details()


def test_names_cannot_break_out_of_the_page(solution):
    text = render(solution)
    page = Page(text)
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert page.texts["title"] == page.texts["h1"] == f"{NASTY} & {{{{data}}}}"
    embedded = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1]
    assert not set("<>&") & set(embedded)


def test_the_page_loads_nothing_from_elsewhere(solution):
    page = Page(render(solution))
    addresses = [a[key] for _, a in page.tags for key in ("src", "href", "action") if key in a]
    assert all(address.startswith("#") for address in addresses)
    policy = [a["content"] for tag, a in page.tags if a.get("http-equiv")]
    assert "default-src 'none'" in policy[0]


def test_the_page_lists_a_limited_number_of_violations():
    courses = tuple(Course(f"c{i}", f"t{i}", 1, 0, 1) for i in range(MAX_DETAILS + 7))
    instance = Instance("empty", 5, 6, courses, (Room("hall", 30),))
    nowhere = [-1] * instance.n_lectures
    data = json.loads(Page(render(Solution.of_lectures(instance, nowhere, nowhere))).texts["data"])
    assert len(data["details"]) == MAX_DETAILS
    assert data["details_total"] == MAX_DETAILS + 7


def test_csv_has_a_row_per_lecture_sorted_by_course_and_period(solution):
    rows = list(csv.DictReader(io.StringIO(render_csv(solution))))
    assert [(row["course"], row["day"], row["timeslot"], row["room"]) for row in rows] == [
        ("algebra", "0", "0", "{{data}}"),
        ("algebra", "1", "2", "hall"),
        (NASTY, "0", "0", "hall"),
    ]
    assert rows[1] == {
        "course": "algebra",
        "teacher": "noether",
        "day": "1",
        "timeslot": "2",
        "room": "hall",
        "students": "40",
        "capacity": "30",
        "curricula": "first second",
    }
    assert rows[2]["teacher"] == 'O"Hara,'


def drawn(browser, page, view=""):
    """The page's elements as a real browser leaves them."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    opened = context.new_page()
    opened.goto(page.as_uri() + view)
    text = opened.content()
    context.close()
    return text


def test_a_browser_draws_each_view_and_runs_nothing_of_the_data(browser, solution, tmp_path):
    page = tmp_path / "week.html"
    page.write_text(render(solution), encoding="utf-8")
    curriculum = Page(drawn(browser, page))
    assert curriculum.texts["chosen"] == "Curriculum first"
    assert [a.get("class") for tag, a in curriculum.tags].count("card clash") == 2
    room = Page(drawn(browser, page, "#room=hall"))
    assert room.texts["chosen"] == "Room hall"
    assert [a.get("class") for tag, a in room.tags].count("card") == 1
    assert not [tag for tag, _ in room.tags if tag == "img"]
