"""Takes the README's pictures of a run in JupyterLab, and checks what they show.

It starts a JupyterLab, opens a notebook in chromium, and fails unless the bars
move, the output stays short, and the stop button ends the run
with the best so far. Run it from the project's root with chromium on the PATH::

    pip install '.[notebook,plot]' jupyterlab playwright pandas
    python docs/jupyterlab_pictures.py
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, sync_playwright

SECONDS = 60_000
"""Most milliseconds to wait for something in the browser."""

DOCS = Path(__file__).resolve().parent
QUICK_START = DOCS.parent / "notebooks" / "quick_start.ipynb"
INTERRUPTED = """\
from schoolbell.runner import timetabling_pipeline
from schoolbell.stages.timetable import generate

faculty = generate(courses=60, seed=3)
run = timetabling_pipeline().fit(faculty, seed=1, time_limit=120, job_id="night")"""
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # Cells that are out of sight are there too.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}
WIDTH, HEIGHT = 1000, 900
BARS = ".jp-OutputArea td:nth-child(3)"
MOST_OUTPUT = 400
"""Most pixels that the output of a fit may be high."""


def main() -> None:
    """Take the pictures and say what was seen."""
    with tempfile.TemporaryDirectory() as folder, jupyterlab(Path(folder)) as url:
        write_notebooks(Path(folder))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            quick_start(page, url)
            interrupt(page, url)
            untrusted(page, url)
            browser.close()


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Run a JupyterLab on a folder; its address takes ``{}`` for a notebook."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = f"http://127.0.0.1:{port}"
    options = ["--no-browser", "--allow-root", "--ServerApp.token=", f"--port={port}"]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(folder / ".config")}
    settings = folder / ".settings"
    settings.mkdir()
    (settings / "overrides.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    options.append(f"--LabApp.app_settings_dir={settings}")
    command = [sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", *options]
    log = folder / "lab.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output
        )
    try:
        wait_for(home + "/api", process)
        yield home + "/lab/tree/{}?reset"
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(url: str, process: subprocess.Popen) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.URLError:
            time.sleep(0.2)
    sys.exit(f"no JupyterLab at {url}")


def write_notebooks(folder: Path) -> None:
    """Write the notebooks without outputs, and one with outputs that nobody trusts."""
    notebook = nbformat.read(QUICK_START, as_version=4)
    nbformat.write(notebook, folder / "untrusted.ipynb")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("widgets", None)
    nbformat.write(notebook, folder / "quick_start.ipynb")
    long = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in (INTERRUPTED, "run")],
        metadata=notebook.metadata,
    )
    nbformat.write(long, folder / "interrupted.ipynb")


def opened(page: Page, address: str) -> None:
    """Open a notebook in the whole window, its kernel ready."""
    page.goto(address, wait_until="domcontentloaded")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=SECONDS)
    page.locator(".jp-Toolbar-kernelName", has_text="Python 3").wait_for(timeout=SECONDS)
    page.get_by_text("| Idle").wait_for(timeout=SECONDS)
    if page.locator("#jp-left-stack:visible").count():
        page.keyboard.press("Control+b")


def cell_with(page: Page, text: str) -> Locator:
    """Return the code cell whose source begins with a text."""
    return page.locator(".jp-CodeCell").filter(
        has=page.locator(".jp-InputArea", has_text=re.compile(rf"\]:\s*{re.escape(text)}"))
    )


def choose(page: Page, menu: str, item: str) -> None:
    """Choose something from a menu."""
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def positions(cell: Locator) -> list[float]:
    """Return how far each bar in a cell's box has come, 0 to 100."""
    percents = cell.locator(BARS).all_inner_texts()
    return [float(percent.rstrip(" %") or 0) for percent in percents]


def watch(page: Page, fit: Locator, until: float, seconds: float = 120) -> list[list[float]]:
    """Look at the bars until the whole run's has come so far; return each change."""
    fit.locator(BARS).first.wait_for(timeout=SECONDS)
    seen: list[list[float]] = [positions(fit)]
    end = time.monotonic() + seconds
    while seen[-1][0] < until:
        check(time.monotonic() < end, f"the run came no further than {seen[-1]}")
        page.wait_for_timeout(50)
        if (now := positions(fit)) != seen[-1]:
            seen.append(now)
    return seen


def check(holds: bool, otherwise: str) -> None:
    """End the program with a message unless something holds."""
    if not holds:
        sys.exit(otherwise)


def check_output(fit: Locator) -> None:
    """See that a fit has left a few bars and nothing else."""
    box = fit.locator(".jp-OutputArea").first.bounding_box()
    check(box is not None and box["height"] < MOST_OUTPUT, f"the output is too high: {box}")
    text = fit.locator(".jp-OutputArea").first.inner_text()
    check("Traceback" not in text and "Warning" not in text, text)
    print(text)


def quick_start(page: Page, address: str) -> None:
    """Run the notebook; picture the bars as they move, and the run."""
    opened(page, address.format("quick_start.ipynb"))
    choose(page, "Run", "Run All Cells")
    fit = cell_with(page, "from schoolbell.runner")
    before = watch(page, fit, 60)
    fit.screenshot(path=DOCS / "jupyter_bars.png")
    seen = before + watch(page, fit, 100)
    steps = [bars[0] for bars in seen]
    check(steps == sorted(steps), f"the bar of the run went back: {steps}")
    print(f"{len(seen[-1])} bars, that of the run seen in {len(set(steps))} places")
    check(len(set(steps)) > 10, "the bar of the run hardly moved")
    check_output(fit)
    shown = cell_with(page, "run").first
    shown.locator("summary").first.wait_for(timeout=SECONDS)
    open_week(shown, "Curricula")
    page.set_viewport_size({"width": WIDTH, "height": 2 * HEIGHT})
    shown.screenshot(path=DOCS / "jupyter_run.png")
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def open_week(shown: Locator, kind: str) -> None:
    """Open the first week of a kind, and see that this closes those of the other kinds."""
    shown.get_by_text(kind, exact=True).click()
    panel = shown.locator("details", has=shown.page.get_by_text(kind, exact=True)).last
    panel.locator("details summary").first.click()
    check(panel.locator("table:visible").count() == 1, f"no week of {kind} is open")


def interrupt(page: Page, address: str) -> None:
    """Press the stop button in the middle of a long run; picture what it leaves."""
    opened(page, address.format("interrupted.ipynb"))
    choose(page, "Run", "Run All Cells")
    fit = cell_with(page, "from schoolbell.runner")
    watch(page, fit, 25)
    pressed = time.monotonic()
    page.locator("[data-jp-item-name=interrupt]").first.click()
    shown = cell_with(page, "run").last
    shown.locator("b", has_text="interrupted").wait_for(timeout=10_000)
    print(f"interrupted after {time.monotonic() - pressed:.1f} s")
    check_output(fit)
    shown.scroll_into_view_if_needed()
    page.screenshot(path=DOCS / "jupyter_interrupted.png")


def untrusted(page: Page, address: str) -> None:
    """Look at the saved outputs of a notebook that nobody trusts."""
    opened(page, address.format("untrusted.ipynb"))
    shown = cell_with(page, "run").first
    shown.scroll_into_view_if_needed()
    open_week(shown, "Teachers")
    drawn = shown.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
    check(bool(drawn) and min(drawn) > 0, "the curve is not drawn")


if __name__ == "__main__":
    main()
