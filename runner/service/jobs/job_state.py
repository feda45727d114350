"""Where jobs stand: what their folders, the queue and the runs' snapshots say together."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ....callbacks.remote.job_keys import JobKeys
from ....callbacks.remote.redis_connection import connect
from ....callbacks.vocabulary import FAILED, FINISHED, LOST, PAUSED, RUNNING, STOPPED
from ...watching.follower import read_hash
from .job import Job
from .lease import lease_key

if TYPE_CHECKING:
    from ..settings import Settings

QUEUED = "queued"

STATUSES = (QUEUED, RUNNING, PAUSED, FINISHED, STOPPED, FAILED, LOST)
"""What a job can be."""

ENDED = (FINISHED, STOPPED, FAILED, LOST)
"""What a job can be that has ended."""

_COPIED = ("progress", "message", "eta", "elapsed", "stage", "cost", "violations")


def newest_snapshot(settings: "Settings", job_id: str) -> dict[str, Any] | None:
    """Return the newest snapshot that Redis has of a job; None without one or without Redis."""
    from redis import RedisError

    with suppress(RedisError, OSError), connect(settings.redis) as client:
        texts: Any = client.hgetall(JobKeys(job_id, settings.prefix).snapshot)
        return asdict(read_hash(texts, "")) if texts else None
    return None


def describe(job: Job, snapshot: dict[str, Any] | None, leased: bool) -> dict[str, Any]:
    """Return a job as clients see it.

    Parameters
    ----------
    job
        The job.
    snapshot
        The newest snapshot of its run, as far as Redis has one.
    leased
        Whether a process works on it.
    """
    about, result = job.about, job.result
    attempts = job.attempts
    if result is not None:
        snapshot = result.get("snapshot") or snapshot
    status, why = _status(job, result, snapshot, leased)
    values = dict.fromkeys(_COPIED)
    values["progress"] = 0.0
    values |= {name: snapshot[name] for name in _COPIED if snapshot}
    if result is not None:
        values |= {"cost": result.get("cost"), "violations": result.get("violations"), "eta": None}
    return {
        "id": job.id,
        "name": about.get("name", ""),
        "owner": job.owner,
        "status": status,
        "why": why,
        "kind": job.kind,
        "formulation": job.formulation,
        "seed": about.get("seed"),
        "time_limit": about.get("time_limit"),
        "parameters": about.get("parameters") or {},
        "created_at": about.get("created_at"),
        "started_at": attempts[0]["began"] if attempts else None,
        "ended_at": None if result is None else result.get("ended_at"),
        "attempts": len(attempts),
        **values,
        "snapshot": snapshot,
        "files": job.files(),
        "fault": None if result is None else result.get("fault"),
    }


def _status(
    job: Job, result: dict[str, Any] | None, snapshot: dict[str, Any] | None, leased: bool
) -> tuple[str, str]:
    if result is not None:
        return result["status"], result.get("why", "")
    stopping = job.stop_asked is not None
    if leased:
        paused = snapshot is not None and snapshot["status"] == PAUSED
        return (PAUSED if paused else RUNNING), "it has been asked to stop" if stopping else ""
    if stopping:
        return QUEUED, "it has been asked to stop"
    if job.lost_attempts:
        return QUEUED, "its process ended without a result; it goes on from its backup"
    return QUEUED, "it waits for a worker"


def describe_all(client: Any, prefix: str, jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Return jobs as clients see them; the server is asked once for all that have not ended.

    Raises
    ------
    RedisError
        If the server cannot be asked.
    """
    open_ones = [job for job in jobs if job.result is None]
    answers: dict[str, tuple[dict[str, str], bool]] = {}
    if open_ones:
        pipe = client.pipeline(transaction=False)
        for job in open_ones:
            pipe.hgetall(JobKeys(job.id, prefix).snapshot)
            pipe.exists(lease_key(prefix, job.id))
        found = pipe.execute()
        pairs = zip(found[::2], found[1::2], strict=True)
        answers = {job.id: pair for job, pair in zip(open_ones, pairs, strict=True)}
    told = []
    for job in jobs:
        texts, leased = answers.get(job.id, ({}, False))
        snapshot = asdict(read_hash(texts, "")) if texts else None
        told.append(describe(job, snapshot, bool(leased)))
    return told
