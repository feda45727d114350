"""The loop around a stage's generator, where overhead counts."""

from collections.abc import Callable, Collection, Iterator, Mapping
from math import inf
from numbers import Real
from typing import Any

from ...callbacks import Logs
from ...callbacks.plain_value import plain_row
from ...callbacks.vocabulary import CORE_COLUMNS
from ...stages import Batch, Pulse, Stage
from ..backups.backup import Place
from .run_context import RunContext

# What the logs of a batch hold in any case, and no stage may report.
_TAKEN = frozenset({*CORE_COLUMNS, "batch"})


class StageLoop:
    """Takes one stage from unit to unit and calls the batch hooks.

    A unit on which nothing happens costs a few comparisons: logs are made only
    where a hook or the history wants them, and everything rare (requests of
    other threads, a new best) hides behind one flag. What a stage reports is
    checked in every batch, whoever watches: its finished units, its total and
    the names of its metrics.

    Parameters
    ----------
    stage
        The stage.
    context
        What the parts of the run share.
    place
        Where in the stage the loop begins.
    latest
        Returns the second on the run's clock at which the stage is closed, which
        may have been put off since it was last asked; infinity for never.
    handle_requests
        Called after a pulse, and after a unit when the board wants attention;
        returns whether the stage should end.

    Attributes
    ----------
    batch
        Number of batches so far.
    last
        The newest of them; None before the first.
    at_unit
        Whether a unit has just been finished, when `handle_requests` is called.
    closed
        Whether the loop ended the stage, and why: ``"time"`` or ``"request"``.
    """

    def __init__(
        self,
        stage: Stage,
        context: RunContext,
        place: Place,
        latest: Callable[[], float],
        handle_requests: Callable[[], bool],
    ) -> None:
        self._stage = stage
        self._context = context
        self._latest = latest
        self._handle_requests = handle_requests
        last = place.last
        # The stage's metrics; not known yet where it declares none and has reported none.
        self._known: Collection[str] | None = stage.metrics
        if stage.metrics is None and last is not None and last.logs:
            self._known = tuple(last.logs)
        self._blank: Logs = dict.fromkeys(self._known or ())
        self.batch = place.batch
        self.last = last
        self.at_unit = False
        self.closed: str | None = None

    def run(self, stream: Iterator[Any]) -> None:
        """Go through the stage's batches until it ends or has to."""
        stage, unit = self._stage.name, self._stage.unit
        context, best = self._context, self._context.best
        callbacks, history, tracker = context.callbacks, context.history, context.tracker
        board, watch = context.board, context.watch
        blank, covers = self._blank, frozenset(self._blank).issuperset
        clock, origin = watch.clock, watch.origin
        begin_hooks, end_hooks = callbacks.batch_begin_hooks, callbacks.batch_end_hooks
        cost, violations = best()
        total, (offset, slope, end) = tracker.stage_items_total, tracker.line()
        limit = self._latest()
        timed = limit < inf
        batch, begun, due, last = self.batch, -1, history.due, self.last
        # A Batch, a Pulse or None; whatever else it is, is found out below.
        item: Any = None
        low, high = 0 if last is None else last.done, inf if total is None else total
        try:
            if begin_hooks and (last is None or last.done != total):
                begun = self._begin(batch, 0 if last is None else last.done, total)
            for item in stream:
                try:
                    done = item.done
                except AttributeError:
                    # Asking first would cost every batch more than this costs a pulse.
                    self._take_pulse(item)
                    if item is not None and item.total is not None and item.total != total:
                        total = high = self._check_total(item.total, batch)
                        tracker.stage_items_total = total
                        offset, slope, end = tracker.line()
                    item = None
                    board.attention = True
                else:
                    if item.total is not total and item.total != total:
                        total = self._check_total(item.total, batch)
                        high = inf if total is None else total
                        self._check_done(low, done, total, batch)
                        tracker.update_work_progress(done, total)
                        offset, slope, end = tracker.line()
                    else:
                        # Asked for its class, since a call of type() costs twice as much.
                        if done.__class__ is not int or not low <= done <= high:
                            self._check_done(low, done, total, batch)
                        tracker.stage_items_done = done
                    metrics = item.logs
                    if metrics and not covers(metrics):
                        covers, blank = self._admit(metrics, batch)
                    last, low = item, done
                    if begin_hooks and begun != batch:
                        begun = self._begin(batch, done, total)
                    if batch >= due or end_hooks:
                        if board.improved:
                            cost, violations = best()
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
                        if context.measured:
                            logs.update(context.measured)
                        if blank:
                            logs.update(blank)
                            if metrics:
                                logs.update(metrics)
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
                if board.attention:
                    self.batch, self.last, self.at_unit = batch, last, item is not None
                    if self._handle_requests():
                        self.closed = "request"
                        return
                    origin = watch.origin
                    cost, violations = best()
                    begin_hooks, end_hooks = callbacks.batch_begin_hooks, callbacks.batch_end_hooks
                if timed and clock() - origin > limit:
                    limit = self._latest()
                    if clock() - origin > limit:
                        self.closed = "time"
                        return
                if begin_hooks and item is not None and item.done != total:
                    begun = self._begin(batch, item.done, total)
        except (AttributeError, TypeError, ValueError):
            if isinstance(item, Batch):
                self._check_total(item.total, batch)
                self._check_logs(item.logs, batch)
            raise
        finally:
            self.batch, self.last = batch, last

    def _begin(self, batch: int, done: int, total: int | None) -> int:
        """Call the hooks of the beginning of a unit, and return its number."""
        logs = {"stage": self._stage.name, "unit": self._stage.unit, "done": done, "total": total}
        self._context.callbacks.on_batch_begin(batch, logs)
        return batch

    def _take_pulse(self, item: Any) -> None:
        """Take what a stage has yielded that is no batch."""
        if isinstance(item, Pulse):
            self._context.tracker.note_pulse(item.part, item.message)
        elif item is not None:
            raise TypeError(
                f"a stage must yield Batch objects, Pulse objects or None, got {item!r}"
            )

    def _admit(self, metrics: Mapping[str, Any], batch: int) -> tuple[Callable[[Any], bool], Logs]:
        """See that all names are the stage's; the first ones are, where it has declared none."""
        if self._known is None and not _TAKEN.intersection(metrics):
            _check_names(self._stage.name, metrics)
            self._known = tuple(metrics)
            self._blank = dict.fromkeys(metrics)
        unknown = [name for name in metrics if name not in self._blank]
        if unknown:
            where = f"stage {self._stage.name!r} reports {', '.join(map(repr, unknown))} in batch"
            taken = [name for name in unknown if name in _TAKEN]
            if taken:
                why = f"but the logs of every batch hold something of the name {taken[0]!r}"
            elif self._stage.metrics is None:
                why = f"which its first batch with metrics did not: {self._known!r}"
            else:
                why = f"which its metrics do not declare: {self._stage.metrics!r}"
            raise ValueError(f"{where} {batch}, {why}")
        return frozenset(self._blank).issuperset, self._blank

    def _check_done(self, low: Any, done: Any, total: Any, batch: int) -> None:
        """Refuse a number of finished units that cannot be."""
        number = isinstance(done, Real)
        if number and low <= done and (total is None or done <= total):
            return
        least = f"{low} (that of the batch before)" if low else "0"
        most = "" if total is None else f" to {total} (the total)"
        raise (ValueError if number else TypeError)(
            f"done of batch {batch} of stage {self._stage.name!r} must be a number from "
            f"{least}{most}, got {done!r:.80}"
        )

    def _check_total(self, total: Any, batch: int) -> Any:
        """Return a total, if it is one."""
        if total is None or (isinstance(total, Real) and 0 <= float(total) < inf):
            return total
        kind = TypeError if not isinstance(total, Real) else ValueError
        raise kind(
            f"total of batch {batch} of stage {self._stage.name!r} must be a number from 0, or "
            f"None while it is not known, got {total!r:.80}"
        )

    def _check_logs(self, logs: Any, batch: int) -> None:
        if logs is not None and not isinstance(logs, Mapping):
            raise TypeError(
                f"the logs of batch {batch} of stage {self._stage.name!r} must be a mapping of "
                f"names to values, got {logs!r:.80}"
            )

    def core_logs(self) -> Logs:
        """Return the logs of the newest batch without metrics, with the best of this moment."""
        done, tracker = self.last.done if self.last is not None else 0, self._context.tracker
        return {
            "stage": self._stage.name,
            "unit": self._stage.unit,
            "done": done,
            "total": tracker.stage_items_total,
            **self._context.core_logs(),
            "progress": tracker.work_progress_at(done),
        }

    def logs(self) -> Logs:
        """Return the logs of the newest batch, with the best of this moment."""
        return self.core_logs() | self._context.measured | self._metrics()

    def newest(self) -> Batch | None:
        """Return the newest batch with all metrics, as plain data, for a backup."""
        last = self.last
        return None if last is None else Batch(last.done, last.total, plain_row(self._metrics()))

    def _metrics(self) -> Logs:
        metrics = self.last.logs if self.last is not None else None
        return self._blank | dict(metrics or {})


def _check_names(stage: str, metrics: Mapping[str, Any]) -> None:
    for name in metrics:
        if not isinstance(name, str):
            raise TypeError(f"names of metrics are texts, stage {stage!r} reports {name!r:.80}")
