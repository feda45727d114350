"""A loop that is a run."""

import asyncio
import contextvars
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

from ...callbacks import Callback
from ...callbacks.plain_value import error_text
from ...callbacks.safe_warning import warn_safely
from ...callbacks.vocabulary import CANCELLED, INTERRUPTED, PROGRAM
from ...stages import Batch
from ...stages.functions.offering import offer
from ...stages.needing import needing
from ..engine.interrupts import exit_status
from ..pipeline import Pipeline
from ..results.run import Run

with needing("track"):
    from greenlet import getcurrent, greenlet
from .in_flight import UnknownError, error_in_flight
from .loop_stage import LoopStage

Item = TypeVar("Item")

# What ends a loop as `break` does.
_LEFT = (GeneratorExit, SystemExit)


class TrackedLoop(Generic[Item]):
    """What `track` returns: iterate it once, and `log` what an item has brought.

    Parameters
    ----------
    iterable, callbacks, total, unit, name, resume
        As for `track`.
    options
        Further arguments for `Pipeline` and `Pipeline.fit`.

    Attributes
    ----------
    pipeline
        The pipeline that runs, with `Pipeline.stop`, `Pipeline.pause`, `Pipeline.tracker`.
    """

    __module__ = "schoolbell.runner"

    # `Pipeline.fit` runs beside the loop in the same thread, as a greenlet: it calls hooks,
    # saves and pauses between two items, and each turn costs about half a microsecond.

    def __init__(
        self,
        iterable: Any,
        callbacks: Sequence[Callback] | Callback | None,
        total: int | None,
        unit: str,
        name: str | None,
        resume: bool,
        options: dict[str, Any],
    ) -> None:
        if total is None and isinstance(iterable, Sized):
            total = len(iterable)
        self._iterable: Any = iterable
        self._total = total
        self._stage = LoopStage("loop" if name is None else name, unit, total, resume)
        goal = {name: options.pop(name) for name in ("goal",) if name in options}
        self.pipeline = Pipeline([self._stage], **goal)
        self._options = {"callbacks": callbacks, **options}
        self._fit: greenlet | None = None
        self._begun = False
        self._logs: dict[str, Any] | None = None

    @property
    def run(self) -> Run | None:
        """What the run has found, or is finding; None before the first item."""
        return self.pipeline.run

    @property
    def saved(self) -> dict[str, Any]:
        """A dict for what the loop needs to go on after a kill, with ``resume=True``.

        A backup holds it as it was at the end of an item, and in a run that is resumed it
        is there again, from the first item on. Empty at first.
        """
        return self._stage.kept

    def log(
        self, *, cost: Any = None, solution: Any = None, violations: Any = None, **metrics: Any
    ) -> None:
        """Tell what the item in hand has brought.

        Parameters
        ----------
        cost
            Of a solution that was found, which becomes the best one if it is better.
        solution
            That solution, of which a copy is kept where it can be copied.
        violations
            The solution's; 0 by default.
        **metrics
            Numbers by name, always the same names; callbacks find them in the logs of the
            item's end.

        Raises
        ------
        RuntimeError
            Outside of the loop.
        TypeError
            For a solution or violations without a cost.
        """
        run = self.run
        if self._fit is None or run is None:
            raise RuntimeError("log is for the body of the loop: no item is in hand")
        offer(run.state, cost, solution, violations)
        if self._logs is None:
            self._logs = metrics
        else:
            self._logs.update(metrics)

    def __len__(self) -> int:
        if self._total is None:
            raise TypeError("the number of items is not known")
        return self._total

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Item]:
        fit = self._begin()
        try:
            source = iter(self._iterable)
            if fit is None:
                return
            switch, done = fit.switch, self._stage.done
            if done:
                next(islice(source, done - 1, None), None)
            for item in source:
                yield item
                done += 1
                logs, total = self._logs, self._total
                if logs is not None:
                    self._logs = None
                if total is not None and done > total:
                    total = self._forget_total()
                if switch(Batch(done, total, logs)):
                    self._over()
                    return
        except GeneratorExit:
            # The frame that drops this one: that of the loop.
            self._leave(error_in_flight(sys._getframe().f_back))
            raise
        except BaseException as error:
            self._fail(error)
            raise
        self._end()

    def __aiter__(self) -> AsyncIterator[Item]:
        return _AsyncItems(self)

    def _begin(self) -> greenlet | None:
        """Let the run begin; None where nothing is left to be done of it."""
        if self._begun:
            raise RuntimeError("a tracked loop runs once: call track again")
        self._begun = True
        self._fit = fit = greenlet(self._run)
        fit.gr_context = contextvars.copy_context()
        self._stage.next_batch = getcurrent().switch
        if fit.switch():
            self._over()
            return None
        return fit

    def _run(self) -> bool:
        try:
            self.pipeline.fit(**self._options)
        finally:
            self._fit = self._stage.next_batch = None
        return True

    def _over(self) -> None:
        """Let the loop end, or the program, if a signal has ended the run."""
        run = self.run
        if run is not None and run.status == INTERRUPTED:
            if run.stopped_by is not None:
                raise SystemExit(exit_status(signal.Signals[run.stopped_by]))
            raise KeyboardInterrupt

    def _end(self) -> None:
        """End the run after the last item."""
        if self._fit is not None:
            self._fit.switch(None)
            self._over()

    def _fail(self, error: BaseException) -> None:
        """End the run because of an exception, which goes its own way."""
        fit = self._fit
        if fit is None:
            # It is the run's.
            return
        traceback = error.__traceback__
        try:
            if isinstance(error, asyncio.CancelledError):
                self.pipeline.stop(by=CANCELLED)
                fit.switch(None)
            else:
                fit.throw(error)
        except BaseException as late:
            if late is not error:
                warn_safely(f"the run of a loop failed as it ended: {error_text(late)}")
        finally:
            error.__traceback__ = traceback

    def _leave(self, error: BaseException | None) -> None:
        """End the run because the loop was left in the midst of an item."""
        fit, run = self._fit, self.run
        if fit is None or run is None:
            return
        if isinstance(error, UnknownError) and self._interrupted():
            error = KeyboardInterrupt()
        if error is not None and not isinstance(error, _LEFT):
            self._fail(error)
            return
        try:
            self.pipeline.stop(by=PROGRAM)
            # An item that was logged is one that is done.
            done = self._stage.done + 1
            logged = self._logs is not None and (self._total is None or done <= self._total)
            if not (logged and fit.switch(Batch(done, self._total, self._logs))):
                fit.switch(None)
        except BaseException as late:
            warn_safely(f"the run of a loop failed as it ended: {error_text(late)}")

    def _interrupted(self) -> bool:
        driver = self.pipeline._driver
        return driver is not None and driver.board.interrupted

    def _forget_total(self) -> None:
        warn_safely(f"there are more items than total={self._total}")
        self._total = None


