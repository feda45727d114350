"""Ends a stage or the run when a value no longer improves."""

import math
import threading
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from ..argument_error import ArgumentError, check_number
from ..callback import Callback, Logs
from ..expectation import Expectation
from ..monitor import Mode, Monitor, as_names, check_numbers, number_of, watched_stages

_STATE = ("wait", "best", "best_batch", "stopped_stage", "stopped_batch")
# What the logs of a new best hold too, which may come between two batches.
_OF_SOLUTIONS = ("cost", "violations")
# Longest wait at once for the end of the patience: a thread cannot wait for years.
_LONGEST_WAIT = 60.0


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
        first. With `seconds`, 0 means that batches are not counted.
    mode
        ``"min"`` for a value that is to fall, ``"max"`` for one that is to
        rise, ``"auto"`` to tell by its name: the cost is to become what the
        pipeline's goal is, an accuracy, a score or a hypervolume is to rise, a
        loss or an error to fall.
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
    seconds
        Seconds without improvement after which it ends, whichever comes first;
        None for batches alone. They are counted from the beginning of what is
        watched, pauses left out, and looked at between batches too: a stage that
        gives no sign is asked to end (`Budget.should_end`). A resumed run goes on
        counting where it was.

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

    made_anew: ClassVar = {"_over": threading.Event, "_lock": threading.Lock}

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
        seconds: float | None = None,
    ) -> None:
        super().__init__()
        self._given = self._watch = Monitor.of(monitor, mode, min_delta)
        check_number("patience", patience, 0, "0 or more")
        check_number("start_from_batch", start_from_batch, 0, "0 or more")
        if baseline is not None:
            check_number("baseline", baseline, wanted="a number or None")
        if scope not in ("stage", "pipeline"):
            raise ArgumentError.of("scope", '"stage" or "pipeline"', scope)
        if seconds is not None:
            check_number("seconds", seconds, 0, "a positive number or None")
            if not 0 < seconds < math.inf:
                raise ArgumentError.of("seconds", "a positive number or None", seconds)
        self.monitor = monitor
        self.min_delta = min_delta
        self.patience = patience
        self.mode: Mode = mode
        self.baseline = baseline
        self.start_from_batch = start_from_batch
        self.stages = as_names(stages)
        self.scope: Literal["stage", "pipeline"] = scope
        self.seconds = seconds
        self.stopped_stage: str | None = None
        self.stopped_batch: int | None = None
        self._watching = False
        self._stage: str | None = None
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.best: float | None = None
        self.best_batch: int | None = None
        # Batches of the sequence before those of the present stage.
        self._before = 0
        # Second of the run from which the patience in seconds counts; None while it does not.
        self._since: float | None = None
        self._batch: int | None = None
        # Whether a better solution has come since the batch before.
        self._renewed = False

    def check(self) -> None:
        watched_stages(self.params, self.stages, self.monitor)

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._watched = watched_stages(self.params, self.stages, self.monitor)
        self._expected = Expectation(
            "EarlyStopping", self.monitor, self.params, self._watched, self.stages
        )
        self._watch = self._given.towards(self.params.get("goal"))
        self.stopped_stage = self.stopped_batch = None
        self._stage = None
        self._watching = False
        self._reset()

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        self._watching = stage in self._watched
        self._expected.begin_stage()
        # The stage in which a resumed run goes on is known already.
        if self.scope == "stage" and stage != self._stage:
            self._reset()
        self._stage = stage
        if self.seconds is None or not self._watching:
            return
        if self._since is None and not self.start_from_batch:
            self._since = (logs or {}).get("elapsed", 0.0)
        if not self.params.get("replayed"):
            over = self._over = threading.Event()
            threading.Thread(
                target=self._wait, args=(over,), name="EarlyStopping", daemon=True
            ).start()

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._watching or logs is None:
            return
        value = number_of(logs.get(self.monitor))
        if value is None:
            return
        self._expected.came = True
        position = self._before + batch
        self._batch = batch
        if position < self.start_from_batch:
            return
        self.wait += 1
        elapsed = logs.get("elapsed", 0.0)
        if self._since is None:
            self._since = elapsed
        improved = self._watch.improves(value, self.best)
        if improved:
            self._note(value, batch, elapsed)
        if self._renewed:
            self.wait = 0
            self._renewed = False
        elif (not improved and self._has_waited(position)) or self._is_too_late(elapsed):
            self._end(batch)

    def _has_waited(self, position: int) -> bool:
        """Tell whether so many batches have passed that it ends, where batches are counted."""
        counted = self.seconds is None or self.patience > 0
        return counted and self.wait >= self.patience and position > 0

    def _note(self, value: float, batch: int | None, elapsed: float) -> None:
        """Take note of a better value."""
        self.best, self.best_batch = value, batch
        if self.baseline is None or self._watch.improves(value, self.baseline):
            self._since = elapsed
            self._renewed = True

    def on_solution(self, solution: Any, logs: Logs | None = None) -> None:
        """Take note of a best that has been found between two batches."""
        if self.seconds is None or not self._watching or self._since is None or logs is None:
            return
        value = number_of(logs.get(self.monitor)) if self.monitor in _OF_SOLUTIONS else None
        if value is not None and self._watch.improves(value, self.best):
            self._note(value, logs.get("batch"), logs.get("elapsed", 0.0))

    def _is_too_late(self, elapsed: float) -> bool:
        since = self._since
        return self.seconds is not None and since is not None and elapsed - since >= self.seconds

    def _wait(self, over: threading.Event) -> None:
        """End a stage that gives no sign when the patience is over; in a thread of its own."""
        assert self.seconds is not None
        while True:
            elapsed = self.pipeline.tracker.snapshot().elapsed
            since = elapsed if self._since is None else self._since
            left = since + self.seconds - elapsed
            if left <= 0:
                break
            if over.wait(min(left, _LONGEST_WAIT)):
                return
        with self._lock:
            # Under the lock, so that it does not meet the stage after the one it was for.
            if not over.is_set():
                self._end(self._batch, by=type(self).__name__)

    def _end(self, batch: int | None, by: str | None = None) -> None:
        self.stopped_stage, self.stopped_batch = self._stage, batch
        if self.scope == "pipeline":
            self.pipeline.stop(by=type(self).__name__)
        elif by is None:
            self.pipeline.skip_stage()
        else:
            # Outside of the hooks nobody can tell whose request it is.
            self.pipeline.skip_stage(by=by)

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        with self._lock:
            self._over.set()

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        self._stop_waiting()
        if self.scope == "pipeline" and self._watching:
            self._before += (logs or {}).get("batches", 0)
        if self._watching:
            self._expected.end_stage(stage, logs or {})

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _STATE} | {
            "before": self._before,
            "since": self._since,
            "batch": self._batch,
            "renewed": self._renewed,
            "stage": self._stage,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        check_numbers(state, ("wait", "best", "best_batch", "stopped_batch", "before"))
        for name in _STATE:
            setattr(self, name, state[name])
        self._before = state["before"]
        # Those of a backup from before are missing.
        check_numbers(state | {"since": state.get("since")}, ("since",))
        self._since = state.get("since")
        self._batch = state.get("batch")
        self._renewed = bool(state.get("renewed"))
        self._stage = state["stage"]
