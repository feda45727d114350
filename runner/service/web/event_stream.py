"""The events of a job, as a browser's ``EventSource`` reads them."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import asdict
from threading import Event
from typing import Any

from fastapi.sse import ServerSentEvent
from redis import RedisError
from starlette.concurrency import run_in_threadpool

from ....callbacks.remote.job_keys import JobKeys
from ....callbacks.remote.redis_connection import connect_async
from ...watching.follower import read_event, read_hash
from ..jobs.job import Job
from ..jobs.job_state import describe
from ..jobs.lease import lease_key
from ..settings import Settings

BEGINNING = "0-0"
_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")
_BLOCK_MILLISECONDS = 500
_MOST_EVENTS = 500
_AWAY_SECONDS = 0.5
# What a client need not be told again when nothing else has changed.
_PASSING = ("snapshot", "progress", "message", "eta", "elapsed", "stage", "cost", "violations")


def is_event_id(text: str | None) -> bool:
    """Tell whether a text can be the id of an event."""
    return text is not None and _ID.fullmatch(text) is not None


async def job_events(
    settings: Settings, job: Job, last_id: str | None, ending: Event
) -> AsyncIterator[ServerSentEvent]:
    """Yield what happens to a job until it has ended.

    Events are named ``snapshot``, ``pipeline_begin``, ``stage_begin``,
    ``stage_end`` and ``pipeline_end``, each with an id to go on from; ``job``
    tells of the job itself, when its status has changed, and ``end`` is the last.

    Parameters
    ----------
    settings
        The service's.
    job
        The job.
    last_id
        The last event that a client has seen; None to begin with the newest.
    ending
        Set when the service ends, and all streams with it.
    """
    keys = JobKeys(job.id, settings.prefix)
    told: dict[str, Any] | None = None
    async with connect_async(settings.redis) as client:
        while not ending.is_set():
            try:
                events, texts, leased = await _news(client, settings, keys, last_id)
            except (RedisError, OSError):
                # It is away; what has ended has ended all the same.
                events, texts, leased = [], {}, None
                await asyncio.sleep(_AWAY_SECONDS)
            for identity, fields in events:
                last_id = identity
                event = asdict(read_event(identity, fields, texts))
                yield ServerSentEvent(id=identity, event=event["event"], data=event)
            last_id = last_id or BEGINNING
            if leased is None and job.result is None:
                continue
            snapshot = asdict(read_hash(texts, "")) if texts else None
            about = await run_in_threadpool(describe, job, snapshot, bool(leased))
            if job.result is not None and not events:
                yield ServerSentEvent(event="end", data=about)
                return
            if not job.folder.exists():
                yield ServerSentEvent(event="end", data={**about, "why": "it was removed"})
                return
            lasting = {name: value for name, value in about.items() if name not in _PASSING}
            if lasting != told:
                told = lasting
                yield ServerSentEvent(event="job", data=lasting)


async def _news(
    client: Any, settings: Settings, keys: JobKeys, last_id: str | None
) -> tuple[list[Any], dict[str, str], bool]:
    """Wait for what is new, a second at most; return it with what is known besides."""
    if last_id is None:
        events = await client.xrevrange(keys.events, count=1)
    else:
        found = await client.xread(
            {keys.events: last_id}, count=_MOST_EVENTS, block=_BLOCK_MILLISECONDS
        )
        # A list of pairs, or a dict where the client speaks the newer protocol.
        pairs = list(found.items()) if isinstance(found, dict) else found
        events = pairs[0][1] if pairs else []
        while events and isinstance(events[0], list) and isinstance(events[0][0], list | tuple):
            events = events[0]
    pipe = client.pipeline(transaction=False)
    pipe.hgetall(keys.snapshot)
    pipe.exists(lease_key(settings.prefix, keys.job_id))
    texts, leased = await pipe.execute()
    return events, texts, bool(leased)
