"""Writes backups while the run goes on."""

import threading
from pathlib import Path
from typing import Any

from ..callbacks.safe_warning import warn_safely
from .backup_file import write_backup


class BackupWriter:
    """Writes backups from a thread of its own, the newest first.

    A backup that waits while another is being written is replaced by a newer
    one. When writing fails (a full disk) it warns once; the run goes on, and the
    last backup that was whole stays.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: tuple[Path, dict[str, Any]] | None = None
        self._closing = False
        self._warned = False
        self._thread: threading.Thread | None = None

    def put(self, path: Path, tree: dict[str, Any]) -> None:
        """Have a backup written soon; nobody may change `tree` from now on."""
        with self._changed:
            self._waiting = path, tree
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="schoolbell-backup", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Wait until what was put here is written, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            path, tree = job
            try:
                write_backup(path, tree)
            except OSError as error:
                if not self._warned:
                    self._warned = True
                    warn_safely(
                        f"the backup {path} cannot be written ({error.strerror or error}); the run "
                        "goes on, and an older backup stays as it is",
                        stacklevel=2,
                    )

    def _next(self) -> tuple[Path, dict[str, Any]] | None:
        with self._changed:
            while self._waiting is None and not self._closing:
                self._changed.wait()
            job, self._waiting = self._waiting, None
            return job
