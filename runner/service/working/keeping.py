"""A job's process holds on to its job, and lets go when it should."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from redis import RedisError

from ..jobs.lease import LEASE_SECONDS, RENEW_SECONDS, Lease

_POLL_SECONDS = 0.1
# Whoever finds the job's folder locked gives the lease back much sooner.
_MOST_FOREIGN_SECONDS = 2.0 * LEASE_SECONDS


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
        self._foreign_since: float | None = None
        self._lease = lease
        self._let_go = let_go
        self._look = look
        self._parent = os.getppid()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="lease", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; the lease stays as it is."""
        self._over.set()
        self._thread.join(_POLL_SECONDS)

    def _holds(self) -> bool:
        """Renew; tell whether the job is this process's still.

        The server's absence changes nothing, and neither does somebody who has the lease
        for a moment since this process got no time to renew it.
        """
        try:
            held = self._lease.renew()
        except (RedisError, OSError):
            return True
        now = time.monotonic()
        if held:
            self._foreign_since = None
        elif self._foreign_since is None:
            self._foreign_since = now
        return held or now - (self._foreign_since or now) < _MOST_FOREIGN_SECONDS

    def release(self) -> None:
        """Give the lease back."""
        with suppress(RedisError, OSError):
            self._lease.release()

    def _work(self) -> None:
        while not self._over.wait(RENEW_SECONDS):
            if not self._holds() or os.getppid() != self._parent:
                self._let_go()
                return
            self._look()
