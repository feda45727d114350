"""The last stage: an independent evaluation, and the files."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...batch import Batch
from ...budget import Budget
from ...files.atomic import write_atomically
from ...files.check_writable import check_writable
from ...files.write_files import write_files
from ...pulse import Pulse
from ...stage import Stage
from ...state import State
from ...tasks.daemon_pool import DaemonPool
from ...tasks.waiting import wait_all
from ..cost.evaluation import Evaluation, evaluate
from ..views.rendering import render_csv, render_html

# What evaluating a lecture takes, and rendering and writing it.
EVALUATING, WRITING = 1e-5, 5e-5
LEAST_SECONDS = 0.02


class Finalize(Stage):
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

    name = "finalize"
    unit = "step"
    needs = ("formulation",)
    leaves = ("evaluation", "files")
    share = 3.0
    time_share = 0.5
    label = "Finalizing"
    tunable = ()
    brief = True
    incidental = ("solution", "html", "csv")

    def __init__(
        self,
        solution: str | Path | None = None,
        html: str | Path | None = None,
        csv: str | Path | None = None,
    ) -> None:
        self.solution = solution
        self.html = html
        self.csv = csv

    def check(self) -> None:
        """See that the files can be written."""
        for path in self.get_params().values():
            if path is not None:
                check_writable(Path(path))

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        """Evaluate and write; both go to their end even when the stage is closed."""
        if state.solution is None:
            return
        steps = 1 + any(path is not None for path in self.get_params().values())
        # Past its time, the stage would be closed at a yield, before it has written.
        if not budget.should_end:
            yield Pulse(0.0, total=steps)
        lectures = len(state.solution.courses)
        evaluation = yield from _to_its_end(
            budget, EVALUATING * lectures, evaluate, state.solution, state.formulation
        )
        _check(state, evaluation)
        evaluation = replace(evaluation, infeasible_because=state.infeasible_because)
        state.evaluation = evaluation
        if steps > 1:
            if not budget.should_end:
                yield Batch(1, steps)
            state.files = yield from _to_its_end(budget, WRITING * lectures, self.write, evaluation)
        yield Batch(steps, steps)

    def expected_seconds(self, state: State, time_limit: float | None) -> float | None:
        """Return what evaluating and writing so many lectures takes."""
        instance = getattr(state, "instance", None)
        if instance is None:
            return None
        files = sum(path is not None for path in self.get_params().values())
        return LEAST_SECONDS + (EVALUATING + WRITING * files) * instance.n_lectures

    def restore(self, state: State, budget: Budget) -> Iterator[None]:
        """Evaluate again, and write the files where they are wanted now."""
        for _ in self.run(state, Budget()):
            yield None

    def write(self, evaluation: Evaluation) -> list[Path]:
        """Write the files whose paths were given; none is ever seen half-written.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        OSError
            If a file cannot be written; all that can be are, and notes tell of
            the others.
        """
        solution = evaluation.solution
        return write_files(
            (
                (self.solution, lambda path: write_atomically(path, solution.dumps())),
                (self.html, lambda path: write_atomically(path, render_html(evaluation))),
                (self.csv, lambda path: write_atomically(path, render_csv(solution))),
            )
        )


def _check(state: State, evaluation: Evaluation) -> None:
    searched = (state.violations, state.cost)
    counted = (evaluation.violations, evaluation.cost)
    if searched != counted:
        raise RuntimeError(
            f"the search reports {searched[0]} violations and cost {searched[1]}, "
            f"the reference evaluation {counted[0]} violations and cost {counted[1]}"
        )


def _to_its_end(
    budget: Budget, expected: float, function: Callable[..., Any], *arguments: Any
) -> Generator[Pulse | None, None, Any]:
    """Run a function aside and yield pulses while the stage has time; return its result.

    Past its time there are none, since the stage would be closed at one.
    """
    with DaemonPool(1) as pool:
        task = pool.submit(function, *arguments)
        for beat in wait_all([task], expected):
            if budget.should_end:
                break
            yield beat
        return task.result()
