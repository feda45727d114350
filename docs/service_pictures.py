"""Draws the pictures of the service's page: a job from its upload to its end, and a university.

    python docs/service_pictures.py [FOLDER]

It starts a service of its own, with chromium for a reader.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright
from schoolbell.stages.timetable import generate
from schoolbell.stages.university import generate as generate_university

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "runner" / "service")]
WIDE, PHONE = {"width": 1100, "height": 900}, {"width": 390, "height": 844}
# Milliseconds that a busy machine may take for anything.
MOST = 120_000


def main() -> None:
    from service_processes import ServiceProcesses

    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs" / "guides")
    with tempfile.TemporaryDirectory() as away, sync_playwright() as playwright:
        service = ServiceProcesses(
            Path(away),
            pipeline="service_pipeline:timetables",
            university_pipeline="service_pipeline:university",
        ).start()
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=MOST
        )
        try:
            page = chromium.new_page(viewport=WIDE)
            page.set_default_timeout(MOST)
            expect.set_options(timeout=MOST)
            path = Path(away) / "monday.ectt"
            generate(20, seed=3).write(path)
            draw(page, service.url, path, folder)
            university = Path(away) / "term.xml.gz"
            generate_university(60, 150, seed=3).write(university)
            draw_university(page, university, folder)
        finally:
            chromium.close()
            service.stop()


def draw(page: Any, url: str, instance: Path, folder: Path) -> None:
    """Take the pictures."""
    page.goto(url)
    page.wait_for_selector("#all:not([hidden])")
    page.set_input_files("#file", instance)
    page.screenshot(path=folder / "service_upload.png")
    page.click("#start")
    expect(page.locator("#progress")).to_have_text(re.compile(r"^[1-9]\d?\."))
    page.wait_for_selector("#week td")
    # The cost has fallen a few times.
    expect(page.locator("#curve path")).to_have_attribute("d", re.compile(r"V(.*V){5}"))
    page.screenshot(path=folder / "service_page.png")
    page.click("text=Pause")
    expect(page.locator("#status")).to_have_text("paused")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=folder / "service_paused_dark.png")
    page.click("#steer >> text=Stop")
    expect(page.locator("#status")).to_have_text("stopped")
    page.set_viewport_size(PHONE)
    page.screenshot(path=folder / "service_phone.png")


def draw_university(page: Any, instance: Path, folder: Path) -> None:
    """Take the picture of the weeks of a university."""
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)
    page.set_input_files("#file", instance)
    page.click("#start")
    page.wait_for_selector("#week .class")
    expect(page.locator("#status")).to_have_text("finished")
    page.select_option("#kind", "student group")
    page.wait_for_selector("#week .class")
    page.locator("section[aria-labelledby=week-title]").screenshot(
        path=folder / "service_university.png"
    )


if __name__ == "__main__":
    main()
