"""The last step of a pipeline: an independent evaluation, and the files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..batch import Batch
from ..budget import Budget
from ..files.check_writable import check_writable
from ..files.write_files import write_files
from ..pulse import Pulse
from ..stage import Stage
from ..state import State
from ..tasks.daemon_pool import DaemonPool
from ..tasks.waiting import wait_all

# What evaluating an item of a solution takes, and rendering and writing it.
EVALUATING, WRITING = 1e-5, 5e-5
LEAST_SECONDS = 0.02


class FinalizeStep(Stage):
    """Evaluates the best solution with the reference code and writes it.

    Parameters
    ----------
    solution, html, csv
        Paths of the files to write: the solution, a web page and a table; None for none.
    """

    name = "finalize"
    unit = "step"
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

    @abstractmethod
    def evaluator(self, state: State) -> Callable[[Any], Any]:
        """Return what counts violations and cost of a solution."""

    @abstractmethod
    def n_items(self, instance: Any) -> int:
        """Return how much there is to evaluate and to write."""

    @abstractmethod
    def writers(
        self, evaluation: Any
    ) -> Sequence[tuple[str | Path | None, Callable[[str | Path], object]]]:
        """Return for each file its path, None for none, and what writes it."""

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
        items = self.n_items(state.solution.instance)
        evaluating = self.evaluator(state), state.solution
        evaluation = yield from _to_its_end(budget, EVALUATING * items, *evaluating)
        _check(state, evaluation)
        state.evaluation = evaluation
        if steps > 1:
            if not budget.should_end:
                yield Batch(1, steps)
            state.files = yield from _to_its_end(budget, WRITING * items, self.write, evaluation)
        yield Batch(steps, steps)

    def expected_seconds(self, state: State, time_limit: float | None) -> float | None:
        """Return what evaluating and writing so much takes."""
        instance = getattr(state, "instance", None)
        if instance is None:
            return None
        files = sum(path is not None for path in self.get_params().values())
        return LEAST_SECONDS + (EVALUATING + WRITING * files) * self.n_items(instance)

    def restore(self, state: State, budget: Budget) -> Iterator[None]:
        """Evaluate again, and write the files where they are wanted now."""
        for _ in self.run(state, Budget()):
            yield None

    def write(self, evaluation: Any) -> list[Path]:
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
        return write_files(self.writers(evaluation))


def _check(state: State, evaluation: Any) -> None:
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
