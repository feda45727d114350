"""Shows a run to the world through Redis."""

import secrets
import shutil
import sys
from pathlib import Path
from typing import Any, ClassVar

from ..argument_error import ArgumentError, check_number
from ..callback import Logs, nothing
from ..progress.terminal import announce
from .embedded_redis import EmbeddedRedis, find_program
from .feed_logger import FeedLogger
from .job_keys import DEFAULT_PREFIX, HEARTBEAT_SECONDS, JOB_ID_WANTED, JobKeys, is_job_id
from .redis_connection import check_keys, check_server, redacted, resolved_url, urlsplit_or_none
from .redis_feed import RedisFeed


class RedisLogger(FeedLogger):
    """Keeps a Redis server up to date about a run, and does what watchers ask.

    A thread of its own writes a snapshot every `interval` seconds, so a run can
    be watched from another terminal or machine (``schoolbell watch JOB_ID``, or
    `schoolbell.runner.watch`), and stopped, paused, resumed or taken to its
    next stage from there. The run itself never waits for the server: when it is
    away, one warning is given, and it is brought up to date when it returns.
    A run that goes on from a backup under its old id counts on in the same
    stream. Under ``{prefix}:job:{job_id}`` the server has

    ============= ====== ==================================================
    key           kind   holds
    ============= ====== ==================================================
    (itself)      hash   the newest snapshot
    ``:events``   stream snapshots and stage changes, about the last 10,000
    ``:commands`` stream what watchers ask
    ``:alive``    string the heartbeat, expires in 10 s
    ============= ====== ==================================================

    Parameters
    ----------
    url
        ``redis://``, ``rediss://`` or ``unix://``; by default the environment's
        ``REDIS_URL``. Without either, a server is started for the run, on a
        loopback port and a unix socket, and shut down after it.
    job_id
        What to call the run there; by default the run's own id.
    interval
        Most seconds between two snapshots, 0.05 to 5; a machine with time to
        spare takes four fifths of them. With the usual half second a run of
        less than half a minute is told of each quarter of a second, so that
        its number makes no jump of over three points.
    ttl
        Seconds that the server keeps everything after the last snapshot; None
        for ever.
    prefix
        What all keys begin with.
    keep_server
        Let a server that was started here stay when the run is over.
    announce
        Print on ``sys.stderr`` how to watch the run.

    Attributes
    ----------
    url
        The server's address without user and password; None before one was
        started.

    Raises
    ------
    RedisUnavailableError
        At the beginning of a run, for a server that cannot be used, or where
        there is none to start. Its message has no password.
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {"_server": nothing}

    def __init__(
        self,
        url: str | None = None,
        job_id: str | None = None,
        interval: float = 0.5,
        ttl: int | None = 86400,
        prefix: str = DEFAULT_PREFIX,
        keep_server: bool = False,
        announce: bool = True,
    ) -> None:
        super().__init__()
        wanted = f"0.05 to {HEARTBEAT_SECONDS // 2} seconds"
        check_number("interval", interval, 0.05, wanted)
        if interval > HEARTBEAT_SECONDS / 2:
            raise ArgumentError.of("interval", wanted, interval)
        if ttl is not None:
            check_number("ttl", ttl, 1, "a number of seconds from 1 or None")
        if not isinstance(prefix, str) or not prefix:
            raise ArgumentError.of("prefix", "a text and must not be empty", prefix)
        if url is not None and not isinstance(url, str):
            raise ArgumentError.of("url", "a text such as redis://localhost:6379, or None", url)
        if job_id is not None and not is_job_id(job_id):
            raise ArgumentError.of("job_id", JOB_ID_WANTED, job_id)
        self._url = url
        self.job_id = job_id
        self.interval = interval
        self.ttl = ttl
        self.prefix = prefix
        self.keep_server = keep_server
        self.announce = announce
        self._server: EmbeddedRedis | None = None

    @property
    def url(self) -> str | None:
        """The server's address without user and password."""
        if self._server is not None:
            return self._server.url
        url = resolved_url(self._url)
        return None if url is None else redacted(url)

    @property
    def running(self) -> bool:
        """Whether a run is being written."""
        return self._feed is not None

    def stop_server(self) -> None:
        """Shut down the server that was started here and kept."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def check(self) -> None:
        """Find out, before a run, whether its server can be used or started.

        Raises
        ------
        RedisUnavailableError
            If it cannot; the message says why and what to do.
        """
        url = resolved_url(self._url)
        if url is None:
            find_program()
        else:
            check_server(url)
            keys = JobKeys(self.job_id or self.params.get("job_id") or "run", self.prefix)
            check_keys(url, f"{keys.snapshot}:probe-{secrets.token_hex(4)}")

    def _given_params(self) -> dict[str, Any]:
        return super()._given_params() | {"url": self._url}

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._abandon()
        url = resolved_url(self._url)
        if url is None:
            self._server = self._server or EmbeddedRedis.start(stay=self.keep_server)
            url = self._server.url
        job_id = self.job_id or self.params.get("job_id") or "run"
        keys = JobKeys(job_id, self.prefix)
        ttl = None if self.ttl is None else int(self.ttl)
        try:
            feed = RedisFeed(url, keys, self.params, self.pipeline, self.interval, ttl)
            feed.open(logs or {})
        except BaseException:
            self._part_with_server()
            raise
        self._open(feed)
        if self.announce:
            announce(f"Watch this run: {self._watch_command(url, job_id)}")

    def _target_name(self) -> str | None:
        return self.url

    def _release(self) -> None:
        self._part_with_server()

    def _part_with_server(self) -> None:
        if not self.keep_server:
            self.stop_server()
        elif self._server is not None and self.announce:
            about = f"The Redis server stays at {self._server.url}"
            announce(f"{about}; `kill {self._server.pid}` ends it")

    def _watch_command(self, url: str, job_id: str) -> str:
        program = "schoolbell"
        if shutil.which(program) is None:
            program = str(Path(sys.executable).with_name(program))
        parts = urlsplit_or_none(url)
        secret = parts is None or "@" in parts.netloc or parts.query
        where = f"--redis {redacted(url)}"
        if secret:
            where = "(with the server's URL in REDIS_URL)"
        prefix = "" if self.prefix == DEFAULT_PREFIX else f" --prefix {self.prefix}"
        return f"{program} watch {job_id}{prefix} {where}"
