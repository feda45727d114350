"""Ends the run when a number is none."""

import math
import warnings

from .argument_error import ArgumentError
from .callback import Callback, Logs
from .monitor import watched_stages


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

    def __init__(self, monitor: str | None = None) -> None:
        super().__init__()
        if monitor is not None and not isinstance(monitor, str):
            raise ArgumentError.of("monitor", "the name of a value of the logs, or None", monitor)
        self.monitor = monitor
        self._names: tuple[str, ...] = ("cost",) if monitor is None else (monitor,)

    def check(self) -> None:
        watched_stages(self.params, None, self.monitor)

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        watched_stages(self.params, None, self.monitor)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        if self.monitor is None:
            metrics = {one["name"]: one["metrics"] for one in self.params.get("stages", ())}
            self._names = ("cost", *metrics.get(stage, ()))

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        values = logs or {}
        for name in self._names:
            value = values.get(name)
            # A whole number is finite, however large; a text is no number at all.
            if isinstance(value, float) and not math.isfinite(value):
                where = f"batch {batch} of stage {values.get('stage')!r}"
                message = f"{name} is {value} in {where}: the run ends"
                warnings.warn(message, RuntimeWarning, stacklevel=2)
                self.pipeline.stop(by="TerminateOnNaN")
                return
