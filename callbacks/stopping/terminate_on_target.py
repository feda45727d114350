"""Ends the run when the timetable is good enough."""

from typing import Any

from ..argument_error import check_number
from ..callback import Callback, Logs
from ..vocabulary import MAX


class TerminateOnTarget(Callback):
    """Ends the run at the first solution that is good enough.

    Parameters
    ----------
    cost
        The run ends when the best solution costs no more than this, or no less
        where the pipeline's goal is ``"max"``,
    violations
        and violates no more hard constraints than this.
    """

    __module__ = "schoolbell.callbacks"

    def __init__(self, cost: float = 0.0, violations: int = 0) -> None:
        super().__init__()
        for name, value in (("cost", cost), ("violations", violations)):
            check_number(name, value)
        self.cost = cost
        self.violations = violations

    def on_solution(self, solution: Any, logs: Logs | None = None) -> None:
        best = logs or {}
        cost, violations = best.get("cost"), best.get("violations")
        if cost is None or (violations or 0) > self.violations:
            return
        rising = self.params.get("goal") == MAX
        if cost >= self.cost if rising else cost <= self.cost:
            self.pipeline.stop(by=type(self).__name__)
