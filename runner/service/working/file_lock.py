"""A lock on a job's folder, which ends with the process that holds it."""

import fcntl
import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from ..jobs.lease import LEASE_SECONDS, RENEW_SECONDS

_POLL_SECONDS = 0.1


class FileLock:
    """A lock on a job's folder, which a process that ends in whatever way gives back.

    The lease tells other machines; this is for a process that lives on while
    the server has forgotten it.

    Parameters
    ----------
    path
        The lock's file.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self) -> bool:
        """Take it, after a process that no longer renews its lease was killed if need be.

        Returns
        -------
        bool
            False where another machine's process has it.
        """
        if not self._try(LEASE_SECONDS):
            holder = os.pread(self._file, 1_000, 0).decode(errors="replace").split()
            if len(holder) != 2 or holder[0] != socket.gethostname():
                return False
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(holder[1]), signal.SIGKILL)
            if not self._try(RENEW_SECONDS):
                return False
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{socket.gethostname()} {os.getpid()}".encode(), 0)
        return True

    def _try(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(_POLL_SECONDS)
            else:
                return True
