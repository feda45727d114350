"""Ends the run when a number is none."""

import math

from ..argument_error import ArgumentError
from ..callback import Callback, Logs, metrics_of
from ..expectation import Expectation
from ..monitor import number_of, watched_stages
from ..safe_warning import warn_safely


class TerminateOnNaN(Callback):
    """Ends the run when a value is NaN or infinite, with a warning that names it.

    Parameters
    ----------
    monitor
        The value to watch; None for the cost and every metric of every stage.

    Raises
    ------
    ValueError
        At the beginning of a run, for a value that no stage reports.
    """

    __module__ = "schoolbell.callbacks"

    def __init__(self, monitor: str | None = None) -> None:
        super().__init__()
        if monitor is not None and not isinstance(monitor, str):
            raise ArgumentError.of("monitor", "the name of a value of the logs, or None", monitor)
        self.monitor = monitor
        # Of the present stage; None where its batches are to tell them.
        self._names: list[str] | None = None
        self._expected: Expectation | None = None

    def check(self) -> None:
        watched_stages(self.params, None, self.monitor)

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        watched = watched_stages(self.params, None, self.monitor)
        self._expected = None
        if self.monitor is not None:
            self._expected = Expectation("TerminateOnNaN", self.monitor, self.params, watched, None)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        if self._expected is not None:
            self._expected.begin_stage()
        declared = {one["name"]: one["metrics"] for one in self.params.get("stages", ())}
        self._names = None
        if self.monitor is not None:
            self._names = [self.monitor]
        elif declared.get(stage, ()) is not None:
            self._names = ["cost", *declared.get(stage, ())]

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        if self._expected is not None:
            self._expected.end_stage(stage, logs or {})

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        values = logs or {}
        names = self._names
        if names is None:
            names = ["cost", *metrics_of(self.params, values.get("stage"), values)]
        for name in names:
            value = number_of(values.get(name))
            if value is not None and self._expected is not None:
                self._expected.came = True
            # A whole number is finite, however large; a text is no number at all.
            if isinstance(value, float) and not math.isfinite(value):
                where = f"batch {batch} of stage {values.get('stage')!r}"
                message = f"{name} is {value} in {where}: the run ends"
                warn_safely(message, stacklevel=2)
                self.pipeline.stop(by="TerminateOnNaN")
                return
