"""Drives one run from beginning to end."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import Any

from ...callbacks import CallbackError, CallbackList, History, Logs
from ...callbacks.vocabulary import (
    CORE_COLUMNS,
    ENDS_OF_THE_RUN,
    FAILED,
    FINISHED,
    INTERRUPTED,
    OPTIMAL,
    PAUSED,
    RUNNING,
    TIME,
)
from ...stages import Batch, Budget, Pulse, Stage, State
from ..backups.backup import SENSELESS, Place
from ..backups.run_backups import RunBackups
from ..progress.progress_tracker import ProgressTracker
from ..results.run import Run
from ..results.stage_record import StageRecord
from .ending import end_logs, end_run, requested_run_end, requested_stage_end
from .run_context import RunContext
from .run_spec import RunSpec
from .stage_loop import StageLoop
from .stopwatch import Stopwatch
from .switchboard import Switchboard

# A stage that goes on for so many seconds after its budget is spent is closed.
_GRACE = 0.25

# Seconds between two times that the stages are asked what they expect to take.
_ASK_SECONDS = 0.5


class Driver:
    """Takes one problem through the stages, calls the hooks, and keeps the run.

    Parameters
    ----------
    spec
        What the run is asked to do.
    callbacks
        Who watches, the history among them.
    history
        The run's own history.
    watch
        The run's clock, already counting.
    tell
        Called once with the reasons why no solution can be without violations, as
        soon as a stage has found some.

    Attributes
    ----------
    board
        Where requests to the run arrive.
    run
        What is known of the run so far.
    backups
        What the run goes on from, and what it leaves to go on from.
    at_work
        The stage whose generator runs; None between two stages.
    """

    def __init__(
        self,
        spec: RunSpec,
        callbacks: CallbackList,
        history: History,
        watch: Stopwatch,
        tell: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self._spec = spec
        self._tell = tell
        self.board = board = Switchboard()
        state = State(
            spec.problem,
            seed=spec.seed,
            executor=spec.executor,
            workers=spec.workers,
            initial=spec.initial,
            announce=board.improve,
            alert=board.look,
            goal=spec.goal,
        )
        self.run = Run(
            job_id=spec.job_id, seed=spec.seed, history=history, state=state, goal=spec.goal
        )
        self.tracker = _tracker(spec, state, watch)
        self._context = RunContext(self.run, callbacks, self.tracker, board, watch)
        self.backups = RunBackups(spec, self._context)
        self._adding = threading.Lock()
        self._asked = 0.0
        self._stage: Stage | None = None
        self.at_work: Stage | None = None
        self._began = 0.0
        self._loop: StageLoop | None = None

    def execute(self) -> Run:
        """Run everything; a KeyboardInterrupt ends it, a second one at once.

        Ctrl-C raises it, and so do SIGTERM and SIGHUP (see `Interrupts`).

        Raises
        ------
        CallbackError
            When a callback raised.
        BaseException
            What a stage raised, with a note that names it.
        """
        run, board = self.run, self.board
        board.interruptible = True
        try:
            self._run_through()
            self._finish()
        except KeyboardInterrupt:
            # Between what catches it itself: there is little code, but it can come anywhere.
            self._take_interrupt()
            self._finish()
        finally:
            board.interruptible = False
        if run.exception is not None:
            raise run.exception
        return run

    def _run_through(self) -> None:
        try:
            self._context.callbacks.on_pipeline_begin(self._context.core_logs())
            place = self.backups.resume(self._handle_requests, self._should_end)
            self._run_stages(place)
        except KeyboardInterrupt:
            self._take_interrupt()
        except BaseException as error:
            self.run.exception = error
            self._on_exception(error)

    def _take_interrupt(self) -> None:
        """End the run because of the KeyboardInterrupt in hand; at once if it is not the first."""
        if self.board.heeded:
            raise
        self.board.heeded = True

    def stop(self, by: str | None = None) -> None:
        """Ask the run to end; from any thread."""
        self.board.stop(by or self._context.callbacks.caller())

    def skip_stage(self, by: str | None = None) -> None:
        """Ask the present stage to end, if the others work without it; from any thread."""
        stage = self._stage
        if stage is None or stage.skippable:
            self.board.skip(by or self._context.callbacks.caller())

    def add_metrics(self, values: Mapping[str, Any]) -> None:
        """Put values into the logs of every batch from now on; from any thread."""
        taken = sorted({*CORE_COLUMNS, "batch"}.intersection(values))
        if taken:
            raise ValueError(
                f"the logs of every batch hold something of the name {taken[0]!r}: a metric that "
                "is added needs another one"
            )
        with self._adding:
            self._context.measured = {**self._context.measured, **values}

    def _run_stages(self, place: Place) -> None:
        for index, stage in list(enumerate(self._spec.stages))[place.index :]:
            self.board.begin_stage()
            self.board.heeded = self.board.heeded or self.board.interrupted
            if self.board.stopped_by is not None or self.board.heeded:
                return
            self._run_stage(stage, place if index == place.index else Place(index=index))

    def _run_stage(self, stage: Stage, place: Place) -> None:
        seconds = self._seconds_for(place)
        context = self._context
        began, overtime = context.watch.elapsed() - place.spent, context.state.overtime
        self._stage, self._began = stage, began
        self.tracker.begin_stage(
            stage.name,
            seconds=None if seconds is None else seconds - place.spent,
            expected=_expected_seconds(self._spec, context.state, self._spec.stages[place.index :]),
        )
        if place.batch:
            self.backups.resume_progress()
        budget = Budget(seconds, self._should_end, context.watch.elapsed, place.spent)

        def latest() -> float:
            # Where no other stage works without it, it goes to its end.
            if seconds is None or not stage.skippable:
                return inf
            return began + seconds + _GRACE + context.state.overtime - overtime

        loop = self._loop = StageLoop(stage, context, place, latest, self._handle_requests)
        try:
            self._context.callbacks.on_stage_begin(stage.name, self._begin_logs(stage, seconds))
            self._work(stage, loop, budget)
        except KeyboardInterrupt:
            self._take_interrupt()
        except BaseException as error:
            self._record(stage, loop, budget, FAILED)
            try:
                # What it has found before is not lost to those who keep it.
                self._announce_best()
            except CallbackError as later:
                error.add_note(f"then {later}")
            raise
        self._end_stage(stage, loop, budget)

    def _seconds_for(self, place: Place) -> float | None:
        """Divide the time that is left among the stages that are left; return the first's.

        What the first has spent before is part of what it gets.
        """
        if self._spec.time_limit is None:
            return None
        context = self._context
        limit = self.tracker.time_limit = self._spec.time_limit + context.state.overtime
        shares = [_time_share(one) for one in self._spec.stages[place.index :]]
        left = max(0.0, limit - context.watch.elapsed())
        return max(place.spent, (left + place.spent) * shares[0] / sum(shares))

    def _work(self, stage: Stage, loop: StageLoop, budget: Budget) -> None:
        """Run the stage's generator and close it, whatever happens."""
        if (self.board.attention and self._handle_requests()) or self._proven_optimal:
            return
        self.at_work, begun = stage, loop.batch
        self.board.stage_over = budget.end
        try:
            stream = _stream(stage, self._context.state, budget)
            try:
                loop.run(stream)
            except KeyboardInterrupt:
                # Before the generator is closed: another one then ends everything at once.
                self.board.heeded = True
            finally:
                # Before it too: what it waits for may be threads that ask whether to end.
                budget.end()
                close = getattr(stream, "close", None)
                if close is not None:
                    close()
        except (CallbackError, KeyboardInterrupt):
            raise
        except BaseException as error:
            if isinstance(error, SENSELESS) and loop.batch == begun > 0:
                # A stage looks at what it was given back when it begins to work with it.
                raise self.backups.senseless(error) from error
            after = f" after batch {loop.batch - 1}" if loop.batch else " before its first batch"
            error.add_note(f"raised by stage {stage.name!r}{after}")
            raise
        finally:
            self.at_work = self.board.stage_over = None
            budget.end()

    def _handle_requests(self) -> bool:
        """Do what the board asks for; return whether the stage should end."""
        board = self.board
        self.tracker.overtime = self._context.state.overtime
        if self._spec.time_limit is not None:
            self.tracker.time_limit = self._spec.time_limit + self._context.state.overtime
        elapsed = self._context.watch.elapsed()
        if self._stage is not None and elapsed >= self._asked + _ASK_SECONDS:
            self._asked = elapsed
            later = list(self._spec.stages).index(self._stage) + 1
            self.tracker.expect(
                _expected_seconds(self._spec, self._context.state, self._spec.stages[later:])
            )
        while board.attention:
            board.attention = False
            if board.interrupted and not self.board.heeded:
                # The exception was dropped by code that could not pass it on.
                raise KeyboardInterrupt
            self._announce_best()
            self._announce_infeasible()
            if self._stage is not None and self._loop is not None:
                self.backups.save_in_stage(self._stage, self._loop, self._began)
            if board.paused and not board.ending:
                self._pause()
        return board.ending or self._proven_optimal

    def _should_end(self) -> bool:
        """Tell whether the present stage should end, whatever the time; from any thread."""
        board = self.board
        return board.ending or board.interrupted or board.heeded or self._proven_optimal

    @property
    def _proven_optimal(self) -> bool:
        """Whether the present stage only looks for better solutions, and there is none."""
        return self._stage is not None and self._stage.only_improves and self._context.state.optimal

    def _announce_best(self) -> None:
        if not self.board.improved:
            return
        self.board.improved = False
        self.tracker.best = self._context.best()
        if self._context.callbacks.overrides("on_solution"):
            loop = self._loop
            assert loop is not None, "only stages can offer solutions"
            logs = {"batch": loop.batch - 1 if loop.batch else None, **loop.core_logs()}
            self._context.callbacks.on_solution(self._context.state.solution, logs)

    def _announce_infeasible(self) -> None:
        reasons = self._context.state.infeasible_because
        if reasons and not self.run.infeasible_because:
            self.run.infeasible_because = reasons
            if self._tell is not None:
                self._tell(reasons)

    def _pause(self) -> None:
        self._context.watch.halt()
        self.tracker.status = PAUSED
        try:
            self.board.wait_while_paused()
        finally:
            self.tracker.status = RUNNING
            self._context.watch.go_on()

    def _end_stage(self, stage: Stage, loop: StageLoop, budget: Budget) -> None:
        ended_by, by = requested_stage_end(self.board) or (self._own_end(loop, budget), None)
        if loop.batch:
            # The history was asked only when due, but wants the last batch in any case.
            self._context.history.on_batch_end(loop.batch - 1, loop.logs())
        goes_on = ended_by not in ENDS_OF_THE_RUN
        self.tracker.end_stage(goes_on=goes_on)
        record = self._record(stage, loop, budget, ended_by, by)
        self._announce_best()
        logs = loop.logs() | {"progress": self.tracker.work_progress}
        logs |= {"batches": loop.batch, "seconds": record.seconds}
        logs |= {"ended_by": ended_by, "stopped_by": by}
        self._context.callbacks.on_stage_end(stage.name, logs)
        if goes_on:
            self.backups.save_after(stage)

    def _own_end(self, loop: StageLoop, budget: Budget) -> str:
        """Return how a stage has ended that nobody has asked to."""
        if self._proven_optimal:
            return OPTIMAL
        if loop.closed == TIME:
            return TIME
        # One that has done all its units has not been cut short, however late it is.
        complete = loop.last is not None and loop.last.done == loop.last.total
        return TIME if budget.remaining == 0 and not complete else FINISHED

    def _record(
        self, stage: Stage, loop: StageLoop, budget: Budget, ended_by: str, by: str | None = None
    ) -> StageRecord:
        cost, violations = self._context.best()
        record = StageRecord(
            name=stage.name,
            unit=stage.unit,
            done=0 if loop.last is None else loop.last.done,
            total=None if loop.last is None else loop.last.total,
            seconds=self._context.watch.elapsed() - self._began,
            cost=cost,
            violations=violations,
            ended_by=ended_by,
            began=self._began,
            budget=budget.seconds,
            stopped_by=by,
        )
        self.run.stages.append(record)
        return record

    def _on_exception(self, error: BaseException) -> None:
        try:
            self._context.callbacks.on_exception(error)
        except CallbackError as later:
            error.add_note(f"then {later}")

    def _finish(self) -> None:
        """Complete the run and tell the callbacks that it is over."""
        run, context = self.run, self._context
        # From here on all that tell how long the run took tell the same.
        context.watch.halt()
        self.tracker.best = context.best()
        end_run(run, self.board, self.tracker, context.watch.elapsed(), (FINISHED, None))
        context.state.settle()
        run.solution = context.state.solution
        run.bound = context.state.bound
        run.infeasible_because = context.state.infeasible_because
        try:
            self._call_pipeline_end()
        except CallbackError as error:
            run.status = FAILED
            if run.exception is None:
                run.exception = error
            else:
                run.exception.add_note(f"then {error}")

    def _call_pipeline_end(self) -> None:
        try:
            self.backups.close()
            self._context.callbacks.on_pipeline_end(self._end_logs())
        except KeyboardInterrupt:
            self._take_interrupt()
            self.run.status, self.run.stopped_by = requested_run_end(self.board) or (
                INTERRUPTED,
                None,
            )
            self._context.callbacks.on_pipeline_end(self._end_logs())

    def _end_logs(self) -> Logs:
        return end_logs(self.run, self.tracker, None if self._stage is None else self._stage.name)

    def _begin_logs(self, stage: Stage, seconds: float | None) -> Logs:
        start, end = self.tracker.bounds(stage.name)
        about = {"stage": stage.name, "unit": stage.unit, "share": end - start, "budget": seconds}
        return about | self._context.core_logs()


def _time_share(stage: Stage) -> float:
    return stage.share if stage.time_share is None else stage.time_share


def _stream(stage: Stage, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
    stream = stage.run(state, budget)
    if not hasattr(stream, "__next__"):
        raise TypeError(f"run() of stage {stage.name!r} must be a generator, got {stream!r}")
    return stream


def _tracker(spec: RunSpec, state: State, watch: Stopwatch) -> ProgressTracker:
    stages = spec.stages
    return ProgressTracker(
        {stage.name: stage.share for stage in stages},
        labels={stage.name: stage.label for stage in stages if stage.label},
        units={stage.name: stage.unit for stage in stages},
        time_limit=spec.time_limit,
        timings=spec.timings,
        clock=watch.elapsed,
        time_shares={stage.name: _time_share(stage) for stage in stages},
        follow=spec.shares,
        expected=_expected_seconds(spec, state, stages),
    )


def _expected_seconds(spec: RunSpec, state: State, stages: Sequence[Stage]) -> dict[str, float]:
    """Ask stages what they expect to take, as things stand."""
    answers = {stage.name: stage.expected_seconds(state, spec.time_limit) for stage in stages}
    return {name: seconds for name, seconds in answers.items() if seconds is not None}
