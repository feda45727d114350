"""The pipeline of a job."""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...pipeline import Pipeline


def make_pipeline(name: str, formulation: str) -> "Pipeline":
    """Return a new pipeline.

    Parameters
    ----------
    name
        ``"MODULE:FUNCTION"`` that makes it.
    formulation
        What the function is called with.
    """
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)(formulation)


def set_parameters(pipeline: "Pipeline", parameters: Mapping[str, Any]) -> None:
    """Set parameters of a pipeline's stages, as ``{"ga.population": 8}``.

    Raises
    ------
    ValueError, TypeError
        For one that there is not, and for an impossible value.
    """
    for name, value in parameters.items():
        stage, _, parameter = name.partition(".")
        pipeline.set_params(**{f"{stage}__{parameter}": value})
