"""Who may work on a job: one process at a time."""

import secrets
from typing import TYPE_CHECKING, Any

from ....callbacks.remote.job_keys import HEARTBEAT_SECONDS

if TYPE_CHECKING:
    from redis import Redis

LEASE_SECONDS = HEARTBEAT_SECONDS
"""Seconds after which a lease that nobody renews is free."""

RENEW_SECONDS = 2.0
"""Seconds between two renewals."""


def lease_key(prefix: str, job_id: str) -> str:
    """Return the key that holds who works on a job."""
    return f"{prefix}:service:lease:{job_id}"


class Lease:
    """A lease on a job: a key in Redis that expires unless its holder renews it.

    Parameters
    ----------
    client
        The server.
    prefix
        What the service's keys begin with.
    job_id
        The job.
    token
        The holder's own; a new one by default. A process that is handed it holds the lease too.
    """

    def __init__(self, client: "Redis", prefix: str, job_id: str, token: str | None = None) -> None:
        from redis.lock import Lock

        self.token = token or secrets.token_hex(16)
        self._lock = Lock(
            client, lease_key(prefix, job_id), timeout=LEASE_SECONDS, thread_local=False
        )
        # The client's own answers may be texts or bytes; the lock compares in the server.
        self._lock.local.token = self.token.encode() if token else None

    def take(self) -> bool:
        """Take it if it is free; return whether it is held now."""
        return bool(self._lock.acquire(blocking=False, token=self.token))

    def renew(self) -> bool:
        """Keep it for a while longer; return False if somebody else holds it.

        A server that has lost it in the meantime, in a restart, gives it again.
        """
        from redis.exceptions import LockError

        local: Any = self._lock.local
        local.token = self.token.encode()
        try:
            return self._lock.reacquire()
        except LockError:
            return self.take()

    def release(self) -> None:
        """Give it back, if it is held."""
        from redis.exceptions import LockError

        local: Any = self._lock.local
        local.token = self.token.encode()
        try:
            self._lock.release()
        except LockError:
            # It has expired, or is somebody else's.
            return
