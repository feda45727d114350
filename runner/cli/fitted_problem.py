"""What ``schoolbell fit`` needs to know of a problem: the two kinds that it solves."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ...stages.steps.finalize_step import FinalizeStep
from ..pipeline import Pipeline
from ..results.run import Run
from ..timetabling import timetabling_pipeline, university_pipeline


@dataclass(frozen=True)
class FittedProblem:
    """A kind of problem, with the options of the command that concern it.

    Attributes
    ----------
    read
        Reads an instance, and refuses one that no run can take.
    pipeline
        Makes the pipeline.
    finalize
        The class of its last stage.
    evaluate
        Counts violations and cost of a run's solution.
    solution_suffix
        How the file of a solution ends.
    """

    read: Callable[[str | os.PathLike[str]], Any]
    pipeline: Callable[[], Pipeline]
    finalize: type[FinalizeStep]
    evaluate: Callable[[Run], Any]
    solution_suffix: str

    @classmethod
    def timetable(cls, formulation: str) -> FittedProblem:
        """Return a curriculum's timetable under a formulation."""
        from ...stages import Finalize
        from ...stages.timetable import Instance, evaluate
        from ...stages.timetable.model.limits import check_timeslots

        def read(path: str | os.PathLike[str]) -> Instance:
            instance = Instance.read(path)
            check_timeslots(instance)
            return instance

        def evaluated(run: Run) -> Any:
            found = evaluate(run.solution, formulation)
            return replace(found, infeasible_because=run.infeasible_because)

        return cls(
            read,
            lambda: timetabling_pipeline(formulation),
            Finalize,
            evaluated,
            ".sol",
        )

    @classmethod
    def university(cls) -> FittedProblem:
        """Return a whole university."""
        from ...stages import FinalizeUniversity
        from ...stages.university import Instance, evaluate

        return cls(
            Instance.read,
            university_pipeline,
            FinalizeUniversity,
            lambda run: evaluate(run.solution),
            ".xml",
        )
