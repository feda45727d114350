"""Where tasks on an executor leave how much of their work is done."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Behind the tasks' parts: not 0 when they should stop.
_STOP = -1


class PartBoard:
    """A part, 0 to 1, of each of some tasks; those in other processes share it by a file.

    The file is made when the first of them is sent to another process. On another
    machine, where the file is not, a task writes to a board of its own that nobody reads.

    Parameters
    ----------
    tasks
        How many there are.
    """

    def __init__(self, tasks: int) -> None:
        self._values: NDArray[np.float64] = np.zeros(tasks + 1)
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix="schoolbell-", ignore_cleanup_errors=True
            )
            shared = np.memmap(self._path, np.float64, "w+", shape=self._values.shape)
            shared[:] = self._values
            self._values = shared
        return {"path": str(self._path), "size": len(self._values)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._folder = None
        try:
            self._values = np.memmap(state["path"], np.float64, "r+", shape=(state["size"],))
        except OSError:
            self._values = np.zeros(state["size"])

    @property
    def _path(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / "parts"

    def __getitem__(self, task: int) -> float:
        return float(self._values[task])

    def tell(self, task: int, part: float) -> None:
        """Leave a task's part, which never goes back."""
        self._values[task] = max(self._values[task], part)

    @property
    def stopped(self) -> bool:
        """Whether nobody waits for the tasks any more."""
        return bool(self._values[_STOP])

    def close(self) -> None:
        """Ask the tasks to stop and remove the file."""
        self._values[_STOP] = 1.0
        if self._folder is not None:
            self._folder.cleanup()
