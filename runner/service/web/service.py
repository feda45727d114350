"""What the routes of a service's web application work with."""

import gzip
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import Depends, Request
from redis import RedisError

from ....callbacks.remote.job_keys import JobKeys
from ....callbacks.remote.redis_connection import connect
from ....callbacks.vocabulary import PAUSED, RUNNING
from ...problems.problem_kind import is_packed
from ...watching.watched_snapshot import WatchedSnapshot
from ..checking.checker import Checker
from ..client.event_reader import EventReader
from ..jobs.job import Job
from ..jobs.job_queue import JobQueue
from ..jobs.job_request import JobRequest
from ..jobs.job_state import describe_all
from ..jobs.job_store import JobStore
from ..jobs.sweeper import Sweeper
from ..settings import Settings
from .event_stream import job_events
from .job_feeds import JobFeeds
from .problem import Problem
from .sessions import Sessions
from .tokens import LOCAL, Tokens

COOKIE = "schoolbell_session"
_MOST_COMMANDS = 1_000
_COMMAND_SECONDS = 3_600


class Service:
    """One service, as its web application has it.

    Parameters
    ----------
    settings
        Its settings.
    tokens
        Who may use it.
    """

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self.settings = settings
        self.tokens = tokens
        self.store = JobStore(settings.folder)
        self.client = connect(settings.redis)
        self.queue = JobQueue(settings)
        self.sessions = Sessions(self.client, settings.prefix)
        self.checker = Checker(settings.makers, settings.max_lectures)
        self._sweeper = Sweeper(settings)
        self._started = False
        #: Set when no event stream is to go on.
        self.ending = threading.Event()
        #: What those are told who watch jobs.
        self.feeds = JobFeeds(settings, self.ending)

    def start(self) -> None:
        """Begin to look for lost jobs, and to be ready for files, if it has not begun."""
        if not self._started:
            self._started = True
            self._sweeper.start()
            self.checker.start()

    def stop(self) -> None:
        """End what `start` began."""
        self.ending.set()
        self._sweeper.stop()
        self.checker.stop()
        self.queue.close()
        self.client.close()

    def jobs_of(self, owner: str) -> list[Job]:
        """Return an owner's jobs, the newest first."""
        return [job for job in self.store.jobs() if job.owner == owner and not job.unwanted]

    def job_of(self, owner: str, job_id: str) -> Job:
        """Return a job of an owner's; another's is none."""
        job = self.store.get(job_id)
        if job is None or job.owner != owner or job.unwanted:
            raise Problem(404, f"there is no job {job_id[:60]!r}")
        return job

    def tell(self, jobs: Iterable[Job]) -> list[dict[str, Any]]:
        """Return jobs as clients see them."""
        return describe_all(self.client, self.settings.prefix, list(jobs))

    def submit(
        self, request: JobRequest, instance: bytes, owner: str, key: str | None
    ) -> tuple[Job, bool]:
        """Check what is asked for, keep it, and let it wait for a worker.

        Returns
        -------
        Job
            The job.
        bool
            Whether it is new.
        """
        self._check_limits(request)
        found = self.checker.check(instance, request.formulation, parameters=request.parameters)
        kept = _packed(instance) if found["text"] is None else found["text"].encode()
        job, new = self.store.add(request, kept, owner, key, found["kind"])
        if new:
            try:
                self.queue.put(job.id)
            except RedisError:
                # It is kept; whoever looks for lost jobs lets it wait as soon as that is possible.
                return job, new
        return job, new

    def start_job(
        self, instance: bytes | str, *, owner: str = LOCAL, key: str | None = None, **request: Any
    ) -> Job:
        """Start a job for the program that this service is a part of.

        Parameters
        ----------
        instance
            The contents of a ``.ctt``, ``.ectt``, ``.xml`` or ``.xml.gz`` file.
        owner
            Whose job it is.
        key
            Idempotency key.
        request
            As `JobRequest` has it: ``time_limit``, ``seed``, ``parameters``, ….

        Raises
        ------
        CheckError
            If something is wrong with the instance.
        Problem
            For values over the service's limits.
        """
        self.start()
        data = instance.encode() if isinstance(instance, str) else instance
        return self.submit(JobRequest(**request), data, owner, key)[0]

    async def awatch(self, job_id: str, owner: str = LOCAL) -> AsyncIterator[WatchedSnapshot]:
        """Yield where a job stands, from the queue to its end; the last one has an ``outcome``."""
        job = self.job_of(owner, job_id)
        reader = EventReader()
        # Closed at once when nobody asks for more, and with it the feed of whoever watched last.
        async with aclosing(job_events(self.feeds, job, None)) as events:
            async for told in events:
                snapshot = reader.take(told.event, told.values)
                if snapshot is not None:
                    yield snapshot

    def check_quotas(self, owner: str) -> None:
        """See that an owner may have one more job, and the queue one more."""
        settings = self.settings
        own = sum(job.result is None for job in self.jobs_of(owner))
        wait = {"Retry-After": "30"}
        if own >= settings.max_jobs:
            words = f"found {own} jobs of {owner} that have not ended, expected fewer than"
            raise Problem(429, f"{words} {settings.max_jobs} before a new one", None, wait)
        if self.queue.rq.count >= settings.max_queue:
            words = f"found {settings.max_queue} jobs in the queue, expected fewer; try again later"
            raise Problem(429, words, None, wait)

    def _check_limits(self, request: JobRequest) -> None:
        most = self.settings.max_seconds
        if request.time_limit is not None and request.time_limit > most:
            words = f"time_limit must be at most {most:g} seconds at this service"
            raise Problem(422, f"{words}, got {request.time_limit:g}", {"parameter": "time_limit"})

    def command(self, job: Job, command: str) -> None:
        """Ask something of a running job."""
        if job.result is not None:
            raise Problem(409, f"job {job.id} has ended: {job.result['why']}")
        if command == "stop":
            job.ask_stop()
        else:
            status = self.tell([job])[0]["status"]
            if status not in (RUNNING, PAUSED):
                raise Problem(409, f"job {job.id} is {status}, expected {RUNNING} or {PAUSED}")
        keys = JobKeys(job.id, self.settings.prefix)
        try:
            with self.client.pipeline(transaction=True) as pipe:
                pipe.xadd(keys.commands, {"command": command}, maxlen=_MOST_COMMANDS)
                pipe.expire(keys.commands, _COMMAND_SECONDS)
                pipe.execute()
        except RedisError:
            if command != "stop":
                raise


