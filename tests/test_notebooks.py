"""The notebooks run, and are committed with the outputs of a run."""

import html
import re
from functools import cache
from pathlib import Path

import pytest

from .late import Late

nbformat, nbclient = Late("nbformat"), Late("nbclient")

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
LONG_RUN = """\
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

class Long(Stage):
    def run(self, state, budget):
        import time
        state.offer("best", 7, 0)
        for step in range(3000):
            yield Batch(step + 1, 3000)
            if step == 1:
                print("begun")
            time.sleep(0.01)

run = Pipeline([Long()]).fit()"""
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
SECONDS_A_CELL = 240
# In place of the limit of some seconds that a reader waits for; a university needs those.
SECONDS_A_RUN = "2"
MOST_BYTES = 400_000
MACHINE_PATH = re.compile(r"/(?:home|root|tmp|usr|opt|work|Users)/|[A-Z]:\\\\")


def committed(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    @cache
    def execute(name):
        notebook = committed(name)
        for cell in code_cells(notebook):
            if "university_pipeline" not in cell.source:
                cell.source = re.sub(r"(?<= time_limit=)\d(?=[,)])", SECONDS_A_RUN, cell.source)
        folder = tmp_path_factory.mktemp(name)
        nbclient.NotebookClient(
            notebook,
            timeout=SECONDS_A_CELL,
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
        ).execute()
        return notebook, folder

    return execute


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def cell_with(notebook, text):
    (cell,) = (cell for cell in code_cells(notebook) if text in cell.source)
    return cell


def kinds(cell):
    """The kinds of what a cell leaves; words on the error stream are a matter of the machine."""
    return {
        kind
        for output in cell.outputs
        if output.get("name") != "stderr"
        for kind in output.get("data", {output.output_type: ""})
    }


def result(cell):
    (data,) = (one.data for one in cell.outputs if one.output_type == "execute_result")
    return data["text/plain"]


def test_there_are_the_notebooks_that_the_readme_names():
    assert NAMES == ["callbacks", "quick_start", "university"]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_leaves_what_is_committed(name, executed):
    notebook, _ = executed(name)
    fresh = [kinds(cell) for cell in code_cells(notebook)]
    assert fresh == [kinds(cell) for cell in code_cells(committed(name))]


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_outputs_are_small_and_tell_nothing_of_a_machine(name):
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert len(text) < MOST_BYTES
    outputs = [str(output) for cell in code_cells(committed(name)) for output in cell.outputs]
    assert not [found for output in outputs if (found := MACHINE_PATH.search(output))]
    assert [cell.execution_count for cell in code_cells(committed(name))] == list(
        range(1, len(code_cells(committed(name))) + 1)
    )


def test_the_box_of_the_quick_start_ends_full_and_stays_in_the_saved_notebook(executed):
    notebook, _ = executed("quick_start")
    (box,) = cell_with(notebook, "pipeline.fit(").outputs
    assert "widgets" not in notebook.metadata
    text = box.data["text/plain"]
    whole, load, *_, finalize = text.splitlines()[1:]
    for line in (whole, load, finalize):
        assert "100.0 %" in line
        assert "finished" in line
    assert "as of" not in text
    assert html.escape("finished") in box.data["text/html"]


def test_the_quick_start_shows_the_run_and_writes_its_files(executed):
    notebook, folder = executed("quick_start")
    (output,) = next(cell for cell in code_cells(notebook) if cell.source == "run").outputs
    assert "Constraint (UD2)" in output.data["text/html"]
    written = {path.name for path in (folder / "runs").iterdir()}
    assert {"faculty.ectt", "faculty.sol", "week.csv", "week.html", "log.csv"} <= written


def test_the_notebook_of_a_university_shows_weeks_and_writes_its_files(executed):
    notebook, folder = executed("university")
    (shown,) = cell_with(notebook, "solution = Solution(").outputs
    assert "student Ann, 2 classes" in shown.data["text/html"]
    written = {path.name for path in (folder / "runs").iterdir()}
    assert {"term.xml.gz", "term.html", "classes.csv"} <= written


def test_the_run_watched_in_the_callbacks_notebook_is_stopped_by_a_command(executed):
    notebook, _ = executed("callbacks")
    assert "'stopped by StopAt'" in result(cell_with(notebook, "StopAt("))
    watched = cell_with(notebook, "awatch(").outputs[0].text
    assert "Genetic algorithm: " in watched
    assert "'stopped by a command'" in result(cell_with(notebook, "send_command("))


def test_the_stop_button_ends_a_run_with_its_best_and_leaves_the_kernel_at_work():
    client_of = pytest.importorskip("jupyter_client.manager", reason="no jupyter_client")
    manager, client = client_of.start_new_kernel()
    words = []

    def take(message):
        words.append(message["content"].get("text", ""))
        if "begun" in words[-1]:
            manager.interrupt_kernel()

    try:
        first = client.execute_interactive(LONG_RUN, timeout=60, output_hook=take)
        client.execute_interactive("print(run.outcome, run.solution)", timeout=60, output_hook=take)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert first["content"]["status"] == "ok"
    assert "interrupted best\n" in "".join(words)
