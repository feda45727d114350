"""What happens to a job, read once for all who watch it."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from threading import Event
from typing import Any

from fastapi.sse import format_sse_event
from redis import RedisError
from starlette.concurrency import run_in_threadpool

from ....callbacks.remote.job_keys import JobKeys
from ....callbacks.remote.redis_connection import connect_async
from ...watching.follower import read_event, read_hash
from ..client.event_reader import END, JOB
from ..jobs.job import Job
from ..jobs.job_state import describe
from ..jobs.lease import lease_key
from ..settings import Settings

BEGINNING = "0-0"
_BLOCK_MILLISECONDS = 500
_MOST_EVENTS = 500
# Whoever is further behind reads what it has missed by itself.
_KEPT_EVENTS = 500
AWAY_SECONDS = 0.5
# What a client need not be told again when nothing else has changed.
_PASSING = ("snapshot", "progress", "message", "eta", "elapsed", "stage", "cost", "violations")


@dataclass(frozen=True)
class Told:
    """One event, as all who watch a job are told of it.

    Attributes
    ----------
    event
        Its name.
    values
        What it tells.
    identity
        What to go on from; None where nothing comes after it in the run's own events.
    """

    event: str
    values: dict[str, Any]
    identity: str | None = None

    @cached_property
    def message(self) -> bytes:
        """The event as a stream has it, made once for all who watch."""
        text = json.dumps(self.values)
        return format_sse_event(id=self.identity, event=self.event, data_str=text)


class JobFeed:
    """What happens to a job, read once for all who watch it.

    Parameters
    ----------
    settings
        The service's.
    job
        The job.
    ending
        Set when the service ends, and all feeds with it.

    Attributes
    ----------
    next
        The number of the next event, counted from 0 since the feed began.
    newest
        The last of the run's own events that it has read, if there was one.
    status
        What was told last of the job itself.
    over
        Whether no more will come.
    """

    def __init__(self, settings: Settings, job: Job, ending: Event) -> None:
        self._settings = settings
        self._job = job
        self._ending = ending
        self._keys = JobKeys(job.id, settings.prefix)
        self._kept: deque[Told] = deque(maxlen=_KEPT_EVENTS)
        self._changed = asyncio.Event()
        self.next = 0
        self.newest: Told | None = None
        self.status: Told | None = None
        self.over = False
        self.begun = False
        self.watchers = 0
        self._task = asyncio.create_task(self._work())

    @property
    def changed(self) -> asyncio.Event:
        """Set with the next change; to be taken before one looks."""
        return self._changed

    def since(self, number: int) -> list[Told] | None:
        """Return the events from a number on; None where some are not kept any more."""
        missing = self.next - number
        if missing > len(self._kept):
            return None
        return list(self._kept)[len(self._kept) - missing :]

    async def missed(self, last_id: str) -> AsyncIterator[Told]:
        """Yield the run's own events after one, up to the newest."""
        until = self.newest
        async with connect_async(self._settings.redis) as client:
            while until is not None and order(last_id) < order(until.identity):
                found = await client.xread({self._keys.events: last_id}, count=_MOST_EVENTS)
                texts: Any = await client.hgetall(self._keys.snapshot)
                events = _events(found)
                for identity, fields in events:
                    if order(identity) > order(until.identity):
                        return
                    last_id = identity
                    yield _told(identity, fields, texts)
                if not events:
                    return

    def close(self) -> None:
        """End; nobody watches any more."""
        self._task.cancel()

    def failure(self) -> BaseException | None:
        """Return what has ended the feed, if it was an error."""
        done = self._task.done() and not self._task.cancelled()
        return self._task.exception() if done else None

    async def _work(self) -> None:
        try:
            async with connect_async(self._settings.redis) as client:
                while not (self._ending.is_set() or self.over):
                    try:
                        news = await self._news(client)
                    except (RedisError, OSError):
                        # It is away; what has ended has ended all the same.
                        news = [], {}, None
                        await asyncio.sleep(AWAY_SECONDS)
                    await self._take(*news)
        finally:
            self.over = True
            self._tell()

    async def _news(self, client: Any) -> tuple[list[Any], dict[str, str], bool | None]:
        """Wait for what is new, half a second at most; return it with what is known besides."""
        if not self.begun:
            events = await client.xrevrange(self._keys.events, count=1)
        else:
            last = BEGINNING if self.newest is None else self.newest.identity
            found = await client.xread(
                {self._keys.events: last}, count=_MOST_EVENTS, block=_BLOCK_MILLISECONDS
            )
            events = _events(found)
        pipe = client.pipeline(transaction=False)
        pipe.hgetall(self._keys.snapshot)
        pipe.exists(lease_key(self._settings.prefix, self._job.id))
        texts, leased = await pipe.execute()
        return events, texts, bool(leased)

    async def _take(self, events: list[Any], texts: dict[str, str], leased: bool | None) -> None:
        """Keep what is new, and tell it; `leased` is None while the server is away."""
        for identity, fields in events:
            self.newest = _told(identity, fields, texts)
            self._keep(self.newest)
        if events:
            self._tell()
        job = self._job
        if leased is not None or job.result is not None:
            snapshot = asdict(read_hash(texts, "")) if texts else None
            about = await run_in_threadpool(describe, job, snapshot, bool(leased))
            if job.result is not None and not events:
                self._end(about)
            elif not job.folder.exists():
                self._end({**about, "why": "it was removed"})
            else:
                self._tell_status(about)
        self.begun = self.begun or leased is not None or self.over
        self._tell()

    def _end(self, about: dict[str, Any]) -> None:
        self.status = Told(END, about)
        self._keep(self.status)
        self.over = True

    def _tell_status(self, about: dict[str, Any]) -> None:
        lasting = {name: value for name, value in about.items() if name not in _PASSING}
        if self.status is None or lasting != self.status.values:
            self.status = Told(JOB, lasting)
            self._keep(self.status)

    def _keep(self, told: Told) -> None:
        self._kept.append(told)
        self.next += 1

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class JobFeeds:
    """The feeds of the jobs that somebody watches, one of a job in each event loop.

    Parameters
    ----------
    settings
        The service's.
    ending
        Set when the service ends.
    """

    def __init__(self, settings: Settings, ending: Event) -> None:
        self._settings = settings
        self._ending = ending
        self._feeds: dict[tuple[asyncio.AbstractEventLoop, str], JobFeed] = {}

    @asynccontextmanager
    async def of(self, job: Job) -> AsyncIterator[JobFeed]:
        """Join those who watch a job."""
        key = asyncio.get_running_loop(), job.id
        feed = self._feeds.get(key)
        if feed is None or feed.over:
            feed = self._feeds[key] = JobFeed(self._settings, job, self._ending)
        feed.watchers += 1
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if not feed.watchers:
                if self._feeds.get(key) is feed:
                    del self._feeds[key]
                feed.close()


def _events(found: Any) -> list[Any]:
    """Return the events of the one stream that was asked for."""
    # A list of pairs, or a dict where the client speaks the newer protocol.
    pairs = list(found.items()) if isinstance(found, dict) else found
    events = pairs[0][1] if pairs else []
    while events and isinstance(events[0], list) and isinstance(events[0][0], list | tuple):
        events = events[0]
    return events


def _told(identity: str, fields: dict[str, str], texts: dict[str, str]) -> Told:
    values = asdict(read_event(identity, fields, texts))
    return Told(values["event"], values, identity)


def order(identity: str | None) -> tuple[int, ...]:
    """Return what the ids of a stream's events are sorted by."""
    return tuple(int(part) for part in (identity or BEGINNING).split("-"))
