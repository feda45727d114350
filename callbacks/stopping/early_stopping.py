"""Ends a stage or the run when a value no longer improves."""

from collections.abc import Sequence
from typing import Any, Literal

from ..argument_error import ArgumentError, check_number
from ..callback import Callback, Logs
from ..expectation import Expectation
from ..monitor import Mode, Monitor, as_names, check_numbers, number_of, watched_stages

_STATE = ("wait", "best", "best_batch", "stopped_stage", "stopped_batch")


class EarlyStopping(Callback):
    """Ends a stage, or the run, when a value has stopped improving.

    It decides as Keras's callback of that name does on the same values, a
    stage's batches being the epochs; a batch without a value (the cost before
    the first solution) is passed over.

    The cost is that of the best solution so far, and one with fewer violations
    may cost more: watch a stage that begins with a feasible timetable. Where the
    value never comes, a warning at the stage's end says what the stage reports.

    Parameters
    ----------
    monitor
        The value to watch: ``"cost"``, ``"violations"`` or a stage's metric.
    min_delta
        Least change that counts as an improvement.
    patience
        Batches without improvement after which it ends: 0 and 1 both mean the
        first.
    mode
        ``"min"`` for a value that is to fall, ``"max"`` for one that is to
        rise, ``"auto"`` to tell by its name.
    baseline
        Value to reach: only what is better than this too renews the patience.
    start_from_batch
        Batches to wait before watching.
    stages
        Name or names of the stages to watch; None for all that report the value.
    scope
        ``"stage"``: every stage is watched anew, and ends alone.
        ``"pipeline"``: the batches of all of them are one sequence, and the run
        ends.

    Attributes
    ----------
    wait
        Batches since the last improvement.
    best, best_batch
        Best value so far and its batch; None before the first.
    stopped_stage, stopped_batch
        What it ended last; None if it has ended nothing.

    Raises
    ------
    ValueError
        For impossible arguments; at the beginning of a run, for a stage that it
        does not have or a value that none reports.
    """

    __module__ = "schoolbell.callbacks"

    def __init__(
        self,
        monitor: str = "cost",
        min_delta: float = 0,
        patience: int = 0,
        mode: Mode = "auto",
        baseline: float | None = None,
        start_from_batch: int = 0,
        stages: str | Sequence[str] | None = None,
        scope: Literal["stage", "pipeline"] = "stage",
    ) -> None:
        super().__init__()
        self._watch = Monitor.of(monitor, mode, min_delta)
        check_number("patience", patience, 0, "0 or more")
        check_number("start_from_batch", start_from_batch, 0, "0 or more")
        if baseline is not None:
            check_number("baseline", baseline, wanted="a number or None")
        if scope not in ("stage", "pipeline"):
            raise ArgumentError.of("scope", '"stage" or "pipeline"', scope)
        self.monitor = monitor
        self.min_delta = min_delta
        self.patience = patience
        self.mode: Mode = mode
        self.baseline = baseline
        self.start_from_batch = start_from_batch
        self.stages = as_names(stages)
        self.scope = scope
        self.stopped_stage: str | None = None
        self.stopped_batch: int | None = None
        self._watching = True
        self._stage: str | None = None
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.best: float | None = None
        self.best_batch: int | None = None
        # Batches of the sequence before those of the present stage.
        self._before = 0

    def check(self) -> None:
        watched_stages(self.params, self.stages, self.monitor)

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._watched = watched_stages(self.params, self.stages, self.monitor)
        self._expected = Expectation(
            "EarlyStopping", self.monitor, self.params, self._watched, self.stages
        )
        self.stopped_stage = self.stopped_batch = None
        self._stage = None
        self._reset()

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        self._watching = stage in self._watched
        self._expected.begin_stage()
        # The stage in which a resumed run goes on is known already.
        if self.scope == "stage" and stage != self._stage:
            self._reset()
        self._stage = stage

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._watching or logs is None:
            return
        value = number_of(logs.get(self.monitor))
        if value is None:
            return
        self._expected.came = True
        position = self._before + batch
        if position < self.start_from_batch:
            return
        self.wait += 1
        improves = self._watch.improves
        if improves(value, self.best):
            self.best, self.best_batch = value, batch
            if self.baseline is None or improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and position > 0:
            self._end(batch, logs)

    def _end(self, batch: int, logs: Logs) -> None:
        self.stopped_stage, self.stopped_batch = logs.get("stage"), batch
        if self.scope == "stage":
            self.pipeline.skip_stage()
        else:
            self.pipeline.stop(by="EarlyStopping")

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        if self.scope == "pipeline" and self._watching:
            self._before += (logs or {}).get("batches", 0)
        if self._watching:
            self._expected.end_stage(stage, logs or {})

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _STATE} | {
            "before": self._before,
            "stage": self._stage,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        check_numbers(state, ("wait", "best", "best_batch", "stopped_batch", "before"))
        for name in _STATE:
            setattr(self, name, state[name])
        self._before = state["before"]
        self._stage = state["stage"]
