"""Changes a stage's parameter when a value no longer improves."""

import math
from typing import Any, ClassVar

from ..argument_error import ArgumentError, check_number
from ..callback import Callback, Logs, nothing
from ..expectation import Expectation
from ..monitor import Mode, Monitor, check_numbers, number_of, watched_stages
from ..safe_warning import warn_safely
from .stage_parameter import StageParameter, check_parameter_name

_STATE = ("wait", "best", "cooldown_counter")


class AdjustOnPlateau(Callback):
    """Multiplies a stage's parameter by a factor when a value has stopped improving.

    It decides as Keras's ``ReduceLROnPlateau`` does on the same values, a
    stage's batches being the epochs; but the factor may be above 1 too. After
    the run the parameter is set back, so that another run begins alike.

    Parameters
    ----------
    parameter
        Name of a number among the stage's parameters; it must be one that may
        change while the stage runs, see `Stage.tunable`. A whole number stays
        whole: it is rounded away from what it was.
    factor
        What to multiply it by: above 0 and not 1.
    patience
        Batches without improvement after which to do so.
    monitor, mode, min_delta
        As for `EarlyStopping`.
    cooldown
        Batches after a change in which none are counted.
    min_value, max_value
        Where it stops.
    stage
        The stage's name; None for the only one that has such a parameter.

    Attributes
    ----------
    wait
        Batches counted since the last improvement or change.
    best
        Best value so far; None before the first.

    Raises
    ------
    ValueError
        For impossible arguments; at the beginning of a run, for a parameter or
        stage that does not exist or cannot change, or a value that the stage
        does not report.
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {"_target": nothing}

    def __init__(
        self,
        parameter: str,
        factor: float = 0.1,
        patience: int = 10,
        monitor: str = "cost",
        mode: Mode = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_value: float = 0.0,
        max_value: float = math.inf,
        stage: str | None = None,
    ) -> None:
        super().__init__()
        check_parameter_name(parameter, stage)
        check_number("factor", factor, 0, "above 0 and not 1")
        if not 0 < factor < math.inf or factor == 1:
            raise ArgumentError.of("factor", "above 0 and not 1", factor)
        for name, number in (("patience", patience), ("cooldown", cooldown)):
            check_number(name, number, 0, "0 or more")
        for name, number in (("min_value", min_value), ("max_value", max_value)):
            check_number(name, number)
        if not min_value <= max_value:
            raise ValueError(f"min_value {min_value!r} is above max_value {max_value!r}")
        self._given = self._watch = Monitor.of(monitor, mode, min_delta)
        self.parameter = parameter
        self.factor = factor
        self.patience = patience
        self.monitor = monitor
        self.mode: Mode = mode
        self.min_delta = min_delta
        self.cooldown = cooldown
        self.min_value = min_value
        self.max_value = max_value
        self.stage = stage
        self._target: StageParameter | None = None
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.best: float | None = None
        self.cooldown_counter = 0
        self._exhausted = False

    def check(self) -> None:
        self._find_target()

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._target = self._find_target()
        self._watch = self._given.towards(self.params.get("goal"))
        self._reset()

    def _find_target(self) -> StageParameter:
        target = StageParameter(self.parameter, self.stage, self.pipeline, self.params)
        watched = watched_stages(self.params, [target.stage], self.monitor)
        if isinstance(target.value, bool) or not isinstance(target.value, int | float):
            raise ArgumentError(f"{target.key} is {target.value!r} and no number to be multiplied")
        self._expected = Expectation("AdjustOnPlateau", self.monitor, self.params, watched, watched)
        return target

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        target = self._target
        if target is None or logs is None or logs["stage"] != target.stage:
            return
        value = number_of(logs.get(self.monitor))
        if value is None:
            return
        self._expected.came = True
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._watch.improves(value, self.best):
            self.best = value
            self.wait = 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            if self.wait >= self.patience and self._adjust(target):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _adjust(self, target: StageParameter) -> bool:
        """Change the parameter, unless it has come to its end."""
        if self._exhausted:
            return False
        present = target.value
        if self.factor < 1:
            new = max(present * self.factor, self.min_value)
            new = math.floor(new) if isinstance(present, int) else new
            changes = self.min_value < present and new < present
        else:
            new = min(present * self.factor, self.max_value)
            new = math.ceil(new) if isinstance(present, int) else new
            changes = present < self.max_value and new > present
        if not changes:
            return False
        try:
            target.set(new)
        except ValueError as error:
            # The end of the parameter's own range is no reason to end a run.
            message = f"{target.key} stays {present!r}: {error}"
            warn_safely(message, stacklevel=2)
            self._exhausted = True
            return False
        return True

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        if self._target is not None and stage == self._target.stage:
            self._expected.end_stage(stage, logs or {})

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        if self._target is not None:
            self._target.restore()
            self._target = None

    def state_dict(self) -> dict[str, Any]:
        value = None if self._target is None else self._target.value
        return {name: getattr(self, name) for name in _STATE} | {"value": value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        check_numbers(state, _STATE)
        for name in _STATE:
            setattr(self, name, state[name])
        if self._target is not None and state["value"] is not None:
            self._target.set(state["value"])
