"""List the runs that a Redis server knows, and ask something of one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...callbacks.names import did_you_mean
from ...callbacks.remote.job_keys import COMMANDS, DEFAULT_PREFIX, JobKeys
from ...callbacks.remote.redis_connection import connect, explained
from ...callbacks.vocabulary import LOST
from ...stages.needing import needing
from .follower import read_hash
from .unknown_job_error import UnknownJobError
from .watch import known_url
from .watched_snapshot import WatchedSnapshot

if TYPE_CHECKING:
    from redis import Redis

# Commands that nobody takes up are kept for an hour.
_COMMAND_TTL = 3600
_MOST_COMMANDS = 1000
_POLL_SECONDS = 0.05
_SCAN_COUNT = 1000


def list_jobs(url: str | None = None, *, prefix: str = DEFAULT_PREFIX) -> list[WatchedSnapshot]:
    """Return the newest snapshot of each run that a server knows, the latest run first.

    A run without a sign of life has the status ``"lost"``.

    Parameters
    ----------
    url
        The server; the environment's ``REDIS_URL`` by default.
    prefix
        What the logger's keys begin with.

    Raises
    ------
    RedisUnavailableError
        If the server cannot be used.
    """
    with _client(url) as client:
        pattern = f"{_literal(prefix)}:job:*"
        names = sorted(client.scan_iter(match=pattern, count=_SCAN_COUNT, _type="HASH"))
        pipe = client.pipeline(transaction=False)
        for name in names:
            pipe.hgetall(name)
            pipe.exists(f"{name}:alive")
        answer = pipe.execute()
    jobs = []
    for texts, alive in zip(answer[::2], answer[1::2], strict=True):
        if not alive and not texts.get("outcome"):
            texts |= {"status": LOST, "outcome": LOST}
        jobs.append(read_hash(texts, ""))
    return sorted(jobs, key=lambda job: job.started_at, reverse=True)


def send_command(
    job_id: str,
    command: str,
    url: str | None = None,
    *,
    prefix: str = DEFAULT_PREFIX,
    wait: float = 5.0,
) -> bool:
    """Ask something of a run.

    Parameters
    ----------
    job_id
        The run.
    command
        ``"stop"``, ``"skip_stage"``, ``"pause"`` or ``"resume"``.
    url
        The server; the environment's ``REDIS_URL`` by default.
    prefix
        What the logger's keys begin with.
    wait
        Seconds to wait for the run to take it up.

    Returns
    -------
    bool
        Whether the run has taken it up; it does so when the unit in hand is done.

    Raises
    ------
    ValueError
        For another command.
    UnknownJobError
        If the server knows no such run, or it has ended.
    RedisUnavailableError
        If the server cannot be used.
    """
    if command not in COMMANDS:
        close = did_you_mean(command, COMMANDS)
        raise ValueError(f"command must be one of {', '.join(COMMANDS)}, got {command!r}{close}")
    keys = JobKeys(job_id, prefix)
    with _client(url) as client:
        status, outcome = client.hmget(keys.snapshot, "status", "outcome")  # pyright: ignore[reportGeneralTypeIssues] - not a coroutine here
        if status is None:
            raise UnknownJobError(f"no run {job_id!r} at this Redis server")
        if outcome:
            raise UnknownJobError(f"run {job_id!r} is over: {outcome}")
        with client.pipeline(transaction=True) as pipe:
            pipe.xadd(keys.commands, {"command": command}, maxlen=_MOST_COMMANDS)
            pipe.expire(keys.commands, _COMMAND_TTL)
            identity = pipe.execute()[0]
        return _is_taken_up(client, keys, identity, wait)


def _is_taken_up(client: "Redis", keys: JobKeys, identity: str, wait: float) -> bool:
    deadline = time.monotonic() + wait
    while True:
        last, outcome = client.hmget(keys.snapshot, "last_command", "outcome")  # pyright: ignore[reportGeneralTypeIssues] - not a coroutine here
        if last is not None and _order(str(last)) >= _order(identity):
            return True
        if outcome or time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)


def _order(identity: str) -> tuple[int, ...]:
    return tuple(int(part) for part in identity.split("-"))


@contextmanager
def _client(url: str | None) -> "Iterator[Redis]":
    with needing("steering a run"):
        from redis import RedisError

    url = known_url(url)
    with connect(url) as client:
        try:
            yield client
        except (RedisError, OSError) as error:
            raise explained(error, url) from None


def _literal(text: str) -> str:
    """Return a pattern that only this text matches."""
    return "".join(f"\\{one}" if one in "*?[]^-\\" else one for one in text)
