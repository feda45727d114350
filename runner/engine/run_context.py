"""What the parts of a run that goes on share."""

from dataclasses import dataclass, field

from ...callbacks import CallbackList, History, Logs
from ...stages import State
from ..progress.progress_tracker import ProgressTracker
from ..results.run import Run
from .stopwatch import Stopwatch
from .switchboard import Switchboard


@dataclass(slots=True)
class RunContext:
    """What the parts of a run that goes on share.

    Attributes
    ----------
    run
        What is known of the run so far, its history and its state among that.
    callbacks
        Who watches.
    tracker
        Where finished units are noted.
    board
        Where requests arrive.
    watch
        The run's clock.
    measured
        What callbacks have put into the logs of every batch; replaced, never changed,
        since other threads read it.
    """

    run: Run
    callbacks: CallbackList
    tracker: ProgressTracker
    board: Switchboard
    watch: Stopwatch
    measured: Logs = field(default_factory=dict)

    @property
    def history(self) -> History:
        """The run's own history, which gets the logs of a batch only when it is due."""
        return self.run.history

    @property
    def state(self) -> State:
        """What the stages share."""
        return self.run.state

    def best(self) -> tuple[float | None, int | None]:
        """Return cost and violations of the best solution so far; no violations of a problem
        that has none.
        """
        state = self.state
        return state.cost, state.violations if state.counts_violations else None

    def core_logs(self) -> Logs:
        """Return how far the run is, and with what."""
        cost, violations = self.best()
        return {
            "progress": self.tracker.work_progress,
            "elapsed": self.watch.elapsed(),
            "cost": cost,
            "violations": violations,
        }
