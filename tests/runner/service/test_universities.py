"""Whole universities, from the upload to the files, with a real worker and the real stages."""

import os
import signal

import pytest
from schoolbell.runner.cli.main import main
from schoolbell.runner.service import Client
from schoolbell.stages.university import Instance, Solution, evaluate, generate

# Milliseconds that a busy machine may take for anything.
MOST = 120_000


@pytest.fixture(scope="module")
def service(new_service):
    return new_service(workers=1, university_pipeline="service_pipeline:university")


@pytest.fixture(scope="module")
def university(tmp_path_factory):
    path = tmp_path_factory.mktemp("university") / "small.xml.gz"
    generate(30, 60, seed=3).write(path)
    return path


def test_a_university_is_solved_though_its_process_is_killed(
    service, university, tmp_path, monkeypatch, until
):
    monkeypatch.setenv("SCHOOLBELL_URL", service.url)
    monkeypatch.delenv("SCHOOLBELL_TOKEN", raising=False)
    assert main(["submit", str(university), "--name", "term", "--set", "ga.population=3"]) == 0
    with Client() as client:
        (job,) = client.jobs()
        until(lambda: client.job(job.id).cost is not None)
        os.kill(service.job_process(job.id), signal.SIGKILL)
        *_, last = client.watch(job.id)
        assert last.outcome == "finished"
        ended = client.job(job.id)
        assert (ended.kind, ended.name, ended.attempts) == ("university", "term", 2)
        found = client.violations(job.id)
        assert (found["cost"], found["violations"]) == (ended.cost, ended.violations)
        assert set(found["soft"]) == {"time", "room", "distribution", "student"}
        client.fetch(job.id, tmp_path / "out")
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {"solution.xml", "timetable.html", "timetable.csv", "log.csv", "run.json"}
    solution = Solution.read(tmp_path / "out" / "solution.xml", Instance.read(university))
    assert evaluate(solution).cost == ended.cost
    assert main(["validate", str(university), str(tmp_path / "out" / "solution.xml")]) == 0


def test_the_page_shows_the_weeks_of_a_university_while_it_is_solved(browser, service, university):
    from playwright.sync_api import expect

    expect.set_options(timeout=MOST)
    context = browser.new_context()
    page = context.new_page()
    faults = []
    page.on("console", lambda one: faults.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: faults.append(str(one)))
    page.set_default_timeout(MOST)
    page.goto(service.url)
    page.fill("#seconds", "")
    page.set_input_files("#file", university)
    # Its file says itself what counts.
    expect(page.locator("#formulation")).to_be_disabled()
    page.click("#start")
    page.wait_for_selector("#week .class")
    kinds = page.locator("#kind option").all_inner_texts()
    assert kinds == ["room", "course", "class", "student group"]
    page.select_option("#kind", "class")
    expect(page.locator("#which option")).to_have_count(30)
    instance = Instance.read(university)
    page.select_option("#kind", "course")
    for course in instance.courses:
        page.select_option("#which", label=course.id)
        # Every class has a time, and stands on each of its days with its room and its weeks.
        expect(page.locator("#week .class").first).to_contain_text("class")
    expect(page.locator("#status")).to_have_text("finished")
    # In one week there are no more classes than in all of them.
    page.select_option("#kind", "room")
    every = page.locator("#week .class").count()
    page.select_option("#when", label="week 1")
    assert page.locator("#week .class").count() <= every
    expect(page.locator("#details-title")).to_contain_text("What it costs")
    assert not [one for one in faults if "Failed to load resource" not in one]
    context.close()


def test_the_page_has_a_demo_of_a_university(browser, service):
    from playwright.sync_api import expect

    expect.set_options(timeout=MOST)
    page = browser.new_page()
    page.set_default_timeout(MOST)
    page.goto(service.url)
    page.select_option("#demo-kind", "university")
    page.click("#demo")
    page.wait_for_selector("#about:not([hidden])")
    expect(page.locator("#status")).to_have_text("running")
    page.click("#steer >> text=Stop")
    expect(page.locator("#status")).to_have_text("stopped")
    page.close()
