"""The exception of backups."""

import os


class BackupError(ValueError):
    """A backup cannot be read, or is not one of the run that is to go on.

    Attributes
    ----------
    path
        The backup's file; None where none was written yet.
    """

    __module__ = "schoolbell.runner"

    def __init__(self, path: str | os.PathLike[str] | None, message: str) -> None:
        super().__init__(path, message)
        self.path = None if path is None else os.fspath(path)
        self.message = message

    def __str__(self) -> str:
        return self.message if self.path is None else f"backup {self.path}: {self.message}"
