"""The last stage: an independent evaluation, and the files."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...files.atomic import write_atomically
from ...state import State
from ...steps.finalize_step import FinalizeStep
from ..cost.evaluation import Evaluation, evaluate
from ..views.rendering import render_csv, render_html


class Finalize(FinalizeStep):
    """Evaluate the best timetable with the reference code and write it.

    The search keeps its cost by increments, in compiled code; here the plain
    definition of every constraint decides. Leaves ``evaluation`` and ``files``,
    the paths of what it wrote, on the state. Without a solution there is
    nothing to do, and no file is written.

    Parameters
    ----------
    solution
        Path of the solution file to write, one lecture a line; None for none.
    html
        Path of the timetable as a web page.
    csv
        Path of the timetable as CSV.

    Raises
    ------
    OSError
        Before the run, if a file cannot be written where it is to go.
    RuntimeError
        In `run`, if the search was wrong about the cost or the violations; the
        files are not written then.
    """

    __module__ = "schoolbell.stages"

    needs = ("formulation",)

    def evaluator(self, state: State) -> Callable[[Any], Evaluation]:
        """Return what counts by the run's formulation."""
        return partial(_evaluated, state)

    def n_items(self, instance: Any) -> int:
        """Count the lectures."""
        return instance.n_lectures

    def writers(
        self, evaluation: Evaluation
    ) -> Sequence[tuple[str | Path | None, Callable[[str | Path], object]]]:
        """Return what writes the lectures, the page and the table."""
        solution = evaluation.solution
        return (
            (self.solution, lambda path: write_atomically(path, solution.dumps())),
            (self.html, lambda path: write_atomically(path, render_html(evaluation))),
            (self.csv, lambda path: write_atomically(path, render_csv(solution))),
        )


def _evaluated(state: State, solution: Any) -> Evaluation:
    found = evaluate(solution, state.formulation)
    return replace(found, infeasible_because=state.infeasible_because)
