"""The last stage: an independent evaluation, and the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...files.atomic import write_atomically
from ...state import State
from ...steps.finalize_step import FinalizeStep
from ..cost.evaluation import Evaluation, evaluate
from ..formats.files import check_suffix
from ..views.rendering import render_html


class FinalizeUniversity(FinalizeStep):
    """Evaluate the best timetable of a university with the reference code and write it.

    Leaves ``evaluation`` and ``files``, the paths of what it wrote, on the state. Without a
    solution there is nothing to do, and no file is written.

    Parameters
    ----------
    solution
        Path of the solution's file, ``.xml`` or ``.xml.gz``; None for none.
    html
        Path of the timetable as a web page.
    csv
        Path of the classes as CSV.

    Raises
    ------
    TimetableError
        Before the run, if the solution's file has another suffix.
    OSError
        Before the run, if a file cannot be written where it is to go.
    RuntimeError
        In `run`, if the search was wrong about the cost or the violations; the
        files are not written then.
    """

    __module__ = "schoolbell.stages"

    def check(self) -> None:
        """See that the files can be written, the solution's as XML."""
        if self.solution is not None:
            check_suffix(self.solution)
        super().check()

    def evaluator(self, state: State) -> Callable[[Any], Evaluation]:
        """Return what counts by the definitions."""
        return evaluate

    def n_items(self, instance: Any) -> int:
        """Count the classes and what students ask for."""
        return len(instance.classes) + sum(len(one.courses) for one in instance.students)

    def writers(
        self, evaluation: Evaluation
    ) -> Sequence[tuple[str | Path | None, Callable[[str | Path], object]]]:
        """Return what writes the solution, the page and the table."""
        solution = evaluation.solution
        return (
            (self.solution, solution.write),
            (self.html, lambda path: write_atomically(path, render_html(evaluation))),
            (self.csv, solution.write_csv),
        )
