"""Shows a run to the world through Redis."""

import atexit
import shutil
import sys
from pathlib import Path
from typing import Any

from .callback import Callback, Logs
from .embedded_redis import EmbeddedRedis, find_program
from .job_keys import DEFAULT_PREFIX, HEARTBEAT_SECONDS, JobKeys
from .redis_connection import check_server, redacted, resolved_url, urlsplit_or_none
from .redis_feed import RedisFeed
from .safe_warning import warn_safely


class RedisLogger(Callback):
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
        spare takes four fifths of them.
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
        if not 0.05 <= interval <= HEARTBEAT_SECONDS / 2:
            longest = HEARTBEAT_SECONDS // 2
            raise ValueError(f"interval must be 0.05 to {longest} seconds, got {interval!r}")
        if ttl is not None and not ttl >= 1:
            raise ValueError(f"ttl must be a number of seconds from 1 or None, got {ttl!r}")
        if not prefix:
            raise ValueError("prefix must not be empty")
        self._url = url
        self.job_id = job_id
        self.interval = interval
        self.ttl = ttl
        self.prefix = prefix
        self.keep_server = keep_server
        self.announce = announce
        self._server: EmbeddedRedis | None = None
        self._feed: RedisFeed | None = None

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

    def _given_params(self) -> dict[str, Any]:
        return super()._given_params() | {"url": self._url}

    def state_dict(self) -> dict[str, Any]:
        return {} if self._feed is None else self._feed.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self._feed is not None:
            self._feed.load_state_dict(state)

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
        self._feed = feed
        # A process that ends in a hurry leaves no server behind.
        atexit.register(self._abandon)
        if self.announce:
            print(f"Watch this run: {self._watch_command(url, job_id)}", file=sys.stderr)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.leave("stage_begin", logs or {})

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.leave_batch(batch, logs or {})

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.leave("stage_end", logs or {})

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        about = logs or {}
        outcome = about.get("status", "finished")
        reason = about.get("stopped_by") or about.get("error")
        self._end(f"{outcome}: {reason}" if reason else outcome, about)

    def _end(self, outcome: str, logs: Logs) -> None:
        feed, self._feed = self._feed, None
        if feed is None:
            return
        if not feed.close(outcome, logs):
            message = f"{self.url} does not know yet how the run ended"
            warn_safely(message, stacklevel=2)
        self._part_with_server()
        atexit.unregister(self._abandon)

    def _abandon(self) -> None:
        """Take leave of a run that never came to its end."""
        self._end("abandoned", {})

    def _part_with_server(self) -> None:
        if not self.keep_server:
            self.stop_server()
        elif self._server is not None and self.announce:
            about = f"The Redis server stays at {self._server.url}"
            print(f"{about}; `kill {self._server.pid}` ends it", file=sys.stderr)

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
