"""The pipeline of a job."""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....callbacks.argument_error import ArgumentError
from ...config.run_config import settings

if TYPE_CHECKING:
    from ...pipeline import Pipeline
    from ...problems.solved_problem import SolvedProblem


def make_pipeline(makers: Mapping[str, str], problem: "SolvedProblem") -> "Pipeline":
    """Return a new pipeline.

    Parameters
    ----------
    makers
        ``"MODULE:FUNCTION"`` that makes it, for each kind of problem.
    problem
        What is to be solved; the function is called with its `arguments`.
    """
    module, _, function = makers[problem.kind].partition(":")
    return getattr(importlib.import_module(module), function)(*problem.arguments)


def set_parameters(pipeline: "Pipeline", parameters: Mapping[str, Any]) -> None:
    """Set parameters of a pipeline's stages, as ``{"ga.population": 8}``.

    Raises
    ------
    ValueError, TypeError
        For one that there is not, and for an impossible value; also for one that stands
        for an option of the run itself, or for a file of the machine.
    """
    stages = {stage.name: stage for stage in pipeline.stages}
    for name, value in parameters.items():
        stage, _, parameter = name.partition(".")
        one = stages.get(stage)
        if one is not None and parameter in one.get_params() and parameter not in settings(one):
            known = ", ".join(settings(one)) or "none"
            raise ArgumentError(
                f"parameters must not set {name}, which is no setting of the search; of stage "
                f"{stage} they may set: {known}"
            )
        pipeline.set_params(**{f"{stage}__{parameter}": value})
