"""The page of a university's timetable as a browser shows and prints it."""

import io
import re

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
from schoolbell.stages.university.views.rendering import render_html

N_STUDENTS = 1200
WEEKS = 12


def a_class(name, days, start, length, weeks, room, penalty=0):
    time = Time(days, start, length, weeks, penalty)
    return CourseClass(name, N_STUDENTS, (time,), ((room, 1),))


def term() -> Solution:
    """A term with alternating weeks, a clash in a room, and students who miss something."""
    always, odd, even = "1" * WEEKS, "10" * 6, "01" * 6
    classes = {
        "algebra": (
            a_class("a1", "1010000", 96, 18, always, "hall"),
            a_class("<b>", "0100000", 120, 11, odd, "lab"),
        ),
        "logic": (a_class("l1", "0100000", 120, 22, even, "lab", penalty=3),),
        "art": (
            a_class("d1", "1000000", 102, 12, always, "hall"),
            a_class("d2", "0000010", 150, 5, "0010" + "0" * 8, "attic"),
        ),
    }
    courses = tuple(
        Course(
            name,
            (Configuration(f"{name}-as-is", tuple(
                Subpart(f"{name}-{one.id}", (one,)) for one in some
            )),),
        )
        for name, some in classes.items()
    )  # fmt: skip
    closed = Time("1000000", 90, 30, "1" * 6 + "0" * 6)
    students = tuple(
        Student(f"s{k}", ("algebra", "art") if k % 2 else ("logic",)) for k in range(N_STUDENTS)
    )
    instance = Instance(
        "Term",
        WEEKS,
        (Room("empty", 9), Room("hall", 80), Room("lab", 20, (closed,)), Room("attic", 5)),
        courses,
        (Distribution("SameDays", ("a1", "l1")), Distribution("SameRoom", ("a1", "d2"), 4)),
        students,
        Weights(2, 3, 5, 7),
    )
    attended = [(k, c) for k in range(N_STUDENTS) for c in ((0, 1, 3, 4) if k % 2 else (2,))]
    return Solution(instance, [0] * 5, [1, 2, 2, 1, 3], attended)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "term.html"
    path.write_text(render_html(evaluate(term())), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def window(browser):
    """One window for all tests: each opens the page anew in it."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def opened(window, page_file):
    """Opens the page at a view in a window of some size; fails on any error in its script."""
    errors = []
    note = lambda error: errors.append(str(error))  # noqa: E731
    window.on("pageerror", note)
    window.on("console", note)

    def open_page(view="", width=1400, height=900):
        window.goto("about:blank")
        window.set_viewport_size({"width": width, "height": height})
        window.goto(page_file + view)
        return window

    yield open_page
    window.remove_listener("pageerror", note)
    window.remove_listener("console", note)
    assert not errors


def plain(text):
    return text.replace("\N{EN DASH}", "-")


def cards(page):
    """The day, the name and the place on the screen of each class that is shown."""
    found = page.locator("#scroll .card").evaluate_all(
        """cards => cards.map((card) => {
            const box = card.parentElement.getBoundingClientRect();
            return [card.closest("section").ariaLabel, card.querySelector("strong").textContent,
                    box.left, box.top, box.width, box.height, card.innerText];
        })"""
    )
    return {(day, name): tuple(rest) for day, name, *rest in found}


def test_a_room_shows_each_class_at_its_true_length_with_its_weeks_in_words(opened):
    page = opened("#room=lab")
    assert page.inner_text("#chosen") == "Room lab"
    shown = cards(page)
    assert set(shown) == {("Tuesday", "<b>"), ("Tuesday", "l1")}
    (left, top, width, height, even), (other, top2, _, height2, odd) = (
        shown["Tuesday", name] for name in ("l1", "<b>")
    )
    assert top == top2
    assert height == pytest.approx(2 * height2, abs=1)
    assert other >= left + width - 1
    assert "odd weeks" in odd
    assert "even weeks" in even
    assert "10:00-10:55" in plain(odd)
    assert "course algebra" in odd


def test_a_chosen_week_shows_what_takes_place_then(opened):
    page = opened("#room=lab")
    page.get_by_role("button", name="Week 1:").click()
    assert set(cards(page)) == {("Tuesday", "<b>")}
    page.keyboard.press("ArrowRight")
    assert set(cards(page)) == {("Tuesday", "l1")}
    assert page.locator('#weeks [aria-pressed="true"]').inner_text() == "2"
    page.keyboard.press("Home")
    assert len(cards(page)) == 2


def test_when_a_room_is_closed_is_shown_in_the_weeks_in_which_it_is(opened):
    page = opened("#room=lab")
    closed = page.locator("#scroll li.closed")
    assert plain(closed.inner_text()) == "closed 07:30-10:00, weeks 1-6"
    page.get_by_role("button", name="Week 7:").click()
    assert closed.count() == 0


def test_the_weeks_of_course_class_group_and_student_are_there(opened):
    page = opened("#course=art")
    assert set(cards(page)) == {("Monday", "d1"), ("Saturday", "d2")}
    page.get_by_role("tab", name="Classes").click()
    assert set(cards(page)) == {("Monday", "a1"), ("Wednesday", "a1")}
    page.get_by_role("tab", name="Groups").click()
    assert page.inner_text("#chosen") == "Group logic"
    page.get_by_role("button", name="Next").click()
    assert page.inner_text("#chosen") == "Group algebra + art"
    assert "600 of 600 students" in cards(page)["Monday", "d1"][-1]
    page.get_by_role("tab", name="Students").click()
    page.fill("#search", "s11")
    page.keyboard.press("Enter")
    # Not one of the hundreds whose ids begin so.
    assert page.inner_text("#chosen") == "Student s11"
    assert set(cards(page)) == {
        ("Monday", "a1"),
        ("Monday", "d1"),
        ("Tuesday", "<b>"),
        ("Wednesday", "a1"),
        ("Saturday", "d2"),
    }


def test_what_a_student_cannot_attend_and_what_a_room_cannot_hold_is_marked(opened):
    page = opened("#student=s1")
    marked = {name for (_, name), (*_, text) in cards(page).items() if "conflict" in text}
    assert marked == {"a1", "d1"}
    assert "class a1" in page.inner_text("#notes")
    page = opened("#room=hall")
    marked = {name for (_, name), (*_, text) in cards(page).items() if "taken twice" in text}
    assert marked == {"a1", "d1"}
    assert page.locator("#list .clash .id").all_inner_texts() == ["hall"]


def test_the_cost_is_shown_by_part_with_units_and_weights(opened):
    shown = opened().inner_text("#costs").replace("\N{MULTIPLICATION SIGN}", "x")
    rows = [row.split("\t")[:4] for row in shown.splitlines()]
    table = {row[0]: row[1:] for row in rows}
    found = evaluate(term())
    assert table["time"] == ["3", "x 2", "6"]
    assert table["room"] == ["5", "x 3", "15"]
    assert table["distribution"] == ["4", "x 5", "20"]
    assert table["student"] == ["600", "x 7", f"{600 * 7:,}"]
    assert table["RoomConflicts"] == ["1", "", "violated"]
    assert table["Total"][-1] == f"{found.cost:,}"


def test_every_broken_rule_is_told_in_words_with_links_to_its_classes(opened):
    page = opened()
    told = page.locator("#found details")
    hard = [plain(text) for text in told.locator("li").all_inner_texts()]
    assert (
        "1 class a1 (Mon, Wed 08:00-09:30, weeks 1-12, room hall) overlaps "
        "class d1 (Mon 08:30-09:30, weeks 1-12, room hall) in room hall"
    ) in hard
    assert any(text.startswith("1 SameDays between class a1") for text in hard)
    student = page.locator('#found [data-rule="student"]')
    assert student.locator("li").count() == 0
    student.locator("summary").click()
    text = plain(student.locator("li").inner_text())
    assert text.startswith("4,200 600 students cannot attend both class a1")
    student.get_by_role("link", name="class d1").click()
    page.wait_for_function("document.getElementById('chosen').textContent === 'Class d1'")
    assert page.evaluate("document.activeElement.id") == "week"
    page.go_back()
    page.wait_for_function("document.getElementById('chosen').textContent === 'Room hall'")


def test_keys_move_between_kinds_weeks_and_things(opened):
    page = opened()
    stops = []
    for _ in range(9):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.closest('[id]')?.id ?? 'none'"))
    # A stop each, however many things there are.
    assert stops[1:4] == ["tabs", "search", "list"]
    assert stops.count("list") == stops.count("tabs") == stops.count("weeks") == 1
    page.get_by_role("tab", name="Rooms").focus()
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#chosen") == "Course algebra"
    page.locator("#week").focus()
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#chosen") == "Course logic"


def test_a_phone_shows_the_week_day_by_day_and_nothing_sideways(opened):
    page = opened("#student=s1", 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shown = cards(page)
    tops = [top for _, top, *_ in shown.values()]
    assert tops == sorted(tops)
    assert all(left + width <= 390 for left, _, width, *_ in shown.values())
    assert page.locator(".day", has_text="Thursday").inner_text().endswith("no classes")


def test_dark_and_light_are_followed_and_text_can_be_read_in_both(opened):
    page = opened()
    colors = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colors.append(
            page.evaluate(
                "[getComputedStyle(document.body).backgroundColor,"
                " getComputedStyle(document.querySelector('.card')).color]"
            )
        )
    page.emulate_media(color_scheme="light")

    def lightness(color):
        return sum(int(part) for part in color[4:-1].split(","))

    (page_light, text_light), (page_dark, text_dark) = colors
    assert lightness(page_light) > 600 > lightness(text_light)
    assert lightness(page_dark) < 150 < lightness(text_dark)


def test_the_weeks_of_all_rooms_are_printed_one_a_sheet(opened):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    page = opened()
    page.select_option("#print-what", "room")
    data = page.pdf(prefer_css_page_size=True, print_background=True)
    sheets = pypdf.PdfReader(io.BytesIO(data)).pages
    rooms = [re.search(r"Room (\w+)", sheet.extract_text())[1] for sheet in sheets]
    assert rooms == ["hall", "lab", "attic"]
    page.select_option("#print-what", "")
