"""Where a run stands at one moment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where a run stands at one moment: numbers and words, ready to show or send.

    Attributes
    ----------
    status
        ``"running"``, ``"paused"``, or how it ended: ``"finished"``,
        ``"stopped"``, ``"interrupted"``, ``"failed"``.
    stage, unit
        The present stage and what its units are called; None before the first.
    done, total
        Its units: finished, and in all (None while not known).
    message
        For people: ``"Clustering: 30/100"``.
    stage_progress, progress
        Smooth progress of the stage and of the whole run, 0 to 1.
    eta
        Seconds left of the whole run, None while they cannot be told.
    elapsed
        Seconds since the run began, pauses not counted.
    cost, violations
        Of the best so far; None before the first solution.
    """

    __module__ = "schoolbell.callbacks"

    status: str
    stage: str | None
    unit: str | None
    done: int
    total: int | None
    message: str
    stage_progress: float
    progress: float
    eta: float | None
    elapsed: float
    cost: float | None
    violations: int | None


def own_message(snapshot: Snapshot) -> str | None:
    """Return what the stage said itself of the unit in hand; None where its units are counted."""
    count = f"{snapshot.done}" + ("" if snapshot.total is None else f"/{snapshot.total}")
    if snapshot.stage is None or snapshot.message.endswith(f": {count}"):
        return None
    return snapshot.message
