"""Watch a run from outside, through Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

from ...callbacks import RedisUnavailableError
from ...callbacks.remote.job_keys import DEFAULT_PREFIX, JobKeys
from ...callbacks.remote.redis_connection import connect, connect_async, resolved_url
from ...stages.needing import needing
from .follower import Follower
from .watched_snapshot import WatchedSnapshot

_PATIENCE = 60.0


def watch(
    job_id: str,
    url: str | None = None,
    last_id: str | None = None,
    *,
    prefix: str = DEFAULT_PREFIX,
    patience: float = _PATIENCE,
) -> Iterator[WatchedSnapshot]:
    """Watch a run that a `RedisLogger` tells of; ends with the run.

    The first snapshot is the newest, so a late watcher catches up at once. The
    last one has an ``outcome``: how the run ended, or ``"lost"`` when it has
    given no sign of life for 10 seconds.

    Parameters
    ----------
    job_id
        The run.
    url
        The server; the environment's ``REDIS_URL`` by default.
    last_id
        Go on after this snapshot's ``id`` instead of beginning with the newest.
    prefix
        What the logger's keys begin with.
    patience
        Seconds that the server may be away, in a restart, say.

    Yields
    ------
    WatchedSnapshot
        Where the run stands, at least as often as it changes in Redis.

    Raises
    ------
    UnknownJobError
        If the server knows no such run.
    RedisUnavailableError
        If the server cannot be used, or is away for too long.

    Examples
    --------
    The run may be one of another process or machine, and at work still:

    >>> from schoolbell.callbacks import RedisLogger
    >>> from schoolbell.runner import Pipeline
    >>> from schoolbell.stages import MapBatches
    >>> logger = RedisLogger(job_id="monday", keep_server=True, announce=False)
    >>> run = Pipeline([MapBatches(sum, [1, 2, 3])]).fit(callbacks=logger, verbose=False)
    >>> for snapshot in watch("monday", logger.url):
    ...     print(f"{snapshot.progress:.0%} {snapshot.message}, {snapshot.outcome}")
    100% Map: 3/3, finished
    >>> logger.stop_server()
    """
    return follow(job_id, url, last_id, prefix, patience, time.sleep)


def follow(
    job_id: str,
    url: str | None,
    last_id: str | None,
    prefix: str,
    patience: float,
    rest: Callable[[float], object],
) -> Iterator[WatchedSnapshot]:
    """Watch a run as `watch` does; `rest` is called to pass the seconds between two looks."""
    with needing("watching a run"):
        from redis import RedisError

    url = known_url(url)
    follower = Follower(JobKeys(job_id, prefix), url, last_id, patience)
    with connect(url) as client:
        while not follower.over:
            try:
                answer = follower.ask(client.pipeline(transaction=True)).execute()
            except (RedisError, OSError) as error:
                follower.fail(error)
            else:
                yield from follower.take(answer)
            if not follower.over:
                rest(follower.rest)


async def awatch(
    job_id: str,
    url: str | None = None,
    last_id: str | None = None,
    *,
    prefix: str = DEFAULT_PREFIX,
    patience: float = _PATIENCE,
) -> AsyncIterator[WatchedSnapshot]:
    """Watch a run in asyncio; otherwise as `watch`.

    Examples
    --------
    >>> import asyncio
    >>> from schoolbell.callbacks import RedisLogger
    >>> from schoolbell.runner import Pipeline
    >>> from schoolbell.stages import MapBatches
    >>> logger = RedisLogger(job_id="monday", keep_server=True, announce=False)
    >>> run = Pipeline([MapBatches(sum, [1, 2, 3])]).fit(callbacks=logger, verbose=False)
    >>> async def follow():
    ...     async for snapshot in awatch("monday", logger.url):
    ...         print(f"{snapshot.progress:.0%} {snapshot.message}")
    >>> asyncio.run(follow())
    100% Map: 3/3
    >>> logger.stop_server()
    """
    with needing("watching a run"):
        from redis import RedisError

    url = known_url(url)
    follower = Follower(JobKeys(job_id, prefix), url, last_id, patience)
    async with connect_async(url) as client:
        while not follower.over:
            try:
                answer = await follower.ask(client.pipeline(transaction=True)).execute()
            except (RedisError, OSError) as error:
                follower.fail(error)
            else:
                for snapshot in follower.take(answer):
                    yield snapshot
            if not follower.over:
                await asyncio.sleep(follower.rest)


def known_url(url: str | None) -> str:
    """Return the URL, by default that of the environment.

    Raises
    ------
    RedisUnavailableError
        If there is neither.
    """
    found = resolved_url(url)
    if found is None:
        raise RedisUnavailableError("which Redis server? give its URL, or set REDIS_URL to it")
    return found
