"""The page of a timetable as a browser shows and prints it."""

import io
import re

import pytest
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Instance,
    Room,
    Solution,
    evaluate,
)
from schoolbell.stages.timetable.views.rendering import render_html

pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")

DAYS, SLOTS, ROOMS = 6, 4, 3
MANY = 1200


def week() -> Solution:
    """A week of six days; the first room and the first curriculum have no lectures."""
    courses = tuple(Course(f"c{i}", f"t{i % 5}", 2, 1, 20) for i in range(12))
    courses += (Course("unplaced", "t0", 1, 1, 20),)
    rooms = tuple(Room(f"r{i}", 30) for i in range(ROOMS))
    curricula = (
        Curriculum("nobody", ("unplaced",)),
        *(Curriculum(f"q{i}", (f"c{i % 12}", f"c{(i + 1) % 12}")) for i in range(MANY)),
    )
    instance = Instance("Week", DAYS, SLOTS, courses, rooms, curricula)
    periods = [(5 * i) % (DAYS * SLOTS) for i in range(24)]
    return Solution.of_lectures(instance, [*periods, -1], [*(1 + i % 2 for i in range(24)), -1])


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "week.html"
    path.write_text(render_html(evaluate(week(), "UD2")), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser, page_file):
    """Opens the page in a window of some width; fails on any error in its script."""
    errors = []
    context = browser.new_context(viewport={"width": 1400, "height": 900})

    def open_page(width=1400, height=900):
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.set_viewport_size({"width": width, "height": height})
        page.goto(page_file)
        return page

    yield open_page
    context.close()
    assert not errors


def printed(page):
    text = page.pdf(prefer_css_page_size=True, print_background=True)
    return pypdf.PdfReader(io.BytesIO(text)).pages


def focused(page, what="textContent"):
    return page.evaluate(f"document.activeElement.{what}")


def test_a_week_of_six_days_is_printed_with_its_last_day_on_a4_landscape(opened):
    sheets = printed(opened())
    width, height = (float(size) for size in sheets[0].mediabox[2:])
    assert width > height
    assert "Monday" in sheets[0].extract_text()
    assert "Saturday" in sheets[0].extract_text()


def test_all_weeks_of_a_kind_are_printed_on_request_one_a_sheet(opened):
    page = opened()
    page.select_option("#print-what", "teacher")
    texts = [sheet.extract_text() for sheet in printed(page)]
    assert [re.search(r"Teacher (t\d)", text)[1] for text in texts] == [
        "t0",
        "t1",
        "t2",
        "t3",
        "t4",
    ]
    assert all("Saturday" in text for text in texts)
    page.select_option("#print-what", "")
    assert len(printed(page)) < 4


def test_the_first_room_and_curriculum_shown_have_lectures(opened):
    page = opened()
    assert page.inner_text("#chosen") == "Curriculum q0"
    page.get_by_role("tab", name="Rooms").click()
    assert page.inner_text("#chosen") == "Room r1"


def test_enter_on_an_item_of_the_list_shows_its_week_and_keeps_the_focus_there(opened):
    page = opened()
    page.locator("#list button", has_text="q7").first.focus()
    page.keyboard.press("Enter")
    assert page.inner_text("#chosen") == "Curriculum q7"
    assert focused(page, "dataset.index") == "8"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.inner_text("#chosen") == "Curriculum q8"


def test_thousands_of_curricula_are_one_stop_of_the_tab_key(opened):
    page = opened()
    page.locator("#search").focus()
    stops = []
    for _ in range(3):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.closest('#list') !== null"))
    assert stops == [True, False, False]


def test_a_link_skips_from_the_top_to_the_week(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the week"
    page.keyboard.press("Enter")
    assert focused(page, "id") == "week"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#week') !== null")


def test_the_arrow_keys_move_between_the_tabs(opened):
    page = opened()
    page.get_by_role("tab", name="Curricula").focus()
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#chosen") == "Teacher t0"
    assert focused(page) == "Teachers"
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#chosen") == "Curriculum q0"


def test_a_narrow_window_shows_the_week_day_by_day_and_nothing_sideways(opened):
    page = opened(390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not page.locator("#board").is_visible()
    days = page.locator("#days h3").all_inner_texts()
    assert [day.split()[0] for day in days][::5] == ["Monday", "Saturday"]
    shown = page.locator("#days .card strong").all_inner_texts()
    assert sorted(shown) == ["c0", "c0", "c1", "c1"]
    widest = page.locator("#days .card").evaluate_all(
        "cards => Math.max(...cards.map((card) => card.getBoundingClientRect().right))"
    )
    assert widest <= 390


def test_a_wide_window_shows_the_week_as_a_table(opened):
    page = opened()
    assert page.locator("#board").is_visible()
    assert not page.locator("#days").is_visible()
