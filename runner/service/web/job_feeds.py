"""The feeds of the jobs that somebody watches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event

from ..jobs.job import Job
from ..settings import Settings
from .feed_reader import FeedReader
from .job_feed import JobFeed


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
        self._readers: dict[asyncio.AbstractEventLoop, FeedReader] = {}

    @asynccontextmanager
    async def of(self, job: Job) -> AsyncIterator[JobFeed]:
        """Join those who watch a job."""
        loop = asyncio.get_running_loop()
        reader = self._readers.get(loop)
        if reader is None or reader.over:
            reader = self._readers[loop] = FeedReader(self._settings, self._ending)
        feed = reader.join(job)
        try:
            yield feed
        finally:
            if reader.leave(feed):
                reader.close()
                if self._readers.get(loop) is reader:
                    del self._readers[loop]
