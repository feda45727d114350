"""A lock on a job's folder, which ends with the process that holds it."""

import fcntl
import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from ..jobs.lease import LEASE_SECONDS

_POLL_SECONDS = 0.1
# A process that has been killed gives it back at once; one that is well keeps it.
_WAIT_SECONDS = 2.0
# One that a busy machine leaves no time says so at least once in a minute.
_HUNG_SECONDS = 6.0 * LEASE_SECONDS


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
        self._held = False

    def take(self) -> bool:
        """Take it; a process that hangs, and so has it for ever, is killed.

        Returns
        -------
        bool
            False where another process has it that is alive.
        """
        if not self._try():
            if not self._holder_hangs():
                return False
            holder = os.pread(self._file, 1_000, 0).decode(errors="replace").split()
            if len(holder) != 2 or holder[0] != socket.gethostname():
                return False
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(holder[1]), signal.SIGKILL)
            if not self._try():
                return False
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{socket.gethostname()} {os.getpid()}".encode(), 0)
        self._held = True
        return True

    def say_alive(self) -> None:
        """Let others know that whoever holds it does not hang."""
        if self._held:
            with suppress(OSError):
                os.utime(self._file)

    def _holder_hangs(self) -> bool:
        return time.time() - os.fstat(self._file).st_mtime > _HUNG_SECONDS

    def _try(self) -> bool:
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(_POLL_SECONDS)
            else:
                return True
