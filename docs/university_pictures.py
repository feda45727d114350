"""Takes the pictures of the page of a university's timetable.

    python docs/university_pictures.py [FOLDER]

It needs playwright, and chromium on the PATH.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright
from schoolbell.stages.university import Solution, evaluate, generate_with_solution, write_files

WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
# Milliseconds that a busy machine may take for anything.
MOST = 120_000


def term() -> Solution:
    """Generate a timetable and move some of its classes, so that something is broken."""
    instance, solution = generate_with_solution(classes=120, students=300, seed=4)
    rng = np.random.default_rng(1)
    times = solution.times.copy()
    moved = rng.permutation(len(times))[:6]
    times[moved] = rng.integers(0, np.diff(instance.tables.time_starts)[moved])
    return Solution(instance, times, solution.rooms, solution.enrolments)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("guides"))
    with tempfile.TemporaryDirectory() as away, sync_playwright() as playwright:
        path = Path(away) / "term.html"
        write_files(evaluate(term()), html=path)
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=MOST
        )
        try:
            page = chromium.new_page(viewport=WIDE)
            page.set_default_timeout(MOST)
            page.goto(path.as_uri())
            draw(page, folder)
        finally:
            chromium.close()


def draw(page: Any, folder: Path) -> None:
    """Take the pictures."""
    page.locator("#list .clash").first.click()
    page.screenshot(path=folder / "university_page.png")
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.querySelector('.costs').scrollIntoView()")
    page.screenshot(path=folder / "university_cost_dark.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    page.get_by_role("tab", name="Students").click()
    page.evaluate("document.getElementById('week').scrollIntoView()")
    page.screenshot(path=folder / "university_phone.png")


if __name__ == "__main__":
    main()
