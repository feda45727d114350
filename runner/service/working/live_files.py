"""The newest best timetable, as files that a page can show while the run goes on."""

import json
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from ....callbacks import Callback, Logs
from ....callbacks.background.ticker import Ticker
from ....stages.files.atomic import write_atomically
from ...problems.solved_problem import SolvedProblem
from ..jobs.job import Job

_LOOK_SECONDS = 0.5
# What is drawn takes at most a twentieth of the time.
_LEAST_PART = 20
# Most single violations and costs that are told in words.
_MOST_DETAILS = 500


def _nothing() -> None:
    return None


class LiveFiles(Callback):
    """Writes the newest best timetable for the service's page, from a thread of its own.

    However large it is, that takes a twentieth of the time at most.

    Parameters
    ----------
    job
        The job.
    problem
        What is solved.
    """

    made_anew: ClassVar = {"_ticker": _nothing, "_solution": _nothing, "_written": _nothing}

    def __init__(self, job: Job, problem: SolvedProblem) -> None:
        super().__init__()
        self.job = job
        self.problem = problem
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
        write_timetable(self.job, self.problem, solution)
        self._written = solution
        self._due = now + _LEAST_PART * (time.monotonic() - now)


def write_timetable(
    job: Job, problem: SolvedProblem, solution: Any, infeasible_because: Sequence[str] = ()
) -> None:
    """Write a timetable as page, table and data; nothing where a solution is none.

    Parameters
    ----------
    job, problem
        Whose it is, and what was solved.
    solution
        What the run has found.
    infeasible_because
        Why no timetable can be feasible, as far as that is known.
    """
    if not isinstance(solution, problem.solution_type):
        return
    evaluation = problem.evaluate(solution, infeasible_because)
    findings = problem.findings(evaluation, _MOST_DETAILS)
    told = {name: findings[name] for name in ("details", "details_total")}
    view = {"kind": problem.kind, **problem.view(evaluation), **told}
    write_atomically(job.path("timetable"), json.dumps(view))
    write_atomically(job.findings, json.dumps(findings))
    problem.finalize(html=job.path("page"), csv=job.path("table")).write(evaluation)
