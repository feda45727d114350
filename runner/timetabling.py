"""The pipelines that make timetables."""

from collections.abc import Mapping
from typing import Any

from ..callbacks.names import did_you_mean
from ..stages import (
    CPSAT,
    Finalize,
    GeneticAlgorithm,
    Load,
    LouvainClustering,
    RLRepair,
    Stage,
)
from ..stages.timetable import Formulation
from .pipeline import Pipeline


def timetabling_pipeline(formulation: str | Formulation = "UD2", **options: Any) -> Pipeline:
    """Put together the six stages: load, clustering, cp_sat, ga, rl and finalize.

    Parameters
    ----------
    formulation
        The constraints that count and their weights, by name or as an object.
    **options
        Changes to the stages, by their names: ``ga__population=8`` sets one
        parameter, ``ga={"population": 8, "islands": 2}`` several, and ``ga=None``
        leaves the stage out.

    Returns
    -------
    Pipeline
        To be fitted to an `Instance` or to the path of one.

    Raises
    ------
    ValueError
        If there is no such stage or parameter, or a value is impossible.

    Examples
    --------
    >>> pipeline = timetabling_pipeline("UD3", finalize__html="week.html", rl=None)
    >>> [stage.name for stage in pipeline.stages]
    ['load', 'clustering', 'cp_sat', 'ga', 'finalize']
    >>> pipeline = timetabling_pipeline(ga={"population": 8, "islands": 2}, rl__episodes=100)
    >>> pipeline.get_params()["ga__population"]
    8
    """
    return _pipeline(
        (
            Load(formulation),
            LouvainClustering(),
            CPSAT(),
            GeneticAlgorithm(),
            RLRepair(),
            Finalize(),
        ),
        options,
    )


def university_pipeline(**options: Any) -> Pipeline:
    """Put together the six stages for a whole university: load, clustering, … finalize.

    Clusters are of classes, and smaller than those of courses: a class has many more
    options than a lecture.

    Parameters
    ----------
    **options
        Changes to the stages, as for `timetabling_pipeline`.

    Returns
    -------
    Pipeline
        To be fitted to a `schoolbell.stages.university.Instance` or to the path of one.

    Raises
    ------
    ValueError
        If there is no such stage or parameter, or a value is impossible.

    Examples
    --------
    >>> pipeline = university_pipeline(finalize__html="weeks.html", rl=None)
    >>> [stage.name for stage in pipeline.stages]
    ['load', 'clustering', 'cp_sat', 'ga', 'finalize']
    """
    # Here and not above: who makes a curriculum's timetable does not wait for it.
    from ..stages import FinalizeUniversity, LoadUniversity

    cp_sat = CPSAT(starts=1)
    # The search for a first timetable is part of it.
    cp_sat.time_share = 8.0
    return _pipeline(
        (
            LoadUniversity(),
            LouvainClustering(min_size=8, max_size=20),
            cp_sat,
            GeneticAlgorithm(
                population=3,
                islands=1,
                founder_moves=20_000,
                child_moves=15_000,
                founder_share=0.5,
                founder_temperature=3.0,
                final_temperature=0.17,
                reheats=(0.5, 0.25, 1.0),
                # Children are few: of the best.
                tournament=6,
            ),
            RLRepair(),
            FinalizeUniversity(),
        ),
        options,
    )


def _pipeline(all_stages: tuple[Stage, ...], options: Mapping[str, Any]) -> Pipeline:
    """Change stages by options, and leave some out."""
    stages = {stage.name: stage for stage in all_stages}
    left_out = set()
    for option, value in options.items():
        name, _, parameter = option.partition("__")
        if name not in stages:
            close = did_you_mean(name, stages)
            raise ValueError(f"there is no stage {name!r}; there are {', '.join(stages)}{close}")
        if parameter:
            stages[name].set_params(**{parameter: value})
        elif value is None:
            left_out.add(name)
        else:
            stages[name].set_params(**value)
    return Pipeline([stage for name, stage in stages.items() if name not in left_out])
