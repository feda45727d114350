"""The loop around a stage's generator, where overhead counts."""

from collections.abc import Callable, Iterator
from math import inf

from ..callbacks import CallbackList, History, Logs
from ..stages import Batch, Pulse, Stage
from .progress_tracker import ProgressTracker
from .stopwatch import Stopwatch
from .switchboard import Switchboard


class StageLoop:
    """Takes one stage from unit to unit and calls the batch hooks.

    A unit on which nothing happens costs a few comparisons: logs are made only
    where a hook or the history wants them, and everything rare (requests of
    other threads, a new best) hides behind one flag.

    Parameters
    ----------
    stage
        The stage.
    callbacks, history
        Who gets the logs; the history only when it is due.
    tracker
        Where finished units are noted.
    board
        Where requests arrive.
    watch
        The run's clock.
    latest
        Returns the second on the run's clock at which the stage is closed, which
        may have been put off since it was last asked; infinity for never.
    attend
        Called after a pulse, and after a unit when the board wants attention;
        returns whether the stage should end.
    best
        Returns cost and violations of the best so far.
    batch, last
        Number of batches before, and the newest of them, of a stage that goes on.

    Attributes
    ----------
    batch
        Number of batches so far.
    last
        The newest of them; None before the first.
    at_unit
        Whether a unit has just been finished, when `attend` is called.
    closed
        Whether the loop ended the stage, and why: ``"time"`` or ``"request"``.
    """

    def __init__(
        self,
        stage: Stage,
        callbacks: CallbackList,
        history: History,
        tracker: ProgressTracker,
        board: Switchboard,
        watch: Stopwatch,
        latest: Callable[[], float],
        attend: Callable[[], bool],
        best: Callable[[], tuple[float | None, int | None]],
        batch: int = 0,
        last: Batch | None = None,
    ) -> None:
        self._stage = stage
        self._callbacks = callbacks
        self._history = history
        self._tracker = tracker
        self._board = board
        self._watch = watch
        self._latest = latest
        self._attend = attend
        self._best = best
        self._blank: Logs = dict.fromkeys(stage.metrics)
        self._checked = False
        self.batch = batch
        self.last = last
        self.at_unit = False
        self.closed: str | None = None

    def run(self, stream: Iterator[Batch | Pulse | None]) -> None:
        """Go through the stage's batches until it ends or has to."""
        stage, unit = self._stage.name, self._stage.unit
        callbacks, history, tracker = self._callbacks, self._history, self._tracker
        board, watch, blank = self._board, self._watch, self._blank
        clock, origin = watch.clock, watch.origin
        begin_hooks, end_hooks = callbacks.batch_begin_hooks, callbacks.batch_end_hooks
        cost, violations = self._best()
        total, (offset, slope, end) = tracker.stage_items_total, tracker.line()
        limit = self._latest()
        timed = limit < inf
        batch, begun, due, last, item = self.batch, -1, history.due, self.last, None
        try:
            if begin_hooks and (last is None or last.done != total):
                begun = self._begin(batch, 0 if last is None else last.done, total)
            for item in stream:
                if type(item) is Pulse:
                    tracker.note_pulse(item.part, item.message)
                    if item.total is not None and item.total != total:
                        total = tracker.stage_items_total = item.total
                        offset, slope, end = tracker.line()
                    item = None
                if item is not None:
                    last, done = item, item.done
                    if begin_hooks and begun != batch:
                        begun = self._begin(batch, done, total)
                    if item.total is not total and item.total != total:
                        total = item.total
                        tracker.update_work_progress(done, total)
                        offset, slope, end = tracker.line()
                    else:
                        tracker.stage_items_done = done
                    if batch >= due or end_hooks:
                        if board.improved:
                            cost, violations = self._best()
                        if total is None:
                            progress = tracker.work_progress_at(done)
                        else:
                            progress = end if done >= total else offset + slope * done
                        logs: Logs = {
                            "stage": stage,
                            "unit": unit,
                            "done": done,
                            "total": total,
                            "progress": progress,
                            "elapsed": clock() - origin,
                            "cost": cost,
                            "violations": violations,
                        }
                        if blank or item.logs:
                            self._add_metrics(logs, item)
                        if batch >= due:
                            history.on_batch_end(batch, logs)
                            due = history.due
                        for hook in end_hooks:
                            try:
                                hook(batch, logs)
                            except Exception as error:
                                callbacks.fail(hook, "on_batch_end", error, batch, logs)
                                board.attention = True
                                break
                    batch += 1
                else:
                    board.attention = True
                if board.attention:
                    self.batch, self.last, self.at_unit = batch, last, item is not None
                    if self._attend():
                        self.closed = "request"
                        return
                    origin = watch.origin
                    cost, violations = self._best()
                    begin_hooks, end_hooks = callbacks.batch_begin_hooks, callbacks.batch_end_hooks
                if timed and clock() - origin > limit:
                    limit = self._latest()
                    if clock() - origin > limit:
                        self.closed = "time"
                        return
                if begin_hooks and item is not None and item.done != total:
                    begun = self._begin(batch, item.done, total)
        except AttributeError as error:
            if item is None or isinstance(item, Batch):
                raise
            raise TypeError(
                f"a stage must yield Batch objects, Pulse objects or None, got {item!r}"
            ) from error
        finally:
            self.batch, self.last = batch, last

    def _begin(self, batch: int, done: int, total: int | None) -> int:
        """Call the hooks of the beginning of a unit, and return its number."""
        logs = {"stage": self._stage.name, "unit": self._stage.unit, "done": done, "total": total}
        self._callbacks.on_batch_begin(batch, logs)
        return batch

    def _add_metrics(self, logs: Logs, item: Batch) -> None:
        """Add the stage's metrics to the logs of a batch, None where it has none."""
        logs.update(self._blank)
        if item.logs:
            if not self._checked:
                self._check(item)
            logs.update(item.logs)

    def _check(self, item: Batch) -> None:
        """Compare the first metrics that the stage reports with those that it declares."""
        unknown = [name for name in item.logs or () if name not in self._blank]
        if unknown:
            raise ValueError(
                f"stage {self._stage.name!r} reports {', '.join(map(repr, unknown))}, which its "
                f"metrics do not declare: {self._stage.metrics!r}"
            )
        self._checked = True

    def core_logs(self) -> Logs:
        """Return the logs of the newest batch without metrics, with the best of this moment."""
        cost, violations = self._best()
        done = self.last.done if self.last is not None else 0
        return {
            "stage": self._stage.name,
            "unit": self._stage.unit,
            "done": done,
            "total": self._tracker.stage_items_total,
            "progress": self._tracker.work_progress_at(done),
            "elapsed": self._watch.elapsed(),
            "cost": cost,
            "violations": violations,
        }

    def logs(self) -> Logs:
        """Return the logs of the newest batch, with the best of this moment."""
        metrics = self.last.logs if self.last is not None else None
        return self.core_logs() | self._blank | dict(metrics or {})
