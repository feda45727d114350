"""A university's timetable as a web page and as files."""

import gzip
import json
import re

import pytest
from schoolbell.stages.university import (
    Configuration,
    Course,
    CourseClass,
    Instance,
    Room,
    Solution,
    Student,
    Subpart,
    Time,
    evaluate,
)
from schoolbell.stages.university.views import page_data
from schoolbell.stages.university.views.rendering import render_html, write_files

from ...timetable.views.test_rendering import Page

NASTY = "</script><img/src=x/onerror=alert(1)>&amp;<!--"


def data_of(solution):
    return json.loads(Page(render_html(evaluate(solution))).texts["data"])


def test_the_page_holds_the_timetable_and_its_cost(good_solution):
    data, evaluation = data_of(good_solution), evaluate(good_solution)
    assert [row[0] for row in data["rooms"]] == ["hall", "lab"]
    lecture = data["classes"][0]
    assert lecture[0] == "lecture"
    days, start, end, weeks = data["times"][lecture[2]]
    assert (days, start, end, data["weeks"][weeks][0]) == (0b010, 8, 10, "1111")
    assert data["rooms"][lecture[3]][0] == "lab"
    assert data["attended"] == [[0, 1, 4], [0, 2]]
    assert (data["cost"], data["violations"]) == (evaluation.cost, evaluation.violations)
    assert [row[0] for row in data["hard"]] == list(evaluation.hard)
    for name, units, weight, cost, *_ in data["soft"]:
        assert units * weight == cost == evaluation.soft[name]


def test_a_time_that_many_classes_have_stands_there_once(good_solution):
    data = data_of(good_solution)
    # Monday and Tuesday from 8, and when the hall is closed.
    assert len(data["times"]) == 3
    assert [bits for bits, _ in data["weeks"]] == ["1000", "1111"]


def test_names_cannot_break_out_of_the_page(university):
    students = (Student(NASTY, ("logic",)),)
    solution = Solution(university(name=NASTY, students=students), [1] * 5, [-1] * 5, [(0, 0)])
    text = render_html(evaluate(solution))
    page = Page(text)
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert page.texts["title"] == page.texts["h1"] == NASTY
    embedded = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1]
    assert not set("<>&") & set(embedded)


def test_the_page_loads_nothing_from_elsewhere(good_solution):
    page = Page(render_html(evaluate(good_solution)))
    addresses = [a[key] for _, a in page.tags for key in ("src", "href", "action") if key in a]
    assert all(address.startswith("#") for address in addresses)
    policy = [a["content"] for tag, a in page.tags if a.get("http-equiv")]
    assert "default-src 'none'" in policy[0]


def test_of_very_many_findings_the_most_costly_are_told_and_all_counted(good_solution, monkeypatch):
    monkeypatch.setattr(page_data, "MOST_FINDINGS", 2)
    data = data_of(Solution(good_solution.instance, [0, 1, -1, 2, -1], [0, 1, -1, 0, -1]))
    students = next(row for row in data["hard"] if row[0] == "Students")
    assert students[2] == 3
    assert len(students[3]) == 2


def large(n_classes, n_students):
    """A university with a class a course; a student attends ten of them."""
    time = Time("1010100", 96, 10, "1" * 15)
    courses = tuple(
        Course(
            f"course{k}",
            (Configuration("1", (Subpart("1", (CourseClass(f"class{k}", 9, (time,), ()),)),)),),
        )
        for k in range(n_classes)
    )
    wanted = [[(11 * s + 7 * k) % n_classes for k in range(10)] for s in range(n_students)]
    students = tuple(
        Student(f"student{s}", tuple(f"course{k}" for k in mine)) for s, mine in enumerate(wanted)
    )
    instance = Instance("large", 15, (Room("hall", 9),), courses, (), students)
    pairs = [(s, k) for s, mine in enumerate(wanted) for k in mine]
    return Solution(instance, [0] * n_classes, [-1] * n_classes, pairs)


def test_the_page_grows_by_less_than_a_kilobyte_a_student_though_all_miss_all():
    # All classes are at one time, so that every student misses all pairs of their classes.
    sizes = [len(render_html(evaluate(large(100, n)))) for n in (200, 1200)]
    assert sizes[1] - sizes[0] < 1000 * 1000


def test_files_are_written_where_they_are_wanted(good_solution, tmp_path):
    evaluation = evaluate(good_solution)
    paths = {
        "solution": tmp_path / "week.xml.gz",
        "html": tmp_path / "week.html",
        "csv": str(tmp_path / "week.csv"),
    }
    assert write_files(evaluation) == []
    written = write_files(evaluation, **paths)
    assert sorted(tmp_path.iterdir()) == sorted(written)
    instance = good_solution.instance
    assert Solution.read(paths["solution"], instance) == good_solution
    assert gzip.decompress(paths["solution"].read_bytes()).startswith(b"<?xml")
    assert "<html" in paths["html"].read_text()
    assert (tmp_path / "week.csv").read_text().startswith("course,configuration")
    plain = tmp_path / "week.of.any.name"
    write_files(evaluation, solution=plain)
    assert plain.read_text() == good_solution.dumps()


def test_what_can_be_written_is_written_though_another_cannot(good_solution, tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        write_files(evaluate(good_solution), tmp_path / "no" / "week.xml", csv=tmp_path / "w.csv")
    assert error.value.filename == str(tmp_path / "no" / "week.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["w.csv"]
