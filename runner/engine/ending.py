"""How a run ends, one that works and one that is replayed."""

import signal

from ...callbacks import Logs
from ...callbacks.plain_value import error_text
from ...callbacks.vocabulary import FAILED, INTERRUPTED, SKIPPED, STOPPED
from ..progress.progress_tracker import ProgressTracker
from ..results.run import Run
from .switchboard import Switchboard


def requested_stage_end(board: Switchboard) -> tuple[str, str | None] | None:
    """Return how the present stage ends by request, and who asked; None where nobody has."""
    if board.heeded:
        return INTERRUPTED, None
    if board.stopped_by is not None:
        return STOPPED, board.stopped_by
    return (SKIPPED, board.skipped_by) if board.skipping else None


def requested_run_end(board: Switchboard) -> tuple[str, str | None] | None:
    """Return the status that a run ends with by request, and who asked; None where nobody has."""
    if board.heeded:
        # An interruption without a name is Ctrl-C, or the stop button of a notebook.
        unnamed = board.signal is None or board.signal == signal.SIGINT
        return INTERRUPTED, None if unnamed else signal.Signals(board.signal).name
    return None if board.stopped_by is None else (STOPPED, board.stopped_by)


def end_run(
    run: Run,
    board: Switchboard,
    tracker: ProgressTracker,
    seconds: float,
    otherwise: tuple[str, str | None],
) -> None:
    """Note on a run, and on its tracker, that it is over.

    Parameters
    ----------
    run
        The run; with its exception where it has failed.
    board
        Where it was asked to end, if it was.
    tracker
        Its progress, with the best solution's cost and violations.
    seconds
        What it took.
    otherwise
        Status and who stopped it, where nothing failed and nobody asked.
    """
    if run.exception is not None:
        run.status, run.stopped_by = FAILED, None
    else:
        run.status, run.stopped_by = requested_run_end(board) or otherwise
    run.cost, run.violations = tracker.best
    run.seconds = seconds
    tracker.finish(run.status)


def end_logs(run: Run, tracker: ProgressTracker, stage: str | None) -> Logs:
    """Return the logs of a run's end.

    Parameters
    ----------
    run, tracker
        The run, as `end_run` has left it.
    stage
        The stage that began last; None if none has.
    """
    return {
        "status": run.status,
        "stopped_by": run.stopped_by,
        "stage": stage,
        "progress": tracker.work_progress,
        "elapsed": run.seconds,
        "cost": run.cost,
        "violations": run.violations,
        "error": None if run.exception is None else error_text(run.exception),
    }
