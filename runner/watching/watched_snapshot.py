"""Where a run stands, as a watcher sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...callbacks import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSnapshot(Snapshot):
    """A snapshot of a run that somebody else runs.

    Attributes
    ----------
    job_id
        The run.
    id
        Where the stream of events has been read to: give it to `watch` or
        `awatch` to go on from there. Empty where nothing is in the stream.
    event
        What happened: ``"snapshot"``, ``"pipeline_begin"``, ``"stage_begin"``,
        ``"stage_end"``, ``"pipeline_end"``.
    seq
        Counts the run's snapshots and events.
    outcome
        How the run ended: its status with the reason, as in ``"stopped by
        a command"``, or ``"lost"`` when it gives no sign of life; empty while it
        goes on.
    pipeline
        What the pipeline is called; empty for no name.
    stages
        The run's stages as far as is known now: dicts of ``name``, ``label``,
        ``unit``, ``metrics``, ``start`` and ``end``, and when a stage has ended
        of ``done``, ``total``, ``seconds``, ``cost``, ``violations`` and
        ``ended_by`` and ``stopped_by``.
    logs
        What came with the event: the logs of its hook, or of the newest batch.
    batch
        Number of that batch in its stage; None before the first.
    started_at, updated_at
        Seconds since 1970, by the run's clock.
    """

    __module__ = "schoolbell.runner"

    job_id: str
    id: str
    event: str
    seq: int
    outcome: str
    pipeline: str
    stages: Sequence[Mapping[str, Any]] = field(repr=False)
    logs: Mapping[str, Any] = field(repr=False)
    batch: int | None
    started_at: float
    updated_at: float
