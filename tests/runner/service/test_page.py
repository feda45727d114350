"""The page in a real browser: from the upload to the download."""

import re

import pytest
from schoolbell.stages.timetable import generate
from schoolbell.stages.university import generate as generate_university

# Milliseconds that a busy machine may take for anything.
MOST = 120_000


@pytest.fixture(scope="module")
def service(new_service):
    universities = "service_pipeline:university"
    options = {"pipeline": "service_pipeline:timetables", "university_pipeline": universities}
    return new_service(workers=1, grace=2.0, **options)


@pytest.fixture
def page(browser, service):
    # Here and not above: without playwright these tests are skipped.
    from playwright.sync_api import expect

    expect.set_options(timeout=MOST)
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    faults = []
    page.on("console", lambda one: faults.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: faults.append(str(one)))
    page.set_default_timeout(MOST)
    page.goto(service.url)
    yield page
    context.close()
    # A violation of the page's own policy would be one; what is away for a moment is none.
    assert not [one for one in faults if "Failed to load resource" not in one]


@pytest.fixture
def instance_file(tmp_path):
    path = tmp_path / "week.ectt"
    generate(6, seed=2).write(path)
    return path


def percent(page):
    return float(page.inner_text("#progress").removesuffix(" %"))


def upload(page, path):
    page.set_input_files("#file", path)
    page.click("#start")
    page.wait_for_selector("#about:not([hidden])")


def wait_until(page, words, place="#status"):
    """Wait for a text; a script that is evaluated would be against the page's own policy."""
    from playwright.sync_api import expect

    expect(page.locator(place)).to_have_text(words)


def test_a_job_goes_from_upload_to_download(page, instance_file, tmp_path, until):
    upload(page, instance_file)
    wait_until(page, "running")
    # The bars move, to a tenth of a percent.
    seen = {page.inner_text("#progress")}
    for _ in range(3):
        seen.add(until(lambda: {page.inner_text("#progress")} - seen).pop())
    assert all(re.fullmatch(r"\d+\.\d %", one) for one in seen)
    bar = page.locator("#bar")
    assert bar.get_attribute("role") == "progressbar"
    assert float(bar.get_attribute("aria-valuenow")) > 0
    page.wait_for_selector("#week td")
    assert page.locator("#curve path").count() == 1
    for kind in ("curriculum", "teacher"):
        page.select_option("#kind", kind)
        assert page.locator("#which option").count() > 0

    page.click("text=Pause")
    wait_until(page, "paused")
    still = percent(page)
    page.click("text=Resume")
    wait_until(page, "running")
    until(lambda: percent(page) > still)
    page.click("#steer >> text=Stop")
    wait_until(page, "stopped")
    until(lambda: page.inner_text("#why").startswith("by a command"))
    # The stage's bar stays where the stage was stopped.
    bar = page.locator("#stages .bar").first
    until(lambda: 0 < float(bar.get_attribute("aria-valuenow")) < 100)
    with page.expect_download() as download:
        page.click("#files >> text=solution")
    download.value.save_as(tmp_path / "got.sol")
    assert (tmp_path / "got.sol").read_text().count("\n") > 5
    assert "asked to pause" in page.inner_text("#log")


def test_the_weeks_of_a_university_are_there(page, tmp_path):
    from playwright.sync_api import expect

    path = tmp_path / "small.xml.gz"
    generate_university(20, 40, seed=3).write(path)
    page.set_input_files("#file", path)
    # Its file says itself what counts.
    expect(page.locator("#formulation")).to_be_disabled()
    page.fill("#seconds", "")
    page.select_option("#demo-kind", "university")
    page.click("#demo")
    page.wait_for_selector("#week .class")
    kinds = page.locator("#kind option").all_inner_texts()
    assert kinds == ["room", "course", "class", "student group"]
    for kind in kinds[1:]:
        page.select_option("#kind", kind)
        page.wait_for_selector("#week .class")
    wait_until(page, "finished")
    # A class stands on each of its days; in weeks of its own, with these.
    told = page.evaluate("""async () => {
        const { universityViews } = await import("./static/university_week.js");
        const path = document.querySelector("#files a").getAttribute("href");
        const answer = await fetch(path.replace(/[^/]*$/, "timetable"));
        const data = await answer.json(), views = universityViews(data);
        const count = (week) => data.classes.map((_, index) => views.rows("class", index, week)
            .reduce((sum, row) => sum + row.querySelectorAll(".class").length, 0));
        const times = data.classes.map((one) => data.times[one[2]]);
        return [count(null), count(0), times.map(([mask, , , weeks]) =>
            [mask.toString(2).replaceAll("0", "").length, data.weeks[weeks][0][0]])];
    }""")
    every, first, times = told
    assert every == [days for days, _ in times]
    assert first == [days if in_first == "1" else 0 for days, in_first in times]
    assert 0 < sum(first) < sum(every)
    expect(page.locator("#details-title")).to_contain_text("What it costs")
    page.select_option("#when", label="week 1")
    assert page.locator("#week em").count() <= sum(first)


def test_the_curve_shows_costs_of_timetables_without_violations_once_there_are_any(page):
    # Evaluated by the browser's own tools, which no policy of the page binds.
    infeasible, first, grown = page.evaluate(
        """async () => {
            const { Curve } = await import("./static/curve.js");
            const curve = new Curve(), look = () => {
                const path = document.querySelector("#curve path");
                return [path.getAttribute("d"), path.getAttribute("class"), curve.text.textContent];
            };
            curve.begin([[1, 900, 3], [2, 100, 1]]);
            const infeasible = look();
            curve.add(4, 500, 0);
            const first = look();
            curve.add(4, 90, 2);
            curve.add(8, 480, 0);
            return [infeasible, first, look()];
        }"""
    )
    assert infeasible[1:] == ["violations", "From 900 to 100 in 2 s, all with violations so far."]
    assert infeasible[0].count("H") == 1
    assert first == ["M592 90", None, "From 500 to 500 in 4 s."]
    assert grown == ["M300 8H592V172", None, "From 500 to 480 in 8 s."]


def test_a_wrong_file_is_told_with_its_line_at_the_file(page, tmp_path):
    path = tmp_path / "broken.ectt"
    lines = generate(4, seed=1).dumps().splitlines()
    path.write_text("\n".join([*lines[:2], "Rooms: many", *lines[3:]]))
    page.set_input_files("#file", path)
    page.click("#start")
    wait_until(page, re.compile("^broken.ectt:3: found Rooms 'many', expected"), "#file-fault")


def test_the_page_comes_back_after_the_service_was_restarted(page, service, instance_file):
    upload(page, instance_file)
    wait_until(page, "running")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("#about:not([hidden])")
    service.kill_web()
    for one in (page, other):
        wait_until(one, re.compile("^not live"), "#live")
    service.start_web()
    for one in (page, other):
        wait_until(one, "live", "#live")
    page.click("#steer >> text=Stop")
    for one in (page, other):
        wait_until(one, "stopped")


def test_the_page_is_used_by_keyboard_and_on_a_phone(page, service):
    page.set_viewport_size({"width": 360, "height": 700})
    page.reload()
    page.wait_for_selector("#jobs button")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.focus("#jobs button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#about:not([hidden])")
    # Every control has a name for those who do not see it.
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select')].filter(one =>
            !one.textContent.trim() && !one.labels?.length && !one.getAttribute('aria-label')
        ).map(one => one.outerHTML)"""
    )
    assert not nameless
