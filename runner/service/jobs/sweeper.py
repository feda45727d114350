"""Finds the jobs that nobody works on, and sees to what is due."""

import threading
import time
from contextlib import suppress
from typing import Any

from redis import RedisError

from ....callbacks.remote.redis_connection import connect
from ....callbacks.safe_warning import warn_safely
from ..settings import Settings
from .job import Job
from .job_queue import JobQueue
from .job_store import JobStore
from .lease import Lease, lease_key
from .results import lost_result, stopped_result

SWEEP_SECONDS = 1.0
# A job is in no queue and has no lease for a moment while a worker takes it.
_SURE_SECONDS = 3.0
_OLD_EVERY = 600.0
_DAY = 86_400.0


class Sweeper:
    """Finds the jobs that nobody works on, and lets them wait for a worker again.

    Every process of a service has one; one at a time is at work. What it looks
    at is the folder, so that a Redis server that has forgotten everything is
    told anew. It also has stopped jobs killed that do not stop, and removes old
    ones.

    Parameters
    ----------
    settings
        The service's.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = JobStore(settings.folder)
        self._ended: set[str] = set()
        self._alone_since: dict[str, float] = {}
        self._old_at = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(SWEEP_SECONDS)

    def _work(self) -> None:
        warned = False
        while not self._over.is_set():
            try:
                self._work_connected()
            except (RedisError, OSError):
                # The server is away; what is due is due later.
                pass
            except Exception as error:
                if not warned:
                    warned = True
                    warn_safely(f"looking for lost jobs failed: {error!r:.200}", stacklevel=2)
            self._over.wait(SWEEP_SECONDS)

    def _work_connected(self) -> None:
        queue = JobQueue(self._settings)
        client = connect(self._settings.redis)
        turn = Lease(client, self._settings.prefix, "sweeper")
        try:
            while not self._over.is_set():
                if turn.renew():
                    self.sweep(client, queue)
                else:
                    self._alone_since.clear()
                self._over.wait(SWEEP_SECONDS)
            turn.release()
        finally:
            queue.close()
            client.close()

    def sweep(self, client: Any, queue: JobQueue) -> None:
        """Look once at all jobs that have not ended.

        Parameters
        ----------
        client, queue
            The server and its queue.

        Raises
        ------
        RedisError
            If the server cannot be asked.
        """
        jobs = self._open_jobs()
        if jobs:
            waiting = set(queue.ids())
            held = client.mget([lease_key(self._settings.prefix, job.id) for job in jobs])
            for job, holder in zip(jobs, held, strict=True):
                self._look(client, queue, job, job.id in waiting, holder is not None)
        now = time.monotonic()
        if now >= self._old_at:
            self._old_at = now + _OLD_EVERY
            self._store.remove_old(self._settings.keep_days * _DAY)

    def _open_jobs(self) -> list[Job]:
        found = []
        for identity in self._store.ids():
            if identity in self._ended:
                continue
            job = self._store.get(identity)
            if job is None:
                continue
            if job.result is None:
                found.append(job)
            elif job.unwanted:
                job.remove()
            else:
                self._ended.add(identity)
        return found

    def _look(self, client: Any, queue: JobQueue, job: Job, waits: bool, held: bool) -> None:
        asked = job.stop_asked
        if held:
            self._alone_since.pop(job.id, None)
            if asked is not None and time.time() - asked > self._settings.grace:
                queue.kill(job.id)
            return
        if waits and asked is None:
            self._alone_since.pop(job.id, None)
            return
        now = time.monotonic()
        since = self._alone_since.setdefault(job.id, now)
        if not waits and now - since < _SURE_SECONDS:
            return
        lost = job.lost_attempts > self._settings.retries
        if asked is None and not lost:
            queue.put(job.id)
        else:
            self._end(client, queue, job)
        self._alone_since.pop(job.id, None)

    def _end(self, client: Any, queue: JobQueue, job: Job) -> None:
        """Say how a job ended that has no process; under its lease, so that none begins now."""
        lease = Lease(client, self._settings.prefix, job.id)
        if not lease.take():
            return
        try:
            make = lost_result if job.stop_asked is None else stopped_result
            job.finish(make(self._settings, job))
            queue.forget(job.id)
        finally:
            with suppress(RedisError):
                lease.release()
