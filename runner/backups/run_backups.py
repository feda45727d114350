"""Saves a run between two units, and takes it up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...callbacks import History
from ...callbacks.safe_warning import warn_safely
from ...callbacks.vocabulary import FROM_OUTSIDE
from ...stages import Budget, Stage
from ...stages.plain_data import copy_savable, shown
from ..results.stage_record import StageRecord
from .backup import SENSELESS, Backup, Place, parameters, refusing, senseless, signature
from .backup_error import BackupError
from .backup_file import read_backup
from .backup_writer import BackupWriter
from .encoding import UnsavableError, decode, encode
from .left_out import LeftOut

if TYPE_CHECKING:
    from ..engine.run_context import RunContext
    from ..engine.run_spec import RunSpec
    from ..engine.stage_loop import StageLoop


class RunBackups:
    """The backups of one run: the one that it goes on from, and those that it leaves.

    Parameters
    ----------
    spec
        What the run is asked to do.
    context
        What its parts share.

    Attributes
    ----------
    pickles
        Whether whatever else can be pickled is, and is unpickled again.
    """

    def __init__(self, spec: RunSpec, context: RunContext) -> None:
        self._spec = spec
        self._context = context
        self._left_out = LeftOut()
        self._writer = BackupWriter(self._left_out)
        self._parameters = [parameters(stage) for stage in spec.stages]
        self._signature: dict[str, Any] | None = None
        self._found: Backup | None = None
        self._path: Path | None = None
        self._warned = False
        self.pickles = False
        # What stages have named as `saved` that had ended, by name; None of what cannot be saved.
        self._saved: dict[str, Any] = {}
        self._unsavable: set[str] = set()

    def restore(self, path: Path) -> bool:
        """Go on from a backup, if there is one, when the run begins (`resume`).

        Raises
        ------
        BackupError
            If it cannot be read, or is one of another run.
        """
        self._path = path
        stages, context = self._spec.stages, self._context
        if not path.exists():
            _warn_of_stages_that_begin_again(stages)
            return False
        backup = Backup.of_tree(read_backup(path), path)
        backup.check(self._describe(), path)
        with refusing(path):
            if backup.pickled:
                self._unpickle(backup, path)
            self._saved = dict(backup.saved)
            context.state.load_state_dict(backup.state)
            context.watch.go_on_from(backup.elapsed)
            context.tracker.load_state_dict(backup.tracker)
            context.tracker.best = context.best()
            context.run.stages += [StageRecord.of_state(record) for record in backup.records]
        self._found = backup
        _warn_of_stages_that_begin_again(stages[backup.place.index :])
        return True

    def ended_stages(self) -> dict[str, dict[str, Any]]:
        """Tell how the stages went that had ended in the run that this one goes on from."""
        names = ("done", "total", "seconds", "cost", "violations", "ended_by")
        stages = self._context.run.stages
        return {one.name: {name: getattr(one, name) for name in names} for one in stages}

    def resume(
        self, handle_requests: Callable[[], object], should_end: Callable[[], bool]
    ) -> Place:
        """Take up the backup that was found, if one was; return where the run begins.

        Parameters
        ----------
        handle_requests
            Called while stages make again what they had left, whenever somebody asks something.
        should_end
            Tells whether the run is to end, for these stages.
        """
        backup = self._found
        if backup is None:
            return Place()
        stages, context = self._spec.stages, self._context
        with refusing(self._path):
            # Not before the callbacks have seen what the parameters are without it.
            for stage, tuned in zip(stages, backup.tuned, strict=True):
                stage.set_params(**tuned)
            self._load_callbacks(backup.callbacks)
            for stage in stages[: backup.place.index + 1]:
                self._load_saved(stage)
            for stage in stages[: backup.place.index]:
                budget = Budget(None, should_end, context.watch.elapsed)
                try:
                    for _ in stage.restore(context.state, budget):
                        if context.board.attention:
                            handle_requests()
                        if context.board.stopped_by is not None:
                            return Place(index=len(stages))
                finally:
                    budget.end()
            context.state.complete(over=backup.place.index == len(stages))
            if backup.place.batch and backup.place.state:
                self._load_stage(stages[backup.place.index], backup)
        return backup.place

    def resume_progress(self) -> None:
        """Set the progress of the stage that goes on back to where it was."""
        if self._found is not None:
            self._context.tracker.load_state_dict(self._found.tracker)

    def senseless(self, error: BaseException) -> BackupError:
        """Return the error for a backup that made a stage raise another one."""
        return senseless(self._path, error)

    def save_in_stage(self, stage: Stage, loop: StageLoop, began: float) -> None:
        """Save the run after the unit that has just been finished, if somebody asks for it.

        Parameters
        ----------
        stage, loop
            The present stage.
        began
            When it began, in seconds of the run.
        """
        board = self._context.board
        stopped = board.stopped_by is not None
        path = board.saving or (self._path if stopped else None)
        if path is None or not loop.at_unit:
            return
        # Where a callback ends the stage, a resumed run must not go on in it.
        if board.skipping or (stopped and board.stopped_by not in FROM_OUTSIDE):
            return
        name = f"stage {stage.name!r}: state"
        state, left_out = self._saved_state(stage, name)
        if self._save_attributes(stage) and (state or stage.saved):
            spent = self._context.watch.elapsed() - began
            index = list(self._spec.stages).index(stage)
            place = Place(loop.batch, loop.newest(), spent, state, index=index)
            self._save(path, place, left_out)

    def save_after(self, stage: Stage) -> None:
        """Save the run after the end of a stage, if somebody asks for it."""
        if self._context.board.saving is not None:
            index = list(self._spec.stages).index(stage) + 1
            self._save_attributes(stage)
            self._save(self._context.board.saving, Place(index=index))

    def close(self) -> None:
        """Wait until what is to be written is written."""
        self._writer.close()

    def _describe(self) -> dict[str, Any]:
        if self._signature is None:
            spec = self._spec
            self._signature = signature(
                spec.stages, spec.problem, spec.seed, spec.time_limit, spec.goal
            )
            for about, own in zip(self._signature["stages"], self._parameters, strict=True):
                about["parameters"] = own
        return self._signature

    def _save_attributes(self, stage: Stage) -> bool:
        """Take a copy of what a stage names as `saved`; return whether that can be done."""
        if not stage.saved:
            return True
        if stage.name in self._unsavable:
            return False
        try:
            values = {name: getattr(stage, name) for name in stage.saved}
            self._saved[stage.name] = encode(values, f"stage {stage.name!r}: saved", self.pickles)
        except (UnsavableError, AttributeError) as error:
            self._unsavable.add(stage.name)
            self._saved.pop(stage.name, None)
            more = "" if self.pickles else "; BackupAndRestore(pickle=True) pickles what can be"
            warn_safely(
                f"a backup cannot hold {error}: a run that is killed within "
                f"the stage and resumed begins it again{more}"
            )
            return False
        return True

    def _load_saved(self, stage: Stage) -> None:
        saved = self._saved.get(stage.name)
        if saved is None or not stage.saved:
            return
        for name, value in decode(saved, self.pickles).items():
            if name not in stage.saved:
                raise ValueError(f"stage {stage.name!r} saves no {name!r:.40}")
            setattr(stage, name, value)

    def _unpickle(self, backup: Backup, path: Path) -> None:
        """Turn what was encoded, since it was to be pickled, back into what it was."""
        if not self.pickles:
            raise BackupError(
                path,
                "there are pickled objects in it, which can run code when they are unpickled: "
                "if you trust it, give BackupAndRestore(pickle=True), else delete it",
            )
        backup.state = decode(backup.state, unpickles=True)
        backup.place.state = decode(backup.place.state, unpickles=True)
        backup.callbacks = [(name, decode(one, unpickles=True)) for name, one in backup.callbacks]

    def _load_stage(self, stage: Stage, backup: Backup) -> None:
        try:
            stage.load_state_dict(backup.place.state)
        except SENSELESS as error:
            if backup.left_out:
                raise BackupError(
                    self._path,
                    f"it lacks what no backup can hold, {', '.join(backup.left_out)}, and the "
                    f"stage cannot go on without ({error!r:.200}); delete it to begin anew",
                ) from error
            raise

    def _load_callbacks(self, saved: list[tuple[str, dict[str, Any]]]) -> None:
        """Give each callback its state: the first of a class the first one's, and so on."""
        waiting = list(self._context.callbacks)
        for name, state in saved:
            callback = next((one for one in waiting if type(one).__name__ == name), None)
            if callback is not None:
                waiting.remove(callback)
                callback.load_state_dict(state)

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
        state, left_out = self._copied(dict(state), name)
        self._left_out.add(left_out)
        return state, left_out

    def _copied(self, state: dict[str, Any], name: str) -> tuple[Any, list[str]]:
        """Return a copy of what a backup can hold of a state, and what it cannot."""
        if not self.pickles:
            return copy_savable(state, name)
        try:
            return encode(state, name, pickles=True), []
        except UnsavableError:
            # What can neither be saved nor pickled is left out, entry by entry.
            kept, left_out = {}, []
            for own, value in state.items():
                try:
                    encode(value, f"{name}.{own}", pickles=True)
                    kept[own] = value
                except UnsavableError as error:
                    left_out.append(str(error))
            return encode(kept, name, pickles=True), left_out

    def _saved_callbacks(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for callback in self._context.callbacks:
            name = type(callback).__name__
            try:
                state = callback.state_dict()
            except Exception as error:
                self._left_out.add([f"callback {name}: state (state_dict failed: {error!r:.200})"])
                continue
            if self.pickles or not isinstance(callback, History):
                # At once, as of a stage; a history's long lists are its copies already.
                state, left_out = self._copied(state, f"callback {name}: state")
                self._left_out.add(left_out)
            if state:
                yield name, state

    def _save(self, path: Path, place: Place, left_out: Sequence[str] = ()) -> None:
        """Have the run written that goes on at a place."""
        stages, context = self._spec.stages, self._context
        context.board.saving = None
        try:
            state = self._state_of_run()
        except Exception as error:
            self._warn_unsaved(f"its solution is of no kind that can be saved: {error!s:.200}")
            return
        objects = state["objects"]
        if objects and all(type(one).restore is Stage.restore for one in stages):
            names = ", ".join(objects)
            self._warn_unsaved(f"{names} on the state cannot be saved, and no stage restores it")
            return
        now = [parameters(one) for one in stages]
        # Those that have ended, and the one that goes on.
        reached = {one.name for one in stages[: place.index + (1 if place.batch else 0)]}
        backup = Backup(
            run=self._describe(),
            place=place,
            elapsed=context.watch.elapsed(),
            state=state,
            tracker=context.tracker.state_dict(),
            records=[asdict(record) for record in context.run.stages],
            callbacks=list(self._saved_callbacks()),
            tuned=[
                {name: value for name, value in new.items() if value != old.get(name)}
                for new, old in zip(now, self._parameters, strict=True)
            ],
            left_out=list(left_out),
            saved={name: one for name, one in self._saved.items() if name in reached},
            pickled=self.pickles,
        )
        self._writer.put(path, backup)

    def _state_of_run(self) -> dict[str, Any]:
        state = self._context.state
        if not self.pickles:
            return state.state_dict()
        return encode(state.state_dict(_savable), "the state", pickles=True)

    def _warn_unsaved(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            warn_safely(f"the run is not backed up: {why}", stacklevel=2)


def _savable(value: Any, name: str) -> Any:
    """Return a value if it can be saved by pickling what has to be; a TypeError if not."""
    encode(value, name, pickles=True)
    return value


def _warn_of_stages_that_begin_again(stages: Sequence[Stage]) -> None:
    names = [repr(one.name) for one in stages if not (one.keeps_state or one.brief)]
    if names:
        several = len(names) > 1
        warn_safely(
            f"the stage{'s' * several} {', '.join(names)} keep{'s' * (not several)} no state "
            "(Stage.state_dict, report.saved): a run that is killed within one and resumed begins "
            "it again"
        )
