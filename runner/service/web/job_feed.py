"""What happens to a job, kept for all who watch it."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from fastapi.sse import format_sse_event

from ....callbacks.remote.job_keys import JobKeys
from ....callbacks.remote.redis_connection import connect_async
from ...watching.follower import read_event, read_hash
from ...watching.watched_snapshot import WatchedSnapshot
from ..client.event_reader import END, JOB
from ..jobs.job import Job
from ..settings import Settings

BEGINNING = "0-0"
SNAPSHOT = "snapshot"
AWAY_SECONDS = 0.5
"""Seconds until a server that is away is asked again."""

MOST_EVENTS = 500
"""Most events of a job that are read at once."""

# Whoever is further behind reads what it has missed by itself.
_KEPT_EVENTS = 500
# Proxies cut off what is silent for longer than a minute or so.
_SILENCE_SECONDS = 15.0
_NAMES = tuple(one.name for one in fields(WatchedSnapshot))
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
    """What happens to a job, kept for all who watch it; a `FeedReader` reads it.

    Parameters
    ----------
    settings
        The service's.
    job
        The job.

    Attributes
    ----------
    keys
        Where the run is in Redis.
    next
        The number of the next event, counted from 0 since the feed began.
    newest
        The last of the run's own events that has been read, if there was one.
    status
        What was told last of the job itself.
    texts
        What Redis has told of the run besides its events.
    leased
        Whether a process works on the job.
    due
        Whether the job's folder is to be looked at, since what it says may have changed.
    ended
        Whether the job's result has been seen.
    signs
        How often there was nothing to tell for so long that a sign of life is due.
    over
        Whether no more will come.
    failure
        What has ended the feed, if it was an error.
    watchers
        How many watch.
    """

    def __init__(self, settings: Settings, job: Job) -> None:
        self.job = job
        self.keys = JobKeys(job.id, settings.prefix)
        self.next = self.signs = self.watchers = 0
        self.newest: Told | None = None
        self.status: Told | None = None
        self.texts: Mapping[str, str] = {}
        self.due = True
        self.leased = self.ended = self.over = False
        self.failure: Exception | None = None
        self._redis = settings.redis
        self._kept: deque[Told] = deque(maxlen=_KEPT_EVENTS)
        self._changed = asyncio.Event()
        self._told = 0
        self._told_at = time.monotonic()

    @property
    def changed(self) -> asyncio.Event:
        """Set with the next change; to be taken before one looks."""
        return self._changed

    @property
    def begun(self) -> bool:
        """Whether it is known where the job stands."""
        return self.status is not None

    @property
    def last_id(self) -> str:
        """What the next of the run's own events come after."""
        identity = None if self.newest is None else self.newest.identity
        return identity or BEGINNING

    @property
    def snapshot(self) -> dict[str, Any] | None:
        """Where the run stands, as far as it has told."""
        if self.newest is not None:
            return self.newest.values
        return _values(read_hash(self.texts, "")) if self.texts else None

    def since(self, number: int) -> list[Told] | None:
        """Return the events from a number on; None where some are not kept any more."""
        missing = self.next - number
        if missing > len(self._kept):
            return None
        return list(self._kept)[len(self._kept) - missing :]

    async def missed(self, last_id: str) -> AsyncIterator[list[Told]]:
        """Yield the run's own events after one, up to the newest, as many as are read at once."""
        until = self.newest
        async with connect_async(self._redis) as client:
            while until is not None and order(last_id) < order(until.identity):
                found = await client.xread({self.keys.events: last_id}, count=MOST_EVENTS)
                texts: Any = await client.hgetall(self.keys.snapshot)
                events = [
                    _told(identity, told, texts)
                    for identity, told in entries(found).get(self.keys.events, ())
                    if order(identity) <= order(until.identity)
                ]
                if not events:
                    return
                yield events
                last_id = events[-1].identity or last_id

    def take(self, events: Sequence[Any]) -> None:
        """Keep the run's own next events."""
        for identity, told in events:
            before, self.newest = self.newest, _told(identity, told, self.texts)
            self._keep(self.newest)
            same = before is not None and before.values["status"] == self.newest.values["status"]
            self.due = self.due or not same or self.newest.event != SNAPSHOT

    def tell_status(self, about: Mapping[str, Any]) -> None:
        """Keep what is known of the job itself, where that has changed."""
        lasting = {name: value for name, value in about.items() if name not in _PASSING}
        if self.status is None or lasting != self.status.values:
            self.status = Told(JOB, lasting)
            self._keep(self.status)

    def end(self, about: dict[str, Any]) -> None:
        """Keep the last event: the job has ended, or has gone."""
        self.status = Told(END, about)
        self._keep(self.status)
        self.over = True

    def stop(self, failure: Exception | None = None) -> None:
        """End where the job goes on, but nobody reads what happens to it any more."""
        self.failure = self.failure or failure
        self.over = True
        self._wake()

    def tell(self) -> None:
        """Wake those who watch, if there is anything to tell them or has not been for long."""
        if self._told < self.next:
            self._wake()
        elif time.monotonic() - self._told_at >= _SILENCE_SECONDS:
            self.signs += 1
            self._wake()

    def _wake(self) -> None:
        self._told, self._told_at = self.next, time.monotonic()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _keep(self, told: Told) -> None:
        self._kept.append(told)
        self.next += 1


def entries(found: Any) -> dict[str, list[Any]]:
    """Return the events of each stream that was asked for and has some."""
    # A list of pairs, or a dict where the client speaks the newer protocol.
    pairs = found.items() if isinstance(found, dict) else found
    return {key: _flat(events) for key, events in pairs or ()}


def _flat(events: Any) -> list[Any]:
    while events and isinstance(events[0], list) and isinstance(events[0][0], list | tuple):
        events = events[0]
    return events


def _told(identity: str, told: Mapping[str, str], texts: Mapping[str, str]) -> Told:
    values = _values(read_event(identity, told, texts))
    return Told(values["event"], values, identity)


def _values(snapshot: WatchedSnapshot) -> dict[str, Any]:
    # Not asdict, which copies whatever is in it.
    return {name: getattr(snapshot, name) for name in _NAMES}


def order(identity: str | None) -> tuple[int, ...]:
    """Return what the ids of a stream's events are sorted by."""
    return tuple(int(part) for part in (identity or BEGINNING).split("-"))
