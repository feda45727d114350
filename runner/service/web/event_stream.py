"""The events of a job, as a browser's ``EventSource`` reads them."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from fastapi.sse import KEEPALIVE_COMMENT
from redis import RedisError
from starlette.responses import StreamingResponse

from ..client.event_reader import END
from ..jobs.job import Job
from .job_feed import AWAY_SECONDS, BEGINNING, JobFeeds, Told, order

# Proxies cut off what is silent for longer than a minute or so.
_SILENCE_SECONDS = 15.0
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
    async with aclosing(job_events(feeds, job, last_id, silence=_SILENCE_SECONDS)) as events:
        async for told in events:
            yield KEEPALIVE_COMMENT if told is None else told.message


async def watched(feeds: JobFeeds, job: Job) -> AsyncIterator[Told]:
    """Yield what happens to a job from now on until it has ended."""
    async with aclosing(job_events(feeds, job, None)) as events:
        async for told in events:
            if told is not None:
                yield told


async def job_events(
    feeds: JobFeeds, job: Job, last_id: str | None, silence: float | None = None
) -> AsyncGenerator[Told | None, None]:
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
    silence
        Yield None after so many seconds in which nothing has happened.
    """
    async with feeds.of(job) as feed:
        while not (feed.begun or feed.over):
            await feed.changed.wait()
        known = None
        at: int | None = None
        while True:
            changed = feed.changed
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
                        async for told in feed.missed(last_id):
                            last_id = told.identity
                            yield told
                    except (RedisError, OSError):
                        if not feed.over:
                            at = None
                            await asyncio.sleep(AWAY_SECONDS)
                            continue
            for told in news:
                if told.identity is not None:
                    if last_id is not None and order(told.identity) <= order(last_id):
                        continue
                    last_id = told.identity
                elif told is known:
                    continue
                else:
                    known = told
                yield told
                if told.event == END:
                    return
            if feed.over and at == feed.next:
                failure = feed.failure()
                if failure is not None:
                    raise failure
                return
            if at == feed.next:
                try:
                    async with asyncio.timeout(silence):
                        await changed.wait()
                except TimeoutError:
                    yield None
