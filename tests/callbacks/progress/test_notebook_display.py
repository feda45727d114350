"""The box in which a notebook shows a run: executed by a kernel, saved, opened without it."""

from contextlib import suppress

import pytest

from ...late import Late

nbformat, nbclient = Late("nbformat"), Late("nbclient")

SET_UP = """\
import threading
from schoolbell.callbacks import LambdaCallback
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

class Steps(Stage):
    unit = "step"

    def __init__(self, name="first", ending=None):
        self.name, self.ending = name, ending

    def run(self, state, budget):
        for done in range(1, 5):
            state.offer(done, 10 - done, 0)
            yield Batch(done, 4)
            if done == 2 and self.ending is not None:
                raise self.ending
"""
INTERRUPTED = 'Pipeline([Steps("<b>x</b>", ending=KeyboardInterrupt())]).fit(job_id="night");'
FAILED = 'Pipeline([Steps(ending=ValueError("no luck"))]).fit(job_id="bad")'
IN_TWO_THREADS = """\
threads = [
    threading.Thread(target=Pipeline([Steps()]).fit, kwargs={"job_id": job_id})
    for job_id in ("one", "two")
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()"""
KILLED = """\
import os
def die(batch, logs):
    if batch == 2:
        ticks = threading.Event()
        ticks.wait(1)
        os.kill(os.getpid(), 9)
Pipeline([Steps()]).fit(callbacks=LambdaCallback(on_batch_end=die), job_id="killed")"""


def run_cells(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in (SET_UP, *sources)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(notebook, timeout=60, allow_errors=True)
    with suppress(nbclient.exceptions.DeadKernelError):
        client.execute()
    return notebook


def boxes(cell):
    return [one.data for one in cell.outputs if one.output_type == "display_data"]


@pytest.fixture(scope="module")
def notebook():
    return run_cells("run = Pipeline([Steps()]).fit()", INTERRUPTED, FAILED, IN_TWO_THREADS)


def test_a_finished_run_leaves_one_box_with_full_bars(notebook):
    (box,) = boxes(notebook.cells[1])
    assert box["text/plain"].count("100.0 %") == 2
    assert "100 %" in box["text/html"]
    assert "widget" not in str(notebook)


def test_an_interrupted_run_says_so_and_its_labels_are_text(notebook):
    (box,) = boxes(notebook.cells[2])
    assert "interrupted" in box["text/plain"]
    assert "<b>x</b>" not in box["text/html"]
    assert "night" in box["text/html"]


def test_a_failed_run_says_what_raised(notebook):
    (box,) = boxes(notebook.cells[3])
    assert "no luck" in box["text/html"]
    assert "as of" not in box["text/html"]


def test_two_runs_at_once_have_a_box_each_with_their_names(notebook):
    texts = sorted(box["text/plain"].splitlines()[0] for box in boxes(notebook.cells[4]))
    assert texts == ["Run one", "Run two"]
    assert all(box["text/plain"].count("100.0 %") == 2 for box in boxes(notebook.cells[4]))


def test_a_converted_notebook_shows_how_the_runs_ended(notebook):
    nbconvert = pytest.importorskip("nbconvert", reason="nbconvert is not installed")
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    assert "Run one" in page
    assert page.count("100.0 %") >= 3
    assert "widget-view" not in page


def test_a_kernel_that_died_leaves_what_was_seen_last_and_when():
    (box,) = boxes(run_cells(KILLED).cells[1])
    assert "Run killed as of " in box["text/plain"]
    assert "3/4" in box["text/plain"]
