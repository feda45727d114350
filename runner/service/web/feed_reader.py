"""Reads from Redis and the folder what happens to all jobs that somebody watches."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Event
from typing import Any

from redis import RedisError
from starlette.concurrency import run_in_threadpool

from ....callbacks.remote.redis_connection import connect_async
from ..jobs.job import Job
from ..jobs.job_state import describe
from ..jobs.lease import lease_key
from ..settings import Settings
from .job_feed import AWAY_SECONDS, MOST_EVENTS, SNAPSHOT, JobFeed, entries

# Between two questions to the server, each of which is about all jobs.
_TURN_SECONDS = 0.2
# Between two looks at a job's folder while its run tells nothing out of the common.
_LOOK_SECONDS = 0.5

_Look = tuple[dict[str, Any], bool] | Exception


class FeedReader:
    """Reads what happens to all jobs that are watched in one event loop.

    One question is about all of them: to wake up for each event of each job
    would cost several times as much.

    Parameters
    ----------
    settings
        The service's.
    ending
        Set when the service ends, and all feeds with it.
    """

    def __init__(self, settings: Settings, ending: Event) -> None:
        self._settings = settings
        self._ending = ending
        self._feeds: dict[str, JobFeed] = {}
        self._joined = asyncio.Event()
        self._look_at = 0.0
        self._task = asyncio.create_task(self._work())

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    def join(self, job: Job) -> JobFeed:
        """Return the feed of a job for one more who watches."""
        feed = self._feeds.get(job.id)
        if feed is None or feed.over:
            feed = self._feeds[job.id] = JobFeed(self._settings, job)
            self._joined.set()
        feed.watchers += 1
        return feed

    def leave(self, feed: JobFeed) -> bool:
        """Part with one who has watched; return whether nobody is left."""
        feed.watchers -= 1
        if not feed.watchers and self._feeds.get(feed.job.id) is feed:
            del self._feeds[feed.job.id]
        return not self._feeds

    def close(self) -> None:
        """End; nobody watches any more."""
        self._task.cancel()

    async def _work(self) -> None:
        failure: Exception | None = None
        try:
            async with connect_async(self._settings.redis) as client:
                while not self._ending.is_set():
                    self._joined.clear()
                    await self._turn(client)
                    if not any(feed.ended and not feed.over for feed in self._feeds.values()):
                        with suppress(TimeoutError):
                            async with asyncio.timeout(_TURN_SECONDS):
                                await self._joined.wait()
        except Exception as error:
            failure = error
        finally:
            for feed in self._feeds.values():
                if not feed.over:
                    feed.stop(failure)

    async def _turn(self, client: Any) -> None:
        """Read once what there is of all jobs, and tell it."""
        feeds = [feed for feed in self._feeds.values() if not feed.over]
        if self._look_at <= (now := time.monotonic()):
            self._look_at = now + _LOOK_SECONDS
            for feed in feeds:
                feed.due = True
        found: Mapping[str, Sequence[Any]] = {}
        away = False
        try:
            if feeds:
                found = await self._read(client, feeds)
        except (RedisError, OSError):
            # What has ended has ended all the same.
            away = True
            await asyncio.sleep(AWAY_SECONDS)
        due = [feed for feed in feeds if feed.due]
        looks = await run_in_threadpool(_look, due) if due else []
        for feed, look in zip(due, looks, strict=True):
            _judge(feed, look, away, bool(found.get(feed.keys.events)))
        for feed in feeds:
            feed.tell()

    async def _read(self, client: Any, feeds: Sequence[JobFeed]) -> Mapping[str, Sequence[Any]]:
        """Take what the runs have told; return it by their streams."""
        prefix = self._settings.prefix
        known = {feed.keys.events: feed.last_id for feed in feeds if feed.begun}
        new = [feed for feed in feeds if not feed.begun]
        due = [feed for feed in feeds if feed.due]
        pipe = client.pipeline(transaction=False)
        if known:
            pipe.xread(known, count=MOST_EVENTS)
        for feed in new:
            pipe.xrevrange(feed.keys.events, count=1)
        for feed in due:
            pipe.exists(lease_key(prefix, feed.job.id))
        answers = iter(await pipe.execute())
        found: dict[str, Any] = entries(next(answers)) if known else {}
        for feed in new:
            found[feed.keys.events] = next(answers)
        for feed in due:
            feed.leased = bool(next(answers))
        # What is known of a run besides changes with its stages only.
        changed = [feed for feed in feeds if _has_turned(feed, found.get(feed.keys.events, ()))]
        if changed:
            pipe = client.pipeline(transaction=False)
            for feed in changed:
                pipe.hgetall(feed.keys.snapshot)
                pipe.exists(lease_key(prefix, feed.job.id))
            answers = iter(await pipe.execute())
            for feed in changed:
                feed.texts, feed.leased = next(answers), bool(next(answers))
        for feed in feeds:
            try:
                feed.take(found.get(feed.keys.events, ()))
            except Exception as error:
                # What one run has told wrongly is not the others' affair.
                feed.stop(error)
        return found


def _has_turned(feed: JobFeed, events: Sequence[Any]) -> bool:
    """Tell whether a run has told more than how far it is."""
    if not feed.texts and (events or not feed.begun):
        return True
    return any(told.get("event") != SNAPSHOT for _, told in events)


def _look(feeds: Sequence[JobFeed]) -> list[_Look]:
    """Return what the folders say of jobs, and whether they are there; or what went wrong."""
    found: list[_Look] = []
    for feed in feeds:
        try:
            about = describe(feed.job, feed.snapshot, feed.leased)
            found.append((about, feed.job.folder.exists()))
        except Exception as error:
            found.append(error)
    return found


def _judge(feed: JobFeed, look: _Look, away: bool, told: bool) -> None:
    """Have a feed tell what its job's folder says.

    Parameters
    ----------
    feed
        The feed.
    look
        What `_look` has found.
    away
        Whether the server is.
    told
        Whether the run has told something meanwhile.
    """
    if isinstance(look, Exception):
        feed.stop(look)
        return
    if feed.over:
        return
    about, there = look
    # What the run has told before its result is told before the end.
    final = away or (feed.ended and not told)
    feed.ended = feed.job.result is not None
    if feed.ended and final:
        feed.end(about)
    elif not (there or away):
        feed.end({**about, "why": "it was removed"})
    elif not away:
        feed.tell_status(about)
    feed.due = feed.ended