def _packed(data: bytes) -> bytes:
    # Without a time in it, equal contents make equal files.
    return data if is_packed(data) else gzip.compress(data, mtime=0)


def service_of(request: Request) -> Service:
    """Return the service of an application."""
    service: Service = request.app.state.service
    # An application that is mounted in another one is not told when that begins.
    service.start()
    return service


def owner_of(request: Request) -> str:
    """Return who asks, by token or cookie."""
    service = service_of(request)
    if not service.tokens:
        return LOCAL
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        owner = service.tokens.owner_of(token.strip())
    else:
        session = request.cookies.get(COOKIE)
        owner = None if not session else service.sessions.owner_of(session)
        # A name that has lost its token has lost its cookies too.
        owner = owner if owner in service.tokens.names else None
    if owner is None:
        words = "found no valid token, expected the header Authorization: Bearer TOKEN"
        raise Problem(401, words, headers={"WWW-Authenticate": "Bearer"})
    return owner


def own_job(
    job_id: str,
    service: Annotated[Service, Depends(service_of)],
    owner: Annotated[str, Depends(owner_of)],
) -> Job:
    """Return the job that a path names, if it is of whoever asks."""
    return service.job_of(owner, job_id)


TheService = Annotated[Service, Depends(service_of)]
Owner = Annotated[str, Depends(owner_of)]
OwnJob = Annotated[Job, Depends(own_job)]
