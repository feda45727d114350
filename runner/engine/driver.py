"""Drives one run from beginning to end."""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import Any

from ...callbacks import CallbackError, CallbackList, History, Logs
from ...callbacks.plain_value import error_text
from ...callbacks.safe_warning import warn_safely
from ...callbacks.vocabulary import (
    ENDS_OF_THE_RUN,
    FAILED,
    FINISHED,
    FROM_OUTSIDE,
    INTERRUPTED,
    OPTIMAL,
    PAUSED,
    PROGRAM,
    RUNNING,
    SKIPPED,
    STOPPED,
    TIME,
)
from ...stages import Batch, Budget, Pulse, Stage, State
from ...stages.plain_data import copy_savable, shown
from ..backups.backup import SENSELESS, Backup, Place, parameters, refusing, senseless, signature
from ..backups.backup_error import BackupError
from ..backups.backup_file import read_backup
from ..backups.backup_writer import BackupWriter
from ..backups.left_out import LeftOut
from ..progress.progress_tracker import Follow, ProgressTracker
from ..progress.stage_timing import StageTiming
from ..results.run import Run
from ..results.stage_record import StageRecord
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
    stages
        The stages, in order.
    callbacks
        Who watches, the history among them.
    history
        The run's own history.
    problem, initial
        What the stages find in the state.
    job_id, seed, time_limit, workers, executor
        As for `Pipeline.fit`.
    watch
        The run's clock, already counting.
    timings
        What stages took in earlier runs, by name.
    shares
        What the stages' parts of the progress follow.
    tell
        Called once with the reasons why no solution can be without violations, as
        soon as a stage has found some.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        callbacks: CallbackList,
        history: History,
        problem: Any,
        initial: Any,
        job_id: str,
        seed: int,
        time_limit: float | None,
        workers: int,
        executor: Executor,
        watch: Stopwatch,
        timings: Mapping[str, StageTiming] | None = None,
        shares: Follow = "time",
        tell: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self.board = Switchboard()
        self.watch = watch
        self._stages = stages
        self._callbacks = callbacks
        self._history = history
        self._time_limit = time_limit
        self._tell = tell
        self._state = State(
            problem,
            seed=seed,
            executor=executor,
            workers=workers,
            initial=initial,
            announce=self.board.improve,
            alert=self.board.look,
        )
        self.tracker = ProgressTracker(
            {stage.name: stage.share for stage in stages},
            labels={stage.name: stage.label for stage in stages if stage.label},
            units={stage.name: stage.unit for stage in stages},
            time_limit=time_limit,
            timings=timings,
            clock=watch.elapsed,
            time_shares={stage.name: _time_share(stage) for stage in stages},
            follow=shares,
            expected=self._expected_seconds(stages),
        )
        self._asked = 0.0
        self.run = Run(job_id=job_id, seed=seed, history=history, state=self._state)
        self._stage: Stage | None = None
        #: The stage whose generator runs; None between two stages.
        self.at_work: Stage | None = None
        self._began = 0.0
        self._loop: StageLoop | None = None
        self._left_out = LeftOut()
        self._writer = BackupWriter(self._left_out)
        self._parameters = [parameters(stage) for stage in stages]
        self._signature: dict[str, Any] | None = None
        self._backup: Backup | None = None
        self._backup_path: Path | None = None
        self._unsaved = False

    def restore(self, path: Path) -> bool:
        """Go on from a backup, if there is one, when the run is executed.

        Raises
        ------
        BackupError
            If it cannot be read, or is one of another run.
        """
        self._backup_path = path
        if not path.exists():
            self._warn_of_stages_that_begin_again(self._stages)
            return False
        backup = Backup.of_tree(read_backup(path), path)
        backup.check(self._describe(), path)
        with refusing(path):
            self._state.load_state_dict(backup.state)
            self.watch.go_on_from(backup.elapsed)
            self.tracker.load_state_dict(backup.tracker)
            self.tracker.best = self._best()
            self.run.stages += [StageRecord.restored(record) for record in backup.records]
        self._backup = backup
        self._warn_of_stages_that_begin_again(self._stages[backup.index :])
        return True

    def _warn_of_stages_that_begin_again(self, stages: Sequence[Stage]) -> None:
        names = [repr(one.name) for one in stages if not (one.keeps_state or one.brief)]
        if names:
            several = len(names) > 1
            warn_safely(
                f"the stage{'s' * several} {', '.join(names)} keep{'s' * (not several)} no state "
                "(Stage.state_dict): a run that is killed within one and resumed begins it again"
            )

    def _describe(self) -> dict[str, Any]:
        if self._signature is None:
            state, limit = self._state, self._time_limit
            self._signature = signature(self._stages, state.problem, state.seed, limit)
            for about, own in zip(self._signature["stages"], self._parameters, strict=True):
                about["parameters"] = own
        return self._signature

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
            self._heed()
            self._finish()
        finally:
            board.interruptible = False
        if run.exception is not None:
            raise run.exception
        return run

    def _run_through(self) -> None:
        try:
            self._callbacks.on_pipeline_begin(self._core_logs())
            begin, place = self._resume()
            self._run_stages(begin, place)
        except KeyboardInterrupt:
            self._heed()
        except BaseException as error:
            self.run.exception = error
            self._on_exception(error)

    def restored(self) -> dict[str, dict[str, Any]]:
        """Tell how the stages went that had ended in the run that this one goes on from."""
        names = ("done", "total", "seconds", "cost", "violations", "ended_by")
        return {one.name: {name: getattr(one, name) for name in names} for one in self.run.stages}

    def _heed(self) -> None:
        """End the run because of the KeyboardInterrupt in hand; at once if it is not the first."""
        if self.board.heeded:
            raise
        self.board.heeded = True

    def stop(self, by: str | None = None) -> None:
        """Ask the run to end; from any thread."""
        self.board.stop(by or self._caller())

    def skip_stage(self, by: str | None = None) -> None:
        """Ask the present stage to end, if the others work without it; from any thread."""
        stage = self._stage
        if stage is None or stage.skippable:
            self.board.skip(by or self._caller())

    def _caller(self) -> str:
        """Tell who asks for something: the callback in whose hook that happens, or the program."""
        callback = self._callbacks.calling()
        return PROGRAM if callback is None else type(callback).__name__

    def _resume(self) -> tuple[int, Place]:
        """Take up the backup, if there is one; return the first stage and where in it to begin."""
        backup = self._backup
        if backup is None:
            return 0, Place()
        with refusing(self._backup_path):
            # Not before the callbacks have seen what the parameters are without it.
            for stage, tuned in zip(self._stages, backup.tuned, strict=True):
                stage.set_params(**tuned)
            self._load_callbacks(backup.callbacks)
            for stage in self._stages[: backup.index]:
                budget = Budget(None, self._should_end, self.watch.elapsed)
                try:
                    for _ in stage.restore(self._state, budget):
                        if self.board.attention:
                            self._attend()
                        if self.board.stopped_by is not None:
                            return len(self._stages), Place()
                finally:
                    budget.end()
            self._state.complete()
            if backup.place.batch:
                self._load_stage(self._stages[backup.index], backup)
        return backup.index, backup.place

    def _load_stage(self, stage: Stage, backup: Backup) -> None:
        try:
            stage.load_state_dict(backup.place.state)
        except SENSELESS as error:
            if backup.left_out:
                raise BackupError(
                    self._backup_path,
                    f"it lacks what no backup can hold, {', '.join(backup.left_out)}, and the "
                    f"stage cannot go on without ({error!r:.200}); delete it to begin anew",
                ) from error
            raise

    def _load_callbacks(self, saved: list[tuple[str, dict[str, Any]]]) -> None:
        """Give each callback its state: the first of a class the first one's, and so on."""
        waiting = list(self._callbacks)
        for name, state in saved:
            callback = next((one for one in waiting if type(one).__name__ == name), None)
            if callback is not None:
                waiting.remove(callback)
                callback.load_state_dict(state)

    def _run_stages(self, begin: int, place: Place) -> None:
        for index, stage in list(enumerate(self._stages))[begin:]:
            self.board.begin_stage()
            self.board.heeded = self.board.heeded or self.board.interrupted
            if self.board.stopped_by is not None or self.board.heeded:
                return
            self._run_stage(index, stage, place if index == begin else Place())

    def _run_stage(self, index: int, stage: Stage, place: Place) -> None:
        seconds = self._seconds_for(index, place.spent)
        began, overtime = self.watch.elapsed() - place.spent, self._state.overtime
        self._stage, self._began = stage, began
        self.tracker.begin_stage(
            stage.name,
            seconds=None if seconds is None else seconds - place.spent,
            expected=self._expected_seconds(self._stages[index:]),
        )
        if place.batch and self._backup is not None:
            self.tracker.load_state_dict(self._backup.tracker)
        budget = Budget(seconds, self._should_end, self.watch.elapsed, place.spent)

        def latest() -> float:
            # Where no other stage works without it, it goes to its end.
            if seconds is None or not stage.skippable:
                return inf
            return began + seconds + _GRACE + self._state.overtime - overtime

        loop = self._loop = StageLoop(
            stage,
            self._callbacks,
            self._history,
            self.tracker,
            self.board,
            self.watch,
            latest,
            self._attend,
            self._best,
            place.batch,
            place.last,
        )
        try:
            self._callbacks.on_stage_begin(stage.name, self._begin_logs(stage, seconds))
            self._work(stage, loop, budget)
        except KeyboardInterrupt:
            self._heed()
        except BaseException as error:
            self._record(stage, loop, budget, began, FAILED)
            try:
                # What it has found before is not lost to those who keep it.
                self._announce_best()
            except CallbackError as later:
                error.add_note(f"then {later}")
            raise
        self._end_stage(stage, loop, budget, began)

    def _seconds_for(self, index: int, spent: float) -> float | None:
        """Divide the time that is left among the stages that are left; return the first's.

        What the first has `spent` before is part of what it gets.
        """
        if self._time_limit is None:
            return None
        limit = self.tracker.time_limit = self._time_limit + self._state.overtime
        shares = [_time_share(one) for one in self._stages[index:]]
        left = max(0.0, limit - self.watch.elapsed())
        return max(spent, (left + spent) * shares[0] / sum(shares))

    def _expected_seconds(self, stages: Sequence[Stage]) -> dict[str, float]:
        """Ask stages what they expect to take, as things stand."""
        answers = {
            stage.name: stage.expected_seconds(self._state, self._time_limit) for stage in stages
        }
        return {name: seconds for name, seconds in answers.items() if seconds is not None}

    def _work(self, stage: Stage, loop: StageLoop, budget: Budget) -> None:
        """Run the stage's generator and close it, whatever happens."""
        if (self.board.attention and self._attend()) or self._needless:
            return
        self.at_work, begun = stage, loop.batch
        self.board.stage_over = budget.end
        try:
            stream = _stream(stage, self._state, budget)
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
                raise senseless(self._backup_path, error) from error
            after = f" after batch {loop.batch - 1}" if loop.batch else " before its first batch"
            error.add_note(f"raised by stage {stage.name!r}{after}")
            raise
        finally:
            self.at_work = self.board.stage_over = None
            budget.end()

    def _attend(self) -> bool:
        """See to what the board asks for; return whether the stage should end."""
        board = self.board
        self.tracker.overtime = self._state.overtime
        if self._time_limit is not None:
            self.tracker.time_limit = self._time_limit + self._state.overtime
        elapsed = self.watch.elapsed()
        if self._stage is not None and elapsed >= self._asked + _ASK_SECONDS:
            self._asked = elapsed
            later = list(self._stages).index(self._stage) + 1
            self.tracker.expect(self._expected_seconds(self._stages[later:]))
        while board.attention:
            board.attention = False
            if board.interrupted and not self.board.heeded:
                # The exception was dropped by code that could not pass it on.
                raise KeyboardInterrupt
            self._announce_best()
            self._announce_infeasible()
            self._save_in_stage()
            if board.paused and not board.ending:
                self._pause()
        return board.ending or self._needless

    def _should_end(self) -> bool:
        """Tell whether the present stage should end, whatever the time; from any thread."""
        board = self.board
        return board.ending or board.interrupted or board.heeded or self._needless

    @property
    def _needless(self) -> bool:
        """Whether the present stage only looks for better solutions, and there is none."""
        return self._stage is not None and self._stage.only_improves and self._state.optimal

    def _save_in_stage(self) -> None:
        """Save the run after the unit that has just been finished, if somebody asks for it."""
        board, stage, loop = self.board, self._stage, self._loop
        stopped = board.stopped_by is not None
        path = board.saving or (self._backup_path if stopped else None)
        if path is None or stage is None or loop is None or not loop.at_unit:
            return
        # Where a callback ends the stage, a resumed run must not go on in it.
        if board.skipping or (stopped and board.stopped_by not in FROM_OUTSIDE):
            return
        name = f"stage {stage.name!r}: state"
        state, left_out = self._saved_state(stage, name)
        if state:
            spent = self.watch.elapsed() - self._began
            place = Place(loop.batch, loop.newest(), spent, state)
            self._save(path, list(self._stages).index(stage), place, left_out)

    def _saved_state(self, stage: Stage, name: str) -> tuple[dict[str, Any], list[str]]:
        """Return a copy of what a stage wants saved, and what of it cannot be."""
        try:
            state = stage.state_dict() or {}
            if not isinstance(state, Mapping):
                raise TypeError(f"it returned {shown(state)} and no dict")
        except Exception as error:
            self._left_out.add([f"{name} (state_dict failed: {error!r:.200})"])
            return {}, []
        # At once, and whole: the stage goes on changing what is its own.
        state, left_out = copy_savable(dict(state), name)
        self._left_out.add(left_out)
        return state, left_out

    def _saved_callbacks(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for callback in self._callbacks:
            name = type(callback).__name__
            try:
                state = callback.state_dict()
            except Exception as error:
                self._left_out.add([f"callback {name}: state (state_dict failed: {error!r:.200})"])
                continue
            if not isinstance(callback, History):
                # At once, as of a stage; a history's long lists are its copies already.
                state, left_out = copy_savable(state, f"callback {name}: state")
                self._left_out.add(left_out)
            if state:
                yield name, state

    def _save(self, path: Path, index: int, place: Place, left_out: Sequence[str] = ()) -> None:
        """Have the run written that goes on at a place in a stage."""
        self.board.saving = None
        try:
            state = self._state.state_dict()
        except Exception as error:
            self._warn_unsaved(f"its solution is of no kind that can be saved: {error!s:.200}")
            return
        if state["objects"] and all(type(one).restore is Stage.restore for one in self._stages):
            names = ", ".join(state["objects"])
            self._warn_unsaved(f"{names} on the state cannot be saved, and no stage restores it")
            return
        now = [parameters(one) for one in self._stages]
        backup = Backup(
            run=self._describe(),
            index=index,
            place=place,
            elapsed=self.watch.elapsed(),
            state=state,
            tracker=self.tracker.state_dict(),
            records=[asdict(record) for record in self.run.stages],
            callbacks=list(self._saved_callbacks()),
            tuned=[
                {name: value for name, value in new.items() if value != old.get(name)}
                for new, old in zip(now, self._parameters, strict=True)
            ],
            left_out=list(left_out),
        )
        self._writer.put(path, backup)

    def _warn_unsaved(self, why: str) -> None:
        if not self._unsaved:
            self._unsaved = True
            warn_safely(f"the run is not backed up: {why}", stacklevel=2)

    def _announce_best(self) -> None:
        if not self.board.improved:
            return
        self.board.improved = False
        self.tracker.best = self._best()
        if self._callbacks.overrides("on_solution"):
            loop = self._loop
            assert loop is not None, "only stages can offer solutions"
            logs = {"batch": loop.batch - 1 if loop.batch else None, **loop.core_logs()}
            self._callbacks.on_solution(self._state.solution, logs)

    def _announce_infeasible(self) -> None:
        reasons = self._state.infeasible_because
        if reasons and not self.run.infeasible_because:
            self.run.infeasible_because = reasons
            if self._tell is not None:
                self._tell(reasons)

    def _pause(self) -> None:
        self.watch.halt()
        self.tracker.status = PAUSED
        try:
            self.board.wait_while_paused()
        finally:
            self.tracker.status = RUNNING
            self.watch.go_on()

    def _end_stage(self, stage: Stage, loop: StageLoop, budget: Budget, began: float) -> None:
        ended_by = self._ended_by(loop, budget)
        if loop.batch:
            # The history was asked only when due, but wants the last batch in any case.
            self._history.on_batch_end(loop.batch - 1, loop.logs())
        self.tracker.end_stage(goes_on=ended_by not in ENDS_OF_THE_RUN)
        record = self._record(stage, loop, budget, began, ended_by)
        self._announce_best()
        logs = loop.logs() | {"progress": self.tracker.work_progress}
        logs |= {"batches": loop.batch, "seconds": record.seconds, "ended_by": ended_by}
        logs["stopped_by"] = record.stopped_by
        self._callbacks.on_stage_end(stage.name, logs)
        if self.board.saving is not None and ended_by not in ENDS_OF_THE_RUN:
            self._save(self.board.saving, list(self._stages).index(stage) + 1, Place())

    def _ended_by(self, loop: StageLoop, budget: Budget) -> str:
        if self.board.heeded:
            return INTERRUPTED
        if self.board.stopped_by is not None:
            return STOPPED
        if self.board.skipping:
            return SKIPPED
        if self._needless:
            return OPTIMAL
        if loop.closed == TIME:
            return TIME
        # One that has done all its units has not been cut short, however late it is.
        complete = loop.last is not None and loop.last.done == loop.last.total
        return TIME if budget.remaining == 0 and not complete else FINISHED

    def _record(
        self, stage: Stage, loop: StageLoop, budget: Budget, began: float, ended_by: str
    ) -> StageRecord:
        cost, violations = self._best()
        record = StageRecord(
            name=stage.name,
            unit=stage.unit,
            done=0 if loop.last is None else loop.last.done,
            total=None if loop.last is None else loop.last.total,
            seconds=self.watch.elapsed() - began,
            cost=cost,
            violations=violations,
            ended_by=ended_by,
            began=began,
            budget=budget.seconds,
            stopped_by={STOPPED: self.board.stopped_by, SKIPPED: self.board.skipped_by}.get(
                ended_by
            ),
        )
        self.run.stages.append(record)
        return record

    def _on_exception(self, error: BaseException) -> None:
        try:
            self._callbacks.on_exception(error)
        except CallbackError as later:
            error.add_note(f"then {later}")

    def _finish(self) -> None:
        """Complete the run and tell the callbacks that it is over."""
        run = self.run
        # From here on all that tell how long the run took tell the same.
        self.watch.halt()
        run.status = self._status()
        run.stopped_by = self._stopped_by()
        run.solution = self._state.solution
        run.cost, run.violations = self._best()
        run.bound = self._state.bound
        run.infeasible_because = self._state.infeasible_because
        run.seconds = self.watch.elapsed()
        self.tracker.finish(run.status)
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
            self._writer.close()
            self._callbacks.on_pipeline_end(self._end_logs())
        except KeyboardInterrupt:
            self._heed()
            self.run.status = INTERRUPTED
            self.run.stopped_by = self._stopped_by()
            self._callbacks.on_pipeline_end(self._end_logs())

    def _status(self) -> str:
        if self.run.exception is not None:
            return FAILED
        if self.board.heeded:
            return INTERRUPTED
        return FINISHED if self.board.stopped_by is None else STOPPED

    def _stopped_by(self) -> str | None:
        if self.run.status == STOPPED:
            return self.board.stopped_by
        number = self.board.signal
        # An interruption without a name is Ctrl-C, or the stop button of a notebook.
        if self.run.status != INTERRUPTED or number in (None, signal.SIGINT):
            return None
        return signal.Signals(number).name

    def _best(self) -> tuple[float | None, int | None]:
        return self._state.cost, self._state.violations

    def _core_logs(self) -> Logs:
        cost, violations = self._best()
        return {
            "progress": self.tracker.work_progress,
            "elapsed": self.watch.elapsed(),
            "cost": cost,
            "violations": violations,
        }

    def _begin_logs(self, stage: Stage, seconds: float | None) -> Logs:
        start, end = self.tracker.bounds(stage.name)
        about = {"stage": stage.name, "unit": stage.unit, "share": end - start, "budget": seconds}
        return about | self._core_logs()

    def _end_logs(self) -> Logs:
        run = self.run
        error = run.exception
        return {
            "status": run.status,
            "stopped_by": run.stopped_by,
            "stage": None if self._stage is None else self._stage.name,
            **self._core_logs(),
            "error": None if error is None else error_text(error),
        }


def _time_share(stage: Stage) -> float:
    return stage.share if stage.time_share is None else stage.time_share


def _stream(stage: Stage, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
    stream = stage.run(state, budget)
    if not hasattr(stream, "__next__"):
        raise TypeError(f"run() of stage {stage.name!r} must be a generator, got {stream!r}")
    return stream
