"""A job, as a client sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from ....callbacks.vocabulary import FAILED, FINISHED, LOST, STOPPED

ENDED = (FINISHED, STOPPED, FAILED, LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceJob:
    """A job of a service at one moment.

    Attributes
    ----------
    id, name, owner
        What it is called, and whose it is.
    status
        ``"queued"``, ``"running"``, ``"paused"``, ``"finished"``, ``"stopped"``,
        ``"failed"`` or ``"lost"``.
    why
        What the status does not say, in words.
    kind
        What is solved: ``"timetable"`` or ``"university"``.
    formulation, seed, time_limit, parameters
        What was asked for; no formulation for a university.
    created_at, started_at, ended_at
        Seconds since 1970; None where that is yet to come.
    attempts
        How many processes have worked on it.
    progress, message, eta, elapsed, stage, cost, violations
        Where its run stands, as in a `WatchedSnapshot`.
    files
        The names of the files that can be fetched.
    fault
        What is wrong with what was given, where it failed for that.
    """

    id: str
    name: str
    owner: str
    status: str
    why: str
    kind: str
    formulation: str | None
    seed: int
    time_limit: float | None
    parameters: Mapping[str, Any] = field(repr=False)
    created_at: float
    started_at: float | None
    ended_at: float | None
    attempts: int
    progress: float
    message: str | None
    eta: float | None
    elapsed: float | None
    stage: str | None
    cost: float | None
    violations: int | None
    files: Sequence[str] = field(repr=False)
    fault: Mapping[str, Any] | None

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.status in ENDED

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Make one of what a service says; what else it says is left out."""
        known: dict[str, Any] = {one.name: values.get(one.name) for one in fields(cls)}
        return cls(**known)
