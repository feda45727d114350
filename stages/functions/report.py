"""What a function that is a stage is given."""

import threading
from collections.abc import Callable
from typing import Any

from ..batch import Batch
from ..budget import Budget
from ..pulse import Pulse
from ..state import State
from .offering import offer
from .stage_ended import StageEnded

# Seconds to wait for a report that is under way when its stage is over.
_PATIENCE = 0.1


class Report:
    """Tells the runner how far a function is, and the function whether to end.

    An `as_stage` function is called with one. A call of it is the end of a unit: it
    returns when the runner has called the hooks, has saved the run if that was due, and
    is not paused any more. It may be called from any thread that the function starts.

    Parameters
    ----------
    state, budget
        The stage's.
    take
        Takes a `Batch` or a `Pulse`.
    saved
        What the function of the run that goes on had kept here.
    done, total
        Where the stage stands.

    Attributes
    ----------
    state
        The problem, the best solution so far, and what the stages leave for each other.
    budget
        What the stage may spend: ``report.budget.remaining``.
    saved
        A dict for what the function needs to go on after a kill: a backup holds it as it
        was at a report, and in a run that is resumed it is there again. Empty at first.
    """

    __module__ = "schoolbell.stages"

    def __init__(
        self,
        state: State,
        budget: Budget,
        take: Callable[[Batch | Pulse], object],
        saved: dict[str, Any] | None = None,
        done: Any = 0,
        total: Any = None,
    ) -> None:
        self.state = state
        self.budget = budget
        self.saved: dict[str, Any] = {} if saved is None else saved
        self._take = take
        self._done = done
        self._total = total
        self._lock = threading.Lock()
        self._ends_itself = False
        self._offered = False
        self._over = False
        self._closed = False

    def __call__(
        self,
        done: Any = None,
        total: Any = None,
        *,
        cost: Any = None,
        solution: Any = None,
        violations: Any = None,
        **logs: Any,
    ) -> bool:
        """Report that a unit is finished.

        Parameters
        ----------
        done
            Units finished so far; one more than before by default.
        total
            Units in all; what it was before by default.
        cost
            Of a solution that was found, which becomes the best one if it is better.
        solution
            That solution, of which a copy is kept where it can be copied. Without one, the
            run knows the best cost alone.
        violations
            The solution's; 0 by default.
        logs
            Metrics, always the same ones.

        Returns
        -------
        bool
            True: please end. Only to a function that has called `on_end`.

        Raises
        ------
        StageEnded
            When the stage has ended or should end, to a function that has not.
        TypeError
            For a solution or violations without a cost.
        ValueError
            For a cost alone where an earlier stage has left a solution, which it would
            take the place of.
        """
        with self._lock:
            if not self._closed:
                self._offer(cost, solution, violations)
                counted = done is None
                self._done = self._done + 1 if counted else done
                if total is not None:
                    self._total = total
                elif counted and self._total is not None and self._done > self._total:
                    # More than was expected is no reason to fail.
                    self._total = None
                self._take(Batch(self._done, self._total, logs or None))
        return self._answer()

    def pulse(
        self, part: float | None = None, message: str | None = None, total: int | None = None
    ) -> bool:
        """Report from the midst of a unit how much of it is done; arguments as for `Pulse`.

        Returns and raises what a report at the end of a unit does.
        """
        with self._lock:
            if not self._closed:
                if total is not None:
                    self._total = total
                self._take(Pulse(part, message, total))
        return self._answer()

    def on_end(self, function: Callable[[], object]) -> Callable[[], object]:
        """Have a function called as soon as the stage ends or should end: ``solver.stop``.

        From then on a report raises nothing, but returns True when it is time to end.

        Parameters
        ----------
        function
            Called once without arguments, in whichever thread ends the stage, unless the
            stage's own function has ended before: it should return at once. What it
            raises is warned of.

        Returns
        -------
        callable
            The function.
        """
        self._ends_itself = True
        self._call_at_end(function)
        return function

    @property
    def should_end(self) -> bool:
        """Whether the stage has ended or should end."""
        return self._closed or self.budget.should_end

    @property
    def place(self) -> tuple[Any, Any]:
        """Units done, and units in all."""
        return self._done, self._total

    @property
    def ends_itself(self) -> bool:
        """Whether the function has said how it is to be told of the end."""
        return self._ends_itself

    def _call_at_end(self, function: Callable[[], object]) -> None:
        self.budget.on_end(lambda: None if self._over else function())

    def _finish(self) -> None:
        """Take note that the function has ended: nobody need tell it to."""
        self._over = True

    def _close(self) -> None:
        """Take nothing any more."""
        # Not for ever: a report that hangs must not hold up the end.
        held = self._lock.acquire(timeout=_PATIENCE)
        self._closed = True
        if held:
            self._lock.release()

    def _offer(self, cost: Any, solution: Any, violations: Any) -> None:
        if cost is not None:
            if solution is None and self.state.solution is not None and not self._offered:
                raise ValueError(
                    "a cost was reported without its solution, though a stage before has left "
                    "one, which must not be lost: report the solution too, or the number under "
                    "another name than cost"
                )
            self._offered = True
        offer(self.state, cost, solution, violations)

    def _answer(self) -> bool:
        if not self.should_end:
            return False
        if self._ends_itself:
            return True
        raise StageEnded
