"""Drives one run from beginning to end."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import Any

from ..callbacks import CallbackError, CallbackList, History, Logs
from ..callbacks.plain_value import error_text
from ..callbacks.safe_warning import warn_safely
from ..stages import Batch, Budget, Pulse, Stage, State
from .backup import SENSELESS, Backup, Place, parameters, refusing, senseless, signature
from .backup_file import read_backup
from .backup_writer import BackupWriter
from .progress_tracker import ProgressTracker
from .run import Run
from .stage_loop import StageLoop
from .stage_record import ENDS_OF_THE_RUN, StageRecord
from .stage_timing import StageTiming
from .stopwatch import Stopwatch
from .switchboard import Switchboard

# A stage that goes on for so many seconds after its budget is spent is closed.
_GRACE = 0.25

# A run that one of these has stopped is one that somebody may want to go on with.
_FROM_OUTSIDE = ("command", "cancelled")


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
    ) -> None:
        self.board = Switchboard()
        self.watch = watch
        self.tracker = ProgressTracker(
            {stage.name: stage.share for stage in stages},
            labels={stage.name: stage.label for stage in stages if stage.label},
            units={stage.name: stage.unit for stage in stages},
            time_limit=time_limit,
            timings=timings,
            clock=watch.elapsed,
        )
        self._stages = stages
        self._callbacks = callbacks
        self._history = history
        self._time_limit = time_limit
        self._state = State(
            problem,
            seed=seed,
            executor=executor,
            workers=workers,
            initial=initial,
            announce=self.board.improve,
            alert=self.board.look,
        )
        self.run = Run(job_id=job_id, seed=seed, history=history, state=self._state)
        self._stage: Stage | None = None
        #: The stage whose generator runs; None between two stages.
        self.at_work: Stage | None = None
        self._began = 0.0
        self._loop: StageLoop | None = None
        self._interrupted = False
        self._writer = BackupWriter()
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
            return False
        backup = Backup.of_tree(read_backup(path), path)
        backup.check(self._describe(), path)
        with refusing(path):
            for stage, tuned in zip(self._stages, backup.tuned, strict=True):
                stage.set_params(**tuned)
            self._state.load_state_dict(backup.state)
            self.watch.go_on_from(backup.elapsed)
            self.tracker.load_state_dict(backup.tracker)
            self.tracker.best = self._best()
            self.run.stages += [StageRecord.restored(record) for record in backup.records]
        self._backup = backup
        return True

    def _describe(self) -> dict[str, Any]:
        if self._signature is None:
            state, limit = self._state, self._time_limit
            self._signature = signature(self._stages, state.problem, state.seed, limit)
            for about, own in zip(self._signature["stages"], self._parameters, strict=True):
                about["parameters"] = own
        return self._signature

    def execute(self) -> Run:
        """Run everything; a KeyboardInterrupt ends it, a second one at once.

        Raises
        ------
        CallbackError
            When a callback raised.
        BaseException
            What a stage raised, with a note that names it.
        """
        run = self.run
        try:
            self._callbacks.on_pipeline_begin(self._core_logs())
            begin, place = self._resume()
            self._run_stages(begin, place)
        except KeyboardInterrupt:
            if self._interrupted:
                raise
            self._interrupted = True
        except BaseException as error:
            run.exception = error
            self._on_exception(error)
        self._finish()
        if run.exception is not None:
            raise run.exception
        return run

    def restored(self) -> dict[str, dict[str, Any]]:
        """Tell how the stages went that had ended in the run that this one goes on from."""
        names = ("done", "total", "seconds", "cost", "violations", "ended_by")
        return {one.name: {name: getattr(one, name) for name in names} for one in self.run.stages}

    def skip_stage(self) -> None:
        """Ask the present stage to end, if the others work without it; from any thread."""
        stage = self._stage
        if stage is None or stage.skippable:
            self.board.skip()

    def _resume(self) -> tuple[int, Place]:
        """Take up the backup, if there is one; return the first stage and where in it to begin."""
        backup = self._backup
        if backup is None:
            return 0, Place()
        with refusing(self._backup_path):
            self._load_callbacks(backup.callbacks)
            for stage in self._stages[: backup.index]:
                budget = Budget(clock=self.watch.elapsed)
                for _ in stage.restore(self._state, budget):
                    if self.board.attention:
                        self._attend()
                    if self.board.stopped_by is not None:
                        return len(self._stages), Place()
            self._state.complete()
            if backup.place.batch:
                self._stages[backup.index].load_state_dict(backup.place.state)
        return backup.index, backup.place

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
            self._interrupted = self._interrupted or self.board.interrupted
            if self.board.stopped_by is not None or self._interrupted:
                return
            self._run_stage(index, stage, place if index == begin else Place())

    def _run_stage(self, index: int, stage: Stage, place: Place) -> None:
        seconds = self._seconds_for(index, place.spent)
        began, overtime = self.watch.elapsed() - place.spent, self._state.overtime
        self._stage, self._began = stage, began
        self.tracker.begin_stage(
            stage.name, seconds=None if seconds is None else seconds - place.spent
        )
        if place.batch and self._backup is not None:
            self.tracker.load_state_dict(self._backup.tracker)
        budget = Budget(seconds, lambda: self.board.ending, self.watch.elapsed, place.spent)

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
            if self._interrupted:
                raise
            self._interrupted = True
        except BaseException as error:
            self._record(stage, loop, budget, began, "failed")
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

    def _work(self, stage: Stage, loop: StageLoop, budget: Budget) -> None:
        """Run the stage's generator and close it, whatever happens."""
        if (self.board.attention and self._attend()) or self._needless:
            return
        self.at_work, begun = stage, loop.batch
        try:
            stream = _stream(stage, self._state, budget)
            try:
                loop.run(stream)
            except KeyboardInterrupt:
                # Before the generator is closed: another one then ends everything at once.
                self._interrupted = True
            finally:
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
            self.at_work = None

    def _attend(self) -> bool:
        """See to what the board asks for; return whether the stage should end."""
        board = self.board
        if self._time_limit is not None:
            self.tracker.time_limit = self._time_limit + self._state.overtime
        while board.attention:
            board.attention = False
            if board.interrupted and not self._interrupted:
                # The exception was dropped by code that could not pass it on.
                raise KeyboardInterrupt
            self._announce_best()
            self._save_in_stage()
            if board.paused and not board.ending:
                self._pause()
        return board.ending or self._needless

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
        if board.skipping or (stopped and board.stopped_by not in _FROM_OUTSIDE):
            return
        state = stage.state_dict()
        if state:
            spent = self.watch.elapsed() - self._began
            place = Place(loop.batch, loop.newest(), spent, state)
            self._save(path, list(self._stages).index(stage), place)

    def _save(self, path: Path, index: int, place: Place) -> None:
        """Have the run written that goes on at a place in a stage."""
        self.board.saving = None
        try:
            state = self._state.state_dict()
        except TypeError as error:
            self._warn_unsaved(f"its solution is of no kind that can be saved: {error}")
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
            callbacks=[
                (type(one).__name__, saved)
                for one in self._callbacks
                if (saved := one.state_dict())
            ],
            tuned=[
                {name: value for name, value in new.items() if value != old.get(name)}
                for new, old in zip(now, self._parameters, strict=True)
            ],
        )
        self._writer.put(path, backup.as_tree())

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

    def _pause(self) -> None:
        self.watch.halt()
        self.tracker.status = "paused"
        try:
            self.board.wait_while_paused()
        finally:
            self.tracker.status = "running"
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
        self._callbacks.on_stage_end(stage.name, logs)
        if self.board.saving is not None and ended_by not in ENDS_OF_THE_RUN:
            self._save(self.board.saving, list(self._stages).index(stage) + 1, Place())

    def _ended_by(self, loop: StageLoop, budget: Budget) -> str:
        if self._interrupted:
            return "interrupted"
        if self.board.stopped_by is not None:
            return "stopped"
        if self.board.skipping:
            return "skipped"
        if self._needless:
            return "optimal"
        return "time" if loop.closed == "time" or budget.should_end else "finished"

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
        run.status = self._status()
        run.stopped_by = self.board.stopped_by if run.status == "stopped" else None
        run.solution = self._state.solution
        run.cost, run.violations = self._best()
        run.bound = self._state.bound
        run.seconds = self.watch.elapsed()
        self.tracker.finish(run.status)
        try:
            self._call_pipeline_end()
        except CallbackError as error:
            run.status = "failed"
            if run.exception is None:
                run.exception = error
            else:
                run.exception.add_note(f"then {error}")
        run.seconds = self.watch.elapsed()

    def _call_pipeline_end(self) -> None:
        try:
            self._writer.close()
            self._callbacks.on_pipeline_end(self._end_logs())
        except KeyboardInterrupt:
            if self._interrupted:
                raise
            self._interrupted = True
            self.run.status = "interrupted"
            self._callbacks.on_pipeline_end(self._end_logs())

    def _status(self) -> str:
        if self.run.exception is not None:
            return "failed"
        if self._interrupted:
            return "interrupted"
        return "finished" if self.board.stopped_by is None else "stopped"

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
        share = stage.share / sum(one.share for one in self._stages)
        about = {"stage": stage.name, "unit": stage.unit, "share": share, "budget": seconds}
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
