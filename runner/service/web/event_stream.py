"""The events of a job, as a browser's ``EventSource`` reads them."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from fastapi.sse import KEEPALIVE_COMMENT
from redis import RedisError
from starlette.responses import StreamingResponse

from ..client.event_reader import END
from ..jobs.job import Job
from .job_feed import AWAY_SECONDS, BEGINNING, Told, order
from .job_feeds import JobFeeds

_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


class EventStream(StreamingResponse):
    """The answer that has `event_stream` for its body."""

    # The framework's own answer takes three tasks and two queues for each client.
    media_type = "text/event-stream"


def is_event_id(text: str | None) -> bool:
    """Tell whether a text can be the id of an event."""
    return text is not None and _ID.fullmatch(text) is not None


async def event_stream(feeds: JobFeeds, job: Job, last_id: str | None) -> AsyncIterator[bytes]:
    """Yield the events of a job as a stream has them, and signs of life between them."""
    # Closed at once when the client goes, and with it the feed of whoever watched last.
    async with aclosing(_news(feeds, job, last_id)) as parts:
        async for news in parts:
            yield b"".join([told.message for told in news]) or KEEPALIVE_COMMENT


async def job_events(feeds: JobFeeds, job: Job, last_id: str | None) -> AsyncGenerator[Told]:
    """Yield what happens to a job until it has ended.

    Events are named ``snapshot``, ``pipeline_begin``, ``stage_begin``,
    ``stage_end`` and ``pipeline_end``, each with an id to go on from; ``job``
    tells of the job itself, when its status has changed, and ``end`` is the last.

    Parameters
    ----------
    feeds
        Those of the service.
    job
        The job.
    last_id
        The last event that a client has seen; None to begin with the newest.
    """
    async with aclosing(_news(feeds, job, last_id)) as parts:
        async for news in parts:
            for told in news:
                yield told


async def _news(feeds: JobFeeds, job: Job, last_id: str | None) -> AsyncGenerator[Sequence[Told]]:
    """Yield what has happened since the last time; nothing as a sign of life."""
    known: Told | None = None
    at: int | None = None
    async with feeds.of(job) as feed:
        signs = feed.signs
        while True:
            changed = feed.changed
            if feed.begun:
                news = None if at is None else feed.since(at)
                at = feed.next
                if news is None:
                    # The first time, or it was slow.
                    news = [] if feed.status is None else [feed.status]
                    if last_id is None and feed.newest is not None:
                        news = [feed.newest, *news]
                    elif last_id is None:
                        last_id = BEGINNING
                    else:
                        try:
                            async for part in feed.missed(last_id):
                                last_id = part[-1].identity
                                yield part
                        except (RedisError, OSError):
                            if not feed.over:
                                at = None
                                await asyncio.sleep(AWAY_SECONDS)
                                continue
                fresh: list[Told] = []
                for told in news:
                    if told.identity is None:
                        if told is not known:
                            fresh.append(told)
                        known = told
                    elif last_id is None or order(told.identity) > order(last_id):
                        fresh.append(told)
                        last_id = told.identity
                if fresh:
                    yield fresh
                    if fresh[-1].event == END:
                        return
            if feed.over and at in (None, feed.next):
                if feed.failure is not None:
                    raise feed.failure
                return
            if at in (None, feed.next):
                await changed.wait()
                if feed.signs != signs:
                    signs = feed.signs
                    yield []
