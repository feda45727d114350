"""A job's process holds on to its job, and lets go when it should."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress

from redis import RedisError

from ..jobs.lease import RENEW_SECONDS, Lease

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
