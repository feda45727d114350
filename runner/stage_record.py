"""How one stage of a run went."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageRecord:
    """How one stage of a run went.

    Attributes
    ----------
    name, unit
        The stage, and what its units are called.
    done, total
        Units it finished, and those it meant to do in all (None if unknown).
    seconds
        What it took, pauses not counted.
    cost, violations
        Of the best solution when it ended; None before the first.
    ended_by
        ``"finished"``, ``"time"``, ``"optimal"``, ``"skipped"``, ``"stopped"``,
        ``"interrupted"`` or ``"failed"``.
    began
        When it began, in seconds of the run.
    budget
        Seconds that it was allowed; None without a limit.
    """

    name: str
    unit: str
    done: int
    total: int | None
    seconds: float
    cost: float | None
    violations: int | None
    ended_by: str
    began: float = 0.0
    budget: float | None = None
