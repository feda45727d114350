"""A parameter of a stage that a callback changes while the stage runs."""

from collections.abc import Mapping
from typing import Any

from ..argument_error import ArgumentError
from ..control import Control
from ..names import did_you_mean


def check_parameter_name(parameter: Any, stage: Any) -> None:
    """See that the names of a parameter and of its stage are texts."""
    if not isinstance(parameter, str):
        raise ArgumentError.of("parameter", "the name of a stage's parameter", parameter)
    if stage is not None and not isinstance(stage, str):
        raise ArgumentError.of("stage", "the name of a stage or None", stage)


class StageParameter:
    """One public parameter of one stage of a run.

    Parameters
    ----------
    parameter
        Its name.
    stage
        The stage's name; None for the only one that has such a parameter.
    pipeline, params
        The run, as its callbacks know it.

    Attributes
    ----------
    stage, key
        The stage's name, and the parameter's name in the pipeline:
        ``"ga__kempe"``.

    Raises
    ------
    ValueError
        Where there is no such stage or parameter, where several stages have it,
        and where it cannot change while the stage runs.
    """

    def __init__(
        self, parameter: str, stage: str | None, pipeline: Control, params: Mapping[str, Any]
    ) -> None:
        tunable = {one["name"]: one.get("tunable") for one in params.get("stages", ())}
        known = pipeline.get_params()
        if stage is not None and stage not in tunable:
            raise ArgumentError(
                f"there is no stage {stage!r}; there are {', '.join(tunable)}"
                f"{did_you_mean(stage, tunable)}"
            )
        having = [
            name
            for name in (tunable if stage is None else [stage])
            if f"{name}__{parameter}" in known
        ]
        if len(having) != 1:
            where = "several stages have" if having else "no stage has"
            own = [name.partition("__")[2] for name in known if name.startswith(f"{stage}__")]
            if stage is not None:
                where = f"stage {stage!r} has {', '.join(own) or 'no parameters'} and not"
            advice = f": name one of {', '.join(having)}" if having else ""
            if not having:
                close = own if stage else {name.partition("__")[2] for name in known}
                advice = did_you_mean(parameter, close)
            raise ArgumentError(f"{where} a parameter {parameter!r}{advice}")
        self.stage = having[0]
        self.key = f"{self.stage}__{parameter}"
        allowed = tunable[self.stage]
        if allowed is not None and parameter not in allowed:
            raise ArgumentError(
                f"parameter {parameter!r} of stage {self.stage!r} cannot change while it runs; "
                f"these can: {', '.join(allowed) or 'none'}"
            )
        self._pipeline = pipeline
        self._original = self.value

    @property
    def value(self) -> Any:
        """Its present value."""
        return self._pipeline.get_params()[self.key]

    def set(self, value: Any) -> None:
        """Set it; the stage refuses an impossible value with a ValueError."""
        self._pipeline.set_params(**{self.key: value})

    def reset(self) -> None:
        """Set it to what it was at the beginning, so that the next run begins alike."""
        if self.value != self._original:
            self.set(self._original)
