"""Results of jobs that no run has told."""

from typing import Any

from ....callbacks.vocabulary import FAILED, LOST, STOPPED
from ..settings import Settings
from .fault import fault_of
from .job import Job
from .job_state import newest_snapshot

_MOST_LETTERS = 1_000


def stopped_result(settings: Settings, job: Job) -> dict[str, Any]:
    """Return the result of a job that is to stop and has no process."""
    began = any(job.attempts)
    why = job.stop_why if began else f"{job.stop_why} before it began"
    return _without_run(settings, job, STOPPED, why)


def lost_result(settings: Settings, job: Job) -> dict[str, Any]:
    """Return the result of a job whose processes have ended too often."""
    count = job.lost_attempts
    why = f"its process ended {count} times without a result, most likely for want of memory"
    return _without_run(settings, job, LOST, why)


def _without_run(settings: Settings, job: Job, status: str, why: str) -> dict[str, Any]:
    snapshot = newest_snapshot(settings, job.id)
    known = snapshot or {}
    return {
        "status": status,
        "why": why,
        "cost": known.get("cost"),
        "violations": known.get("violations"),
        "seconds": known.get("elapsed"),
        "attempt": len(job.attempts),
        "snapshot": snapshot,
    }


def failed_result(error: BaseException) -> dict[str, Any]:
    """Return the result of a job that could not begin, in the words of the error."""
    fault = fault_of(error)
    return {"status": FAILED, "why": fault["detail"][:_MOST_LETTERS], "fault": fault}
