"""Saves a run, and goes on from what was saved."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from ..argument_error import ArgumentError, check_number
from ..background.writable import check_folder
from ..callback import Callback, Logs
from ..vocabulary import FINISHED, FROM_OUTSIDE, STOPPED

FILE = "backup.npz"


class BackupAndRestore(Callback):
    """Saves the whole run now and then; the same `fit` again goes on from there.

    A backup holds the stage and its state (the population, the random states,
    the agent), the best solution, the history, the progress, the seconds spent,
    and the state of callbacks that have one (`Callback.state_dict`). With
    budgets in units, a run that is killed and resumed, however often, ends with
    the same solution and history (but for the seconds) as one that never was.
    With a time limit, the time already spent counts. A stage that keeps no state
    begins again; a warning at the beginning names those that do (`Stage.brief`).

    The file is written in the background, and a kill while it is written leaves
    the one before. It is deleted when the run has finished or a callback has
    stopped it; it stays after Ctrl-C, a failure and a stop by command.

    Parameters
    ----------
    backup_dir
        Folder of the backup, for one run at a time; it is made if it is missing.
    save_freq
        ``"stage"`` saves at the end of every stage, a number after so many
        batches of any stage, None neither.
    interval
        Saves after the first batch after so many seconds too; None for not.
    delete_checkpoint
        Whether to delete the backup at the run's good end.
    pickle
        Whether to pickle what a backup has no place for (objects that a stage
        saves, its solutions, a callback's state), and to unpickle it again. Only
        then is anything unpickled: whoever can write into the folder can then run
        code in the process that resumes. Without it, what is no plain data and no
        random generator or dataclass is left out and named in a warning.

    Attributes
    ----------
    resumed
        Whether the present or last run went on from a backup.

    Raises
    ------
    ValueError
        For impossible arguments.
    BackupError
        At the beginning of a run, for a backup that is damaged or one of
        another problem, other stages or parameters, another seed or time limit.
    OSError
        Before a run, for a folder that cannot be made or takes no files.
    """

    __module__ = "schoolbell.callbacks"

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: Literal["stage"] | int | None = "stage",
        interval: float | None = 30.0,
        delete_checkpoint: bool = True,
        pickle: bool = False,
    ) -> None:
        super().__init__()
        is_count = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq not in ("stage", None) and not is_count:
            wanted = '"stage", a number of batches or None'
            raise ArgumentError.of("save_freq", wanted, save_freq)
        if interval is not None:
            check_number("interval", interval, 0, "0 seconds or more")
        if not isinstance(backup_dir, str | os.PathLike):
            raise ArgumentError.of("backup_dir", "the path of a folder", backup_dir)
        if not isinstance(pickle, bool):
            raise ArgumentError.of("pickle", "True or False", pickle)
        self.backup_dir = backup_dir
        self.save_freq = save_freq
        self.interval = interval
        self.delete_checkpoint = delete_checkpoint
        self.pickle = pickle
        self.resumed = False
        self._batches = 0
        self._saved_at = 0.0

    @property
    def path(self) -> Path:
        """The backup's file."""
        return Path(self.backup_dir) / FILE

    def set_params(self, params: Mapping[str, Any] | None = None, /, **values: Any) -> Self:
        super().set_params(params, **values)
        if params is not None:
            self._restore()
        return self

    def _restore(self) -> None:
        self._batches = 0
        self._saved_at = time.monotonic()
        self.resumed = self.pipeline.restore(self.path, **self._options)

    @property
    def _options(self) -> dict[str, bool]:
        return {"pickle": True} if self.pickle else {}

    def check(self) -> None:
        check_folder(self.path.parent)

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        # Not before: a run that is refused leaves no folder behind.
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for left_over in self.path.parent.glob(f".{FILE}.*.part"):
            left_over.unlink(missing_ok=True)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        due = isinstance(self.save_freq, int) and self._batches % self.save_freq == 0
        if due or (
            self.interval is not None and time.monotonic() - self._saved_at >= self.interval
        ):
            self._save()

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        if self.save_freq == "stage":
            self._save()

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        self.pipeline.save(self.path, **self._options)

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        about = logs or {}
        status, by = about.get("status"), about.get("stopped_by")
        good = status == FINISHED or (status == STOPPED and by not in FROM_OUTSIDE)
        if self.delete_checkpoint and good:
            self.path.unlink(missing_ok=True)