class _AsyncItems(AsyncIterator[Item]):
    """Iterates an asynchronous iterable."""

    def __init__(self, loop: TrackedLoop[Item]) -> None:
        self._loop = loop
        self._source: AsyncIterator[Item] | None = None
        self._in_hand = False

    async def __anext__(self) -> Item:
        loop = self._loop
        if self._source is None:
            self._source = aiter(loop._iterable)
            if loop._begin() is None:
                raise StopAsyncIteration
            for _ in range(loop._stage.done):
                await self._next()
        elif self._in_hand:
            self._in_hand = False
            self._finish_item()
        item = await self._next()
        self._in_hand = True
        return item

    def _finish_item(self) -> None:
        loop, fit = self._loop, self._loop._fit
        done = loop._stage.done + 1
        logs, loop._logs = loop._logs, None
        if loop._total is not None and done > loop._total:
            loop._forget_total()
        if fit is None or fit.switch(Batch(done, loop._total, logs)):
            loop._over()
            raise StopAsyncIteration

    async def _next(self) -> Item:
        assert self._source is not None
        try:
            return await anext(self._source)
        except StopAsyncIteration:
            self._loop._end()
            raise
        except BaseException as error:
            self._loop._fail(error)
            raise

    def __del__(self) -> None:
        if self._in_hand and not sys.is_finalizing():
            self._loop._leave(error_in_flight(sys._getframe().f_back))
