"""What one run is asked to do."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Literal

from ...stages import Stage
from ..progress.progress_tracker import Follow
from ..progress.stage_timing import StageTiming

Goal = Literal["min", "max"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """What one run is asked to do, as `Pipeline.fit` has checked it.

    Attributes
    ----------
    stages
        The stages, in order.
    problem, initial
        What the stages find in the state.
    job_id, seed, time_limit, workers, executor
        As for `Pipeline.fit`.
    timings
        What stages took in earlier runs, by name.
    shares
        What the stages' parts of the progress follow.
    goal
        Whether a lower cost is better, or a higher one.
    """

    stages: Sequence[Stage]
    problem: Any
    initial: Any
    job_id: str
    seed: int
    time_limit: float | None
    workers: int
    executor: Executor
    timings: Mapping[str, StageTiming] = field(default_factory=dict)
    shares: Follow = "time"
    goal: Goal = "min"
