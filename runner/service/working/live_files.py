"""The newest best timetable, as files that a page can show while the run goes on."""

import json
import time
from pathlib import Path
from typing import Any, ClassVar

from ....callbacks import Callback, Logs
from ....callbacks.background.ticker import Ticker
from ....stages.files.atomic import write_atomically

_LOOK_SECONDS = 0.5
# What is drawn takes at most a twentieth of the time.
_LEAST_PART = 20


def _nothing() -> None:
    return None


class LiveFiles(Callback):
    """Writes the newest best timetable for the service's page, from a thread of its own.

    However large it is, that takes a twentieth of the time at most.

    Parameters
    ----------
    folder
        The job's folder.
    formulation
        Whose constraints count.
    """

    made_anew: ClassVar = {"_ticker": _nothing, "_solution": _nothing, "_written": _nothing}

    def __init__(self, folder: Path, formulation: str) -> None:
        super().__init__()
        self.folder = folder
        self.formulation = formulation
        self._ticker: Ticker | None = None
        self._solution: Any = None
        self._written: Any = None
        self._due = 0.0

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._solution = self._written = None
        self._due = 0.0
        self._ticker = Ticker(self._write, _LOOK_SECONDS, "drawing the newest timetable")
        self._ticker.start()

    def on_solution(self, solution: Any, logs: Logs | None = None) -> None:
        self._solution = solution

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        if self._ticker is not None:
            self._due = 0.0
            self._ticker.stop()
            self._ticker = None

    def _write(self) -> None:
        solution, now = self._solution, time.monotonic()
        if solution is None or solution is self._written or now < self._due:
            return
        write_timetable(solution, self.formulation, self.folder)
        self._written = solution
        self._due = now + _LEAST_PART * (time.monotonic() - now)


def write_timetable(solution: Any, formulation: str, folder: Path) -> None:
    """Write a timetable as page, table and data; nothing where a solution is none."""
    from ....stages.timetable import Solution, evaluate
    from ....stages.timetable.views.rendering import page_data, render_csv, render_html

    if not isinstance(solution, Solution):
        return
    evaluation = evaluate(solution, formulation)
    write_atomically(folder / "timetable.json", json.dumps(page_data(evaluation)))
    write_atomically(folder / "timetable.html", render_html(evaluation))
    write_atomically(folder / "timetable.csv", render_csv(solution))
