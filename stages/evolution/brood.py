"""The individuals that are in the making at the same time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..plain_data import as_count, as_number
from ..problem import Breeding
from .annealing_job import AnnealingJob


class Origin(NamedTuple):
    """Where a child comes from.

    Attributes
    ----------
    island
        Its island.
    reheat
        Position of the temperature that it was reheated to.
    violations, cost
        Of its first parent.
    """

    island: int
    reheat: int
    violations: int
    cost: float


@dataclass
class Brood:
    """The anneals of one generation.

    Attributes
    ----------
    jobs
        The anneals.
    origins
        Of children, in the order of the jobs; none for founders.
    seconds
        What an anneal may take; None where its moves decide.
    before
        Violations and cost of the best solution when the anneals began.
    step
        Steps of the generation that are done.
    """

    jobs: list[AnnealingJob] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    seconds: float | None = None
    before: tuple[float, float] = (float("inf"), float("inf"))
    step: int = 0

    def state_dict(self, anneals: list[Any]) -> dict[str, Any]:
        """Return where the anneals are, as plain data."""
        known = self.before[0] < float("inf")
        return {
            "jobs": [job.state_dict(one) for job, one in zip(self.jobs, anneals, strict=True)],
            "origins": [tuple(origin) for origin in self.origins],
            "seconds": self.seconds,
            "before": tuple(self.before) if known else None,
            "step": self.step,
        }

    @classmethod
    def of_state(
        cls,
        breeding: Breeding,
        state: dict[str, Any],
        moves_per_second: float,
        clock: Callable[[], float],
        islands: int,
        reheats: int,
    ) -> "Brood":
        """Go on where a brood was.

        Raises
        ------
        ValueError
            For what cannot be one of the problem.
        """
        jobs = [
            AnnealingJob.of_state(breeding, one, moves_per_second, clock) for one in state["jobs"]
        ]
        origins = [
            Origin(as_count(island), as_count(reheat), as_count(violations), as_number(cost))
            for island, reheat, violations, cost in state["origins"]
        ]
        if origins and len(origins) != len(jobs):
            raise ValueError(f"{len(origins)} origins of {len(jobs)} children")
        if any(one.island >= islands or one.reheat >= reheats for one in origins):
            raise ValueError(f"there are {islands} islands and {reheats} reheats, got {origins}")
        brood = cls(jobs, origins, step=as_count(state["step"]))
        if state["seconds"] is not None:
            brood.seconds = float(as_number(state["seconds"], least=0))
        if state["before"] is not None:
            violations, cost = map(as_number, state["before"])
            brood.before = violations, cost
        return brood
