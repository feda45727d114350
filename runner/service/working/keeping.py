"""A job's process holds on to its job, and lets go when it should."""

import fcntl
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from redis import RedisError

from ..jobs.lease import LEASE_SECONDS, RENEW_SECONDS, Lease

_POLL_SECONDS = 0.1


class Keeping:
    """Renews the lease on a job while its process works, from a thread of its own.

    Parameters
    ----------
    lease
        What the worker that started the process has handed to it.
    let_go
        Called once when the process should end without a result: somebody else
        has the job, or the worker that started the process has gone.
    look
        Called each time.
    """

    def __init__(
        self, lease: Lease, let_go: Callable[[], object], look: Callable[[], object]
    ) -> None:
        self._lease = lease
        self._let_go = let_go
        self._look = look
        self._parent = os.getppid()
        self._over = threading.Event()
        #: Whether the job is somebody else's now.
        self.lost = False
        self._thread = threading.Thread(target=self._work, name="lease", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; the lease stays as it is."""
        self._over.set()
        self._thread.join(_POLL_SECONDS)

    def holds(self) -> bool:
        """Tell whether the job is this process's still; the server's absence changes nothing."""
        with suppress(RedisError, OSError):
            self.lost = self.lost or not self._lease.renew()
        return not self.lost

    def release(self) -> None:
        """Give the lease back."""
        with suppress(RedisError, OSError):
            self._lease.release()

    def _work(self) -> None:
        while not self._over.wait(RENEW_SECONDS):
            if not self.holds() or os.getppid() != self._parent:
                self._let_go()
                return
            self._look()


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
