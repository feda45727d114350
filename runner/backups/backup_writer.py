"""Writes backups while the run goes on."""

import threading
from pathlib import Path

from ...callbacks.plain_value import error_text
from ...callbacks.safe_warning import warn_safely
from .backup import Backup
from .backup_file import write_backup
from .left_out import LeftOut

# The end of a run waits so many seconds for its last backup: a disk may hang.
_PATIENCE = 30.0


class BackupWriter:
    """Writes backups from a thread of its own, the newest first.

    A backup that waits while another is being written is replaced by a newer
    one. When writing fails (a full disk, data that cannot be written) it warns
    once; the run goes on, and the last backup that was whole stays.

    Parameters
    ----------
    left_out
        Who is told what a backup could not hold.
    """

    def __init__(self, left_out: LeftOut) -> None:
        self._left_out = left_out
        self._changed = threading.Condition()
        self._waiting: tuple[Path, Backup] | None = None
        self._closing = False
        self._warned = False
        self._thread: threading.Thread | None = None

    def put(self, path: Path, backup: Backup) -> None:
        """Have a backup written soon; nobody may change it from now on."""
        with self._changed:
            self._waiting = path, backup
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="schoolbell-backup", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Wait until what was put here is written, for a while at most, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
            if self._thread.is_alive():
                warn_safely(
                    f"the last backup is not written after {_PATIENCE:g} s; the run ends without "
                    "waiting for it, and an older backup stays as it is",
                    stacklevel=2,
                )

    def _work(self) -> None:
        while (job := self._next()) is not None:
            path, backup = job
            try:
                tree, left_out = backup.as_tree()
                write_backup(path, tree)
                self._left_out.add(left_out)
            except Exception as error:
                # Whatever it is, of what a user's code has left there: a newer one may be well.
                if not self._warned:
                    self._warned = True
                    reason = error_text(error)
                    if isinstance(error, OSError):
                        reason = error.strerror or str(error)
                    warn_safely(
                        f"the backup {path} cannot be written ({reason:.200}); the run goes on, "
                        "and an older backup stays as it is",
                        stacklevel=2,
                    )

    def _next(self) -> tuple[Path, Backup] | None:
        with self._changed:
            while self._waiting is None and not self._closing:
                self._changed.wait()
            job, self._waiting = self._waiting, None
            return job
