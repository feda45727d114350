"""Sets a stage's parameter batch by batch."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from ..argument_error import ArgumentError
from ..callback import Callback, Logs, nothing
from .stage_parameter import StageParameter, check_parameter_name


class BatchScheduler(Callback):
    """Sets a stage's parameter before each of its batches, as a function of the batch.

    What `LearningRateScheduler` is in Keras. After the run the parameter is set
    back, so that another run begins alike.

    Parameters
    ----------
    parameter
        Name of the parameter; it must be one that may change while the stage
        runs, see `Stage.tunable`.
    schedule
        Called with the batch, from 0, and the present value, or with the batch
        alone if it takes one argument; returns the new value.
    stage
        The stage's name; None for the only one that has such a parameter.

    Raises
    ------
    TypeError
        For a schedule that cannot be called.
    ValueError
        At the beginning of a run, for a parameter or stage that does not exist
        or cannot change; during it, for a value that the stage refuses.

    Examples
    --------
    >>> callback = BatchScheduler("kempe", lambda batch: 0.02 if batch < 10 else 0.1, stage="ga")
    >>> callback.schedule(3), callback.schedule(30)
    (0.02, 0.1)
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {"_target": nothing}

    def __init__(
        self, parameter: str, schedule: Callable[..., Any], stage: str | None = None
    ) -> None:
        super().__init__()
        check_parameter_name(parameter, stage)
        if not callable(schedule):
            raise ArgumentError.of("schedule", "callable", schedule)
        self.parameter = parameter
        self.schedule = schedule
        self.stage = stage
        self._takes_value = _takes_two(schedule)
        self._target: StageParameter | None = None

    def check(self) -> None:
        StageParameter(self.parameter, self.stage, self.pipeline, self.params)

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._target = StageParameter(self.parameter, self.stage, self.pipeline, self.params)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        target = self._target
        if target is None or logs is None or logs["stage"] != target.stage:
            return
        present = target.value
        new = self.schedule(batch, present) if self._takes_value else self.schedule(batch)
        if new != present:
            target.set(new)

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        if self._target is not None:
            self._target.reset()
            self._target = None


def _takes_two(schedule: Callable[..., Any]) -> bool:
    try:
        inspect.signature(schedule).bind(0, 0)
    except TypeError:
        return False
    except ValueError:
        # Of a function written in C nothing is known.
        return True
    return True
