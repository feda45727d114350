"""How this package talks to Redis: always with time-outs, never showing a password."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..background.needing import needing
from .redis_unavailable_error import RedisUnavailableError

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

# redis-py takes a tenth of a second to import, so only what needs it does.

SCHEMES = ("redis", "rediss", "unix")

TIMEOUT = 2.0
"""Seconds for a connection, and for an answer."""

# XRANGE from an id on that is not taken in itself.
_OLDEST = (6, 2)

_PROBE_SECONDS = 10
_PASSING = ("OutOfMemoryError", "BusyLoadingError")

# What a Redis is that a run cannot be written to, and what could be used.
_CLUSTER = (
    "it is part of a Redis Cluster, which spreads a run's keys over several servers; give the URL "
    "of a single server (cluster-enabled no), or none to have one started for the run"
)
_SENTINEL = "it is a Sentinel, which holds no data; give the URL of a server that it watches"
_REPLICA = "it is a read-only replica; give the URL of its master"

# How an alert of TLS begins, as redis-py shows what it does not understand, and as hiredis does.
_TLS_ALERTS = (r"\x15\x03", r'"\x15"')

# The longest reason of a server's own that is told.
_MOST_LETTERS = 200

_RETRIES = 1
_BACKOFF_SECONDS = (0.05, 0.5)


def connect(url: str, timeout: float | None = None) -> "Redis":
    """Return a client for a server; nothing is sent yet.

    Parameters
    ----------
    url
        ``redis://``, ``rediss://`` (TLS) or ``unix://``, as redis-py takes it.
    timeout
        Seconds for a connection, and for an answer; `TIMEOUT` by default.

    Raises
    ------
    RedisUnavailableError
        For a text that is no such URL.
    """
    with needing("a connection to Redis"):
        from redis import Redis
        from redis.backoff import ExponentialWithJitterBackoff
        from redis.retry import Retry

    base, cap = _BACKOFF_SECONDS
    retry = Retry(ExponentialWithJitterBackoff(base=base, cap=cap), _RETRIES)
    return _from_url(Redis, url, timeout, retry)


def connect_async(url: str, timeout: float | None = None) -> "AsyncRedis":
    """Return a client for asyncio; otherwise as `connect`."""
    with needing("a connection to Redis"):
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import ExponentialWithJitterBackoff

    base, cap = _BACKOFF_SECONDS
    retry = Retry(ExponentialWithJitterBackoff(base=base, cap=cap), _RETRIES)
    return _from_url(Redis, url, timeout, retry)


def _from_url(client: Any, url: str, timeout: float | None, retry: Any) -> Any:
    if urlsplit_or_none(url) is None:
        raise _no_url(url)
    seconds = TIMEOUT if timeout is None else timeout
    options = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    try:
        return client.from_url(url, decode_responses=True, retry=retry, **options)
    except (ValueError, TypeError):
        # Not as the cause: its message may quote a part of the password.
        raise _no_url(url) from None


def check_server(url: str) -> None:
    """Find out whether a server answers.

    Raises
    ------
    RedisUnavailableError
        If it does not, or the URL is none.
    """
    with needing("a connection to Redis"):
        from redis import RedisError

    with connect(url) as client:
        try:
            client.ping()
            if fault := _fault(client):
                raise RedisUnavailableError(f"cannot use Redis at {redacted(url)}: {fault}")
        except (RedisError, OSError) as error:
            if isinstance(error, RedisUnavailableError):
                raise
            if not is_passing(error):
                raise explained(error, url) from None


def check_keys(url: str, probe: str) -> None:
    """Find out whether a server lets itself be written as a run writes.

    Parameters
    ----------
    url
        The server.
    probe
        A key that is made for that and deleted.

    Raises
    ------
    RedisUnavailableError
        If it does not.
    """
    with needing("a connection to Redis"):
        from redis import RedisError

    other = f"{probe}:events"
    with connect(url) as client:
        try:
            with client.pipeline(transaction=True) as pipe:
                pipe.watch(probe)
                pipe.multi()
                pipe.hset(probe, mapping={"status": "probe"})
                pipe.xadd(other, {"event": "probe"}, maxlen=10, approximate=True)
                pipe.expire(probe, _PROBE_SECONDS)
                pipe.expire(other, _PROBE_SECONDS)
                pipe.xrange(other, min="(0-0", count=1)
                pipe.delete(probe, other)
                pipe.execute()
        except (RedisError, OSError) as error:
            if not is_passing(error):
                raise explained(error, url) from None


def is_passing(error: Exception) -> bool:
    """Tell whether a server may soon be well again: no reason not to begin a run."""
    return type(error).__name__ in _PASSING


def _fault(client: Any) -> str | None:
    """Return what kind of server cannot be used, and what could, in words; None if it can."""
    with needing("a connection to Redis"):
        from redis import RedisError

    with suppress(RedisError):
        # A user may be denied this; then what is written shows it.
        about = client.info()
        version = str(about.get("redis_version", ""))
        # The second is Valkey's word.
        mode = about.get("redis_mode") or about.get("server_mode")
        if mode == "sentinel":
            return _SENTINEL + _watched_by(client)
        if mode == "cluster" or about.get("cluster_enabled"):
            return _CLUSTER
        numbers = [int(part) if part.isdigit() else 0 for part in version.split(".")]
        if version and numbers[:2] < [*_OLDEST]:
            needed = ".".join(map(str, _OLDEST))
            return f"it is version {version}; {needed} or newer is needed"
        if about.get("role") == "slave" and _is_read_only(client):
            host, port = about.get("master_host"), about.get("master_port")
            return f"it is a read-only replica; give the URL of its master, {host}:{port}"
    return None


def _watched_by(client: Any) -> str:
    with needing("a connection to Redis"):
        from redis import RedisError

    with suppress(RedisError, AttributeError, KeyError):
        found = client.sentinel_masters()
        places = [f"{one['ip']}:{one['port']} ({name})" for name, one in sorted(found.items())]
        return f": {', '.join(places)}" if places else ""
    return ""


def _is_read_only(client: Any) -> bool:
    with needing("a connection to Redis"):
        from redis import RedisError

    try:
        return client.config_get("replica-read-only").get("replica-read-only") != "no"
    except RedisError:
        # As replicas are unless told otherwise.
        return True


def resolved_url(url: str | None) -> str | None:
    """Return the URL, by default the one in the environment's ``REDIS_URL``, or None."""
    return url or os.environ.get("REDIS_URL") or None


def redacted(url: str) -> str:
    """Return a URL for people, without user, password and options."""
    parts = urlsplit_or_none(url)
    if parts is None or "@" in parts.path:
        scheme = url.partition("://")[0]
        return f"{scheme}://***" if scheme in SCHEMES else "***"
    if parts.scheme == "unix":
        return f"unix://{parts.path}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = "" if parts.port is None else f":{parts.port}"
    secret = "***@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{secret}{host}{port}{parts.path}"


def urlsplit_or_none(url: str) -> Any:
    """Return the parts of a Redis URL; None for a text that is none."""
    with suppress(ValueError):
        parts = urlsplit(url)
        # A wrong port shows only when it is asked for.
        _ = parts.port
        # A password with a "/" in it ends the host too early.
        misread = "@" in parts.path + parts.query + parts.fragment and parts.scheme != "unix"
        if parts.scheme in SCHEMES and not misread and "://" in url:
            return parts
    return None


def explained(error: Exception, url: str) -> RedisUnavailableError:
    """Return an error of redis-py in words that say what to do."""
    with needing("a connection to Redis"):
        from redis import exceptions

    where = f"Redis at {redacted(url)}"
    reason = " ".join(str(error).split()) or type(error).__name__
    for words, signs in (
        (_CLUSTER, ("MOVED", "ASK ", "CROSSSLOT", "CLUSTERDOWN", "TRYAGAIN")),
        (_REPLICA, ("READONLY", "You can't write against a read only")),
    ):
        names = ("MovedError", "AskError", "ClusterCrossSlotError", "ClusterDownError")
        is_cluster = words is _CLUSTER and type(error).__name__ in names
        if is_cluster or any(sign in reason[:_MOST_LETTERS] for sign in signs):
            return RedisUnavailableError(f"cannot use {where}: {words}")
    if "NOAUTH" in reason or "HELLO must be called with the client already auth" in reason:
        reason = "it asks for a password"
    if len(reason) > _MOST_LETTERS:
        reason = f"{reason[:_MOST_LETTERS]}…"
    advice = "is a server running there?"
    if isinstance(error, exceptions.AuthenticationError | exceptions.AuthorizationError) or (
        "asks for a password" in reason or "WRONGPASS" in reason
    ):
        advice = "check user and password in the URL"
    elif isinstance(error, exceptions.NoPermissionError):
        advice = "the user's ACL must allow the keys and commands of a run"
    elif urlsplit_or_none(url).scheme == "rediss" and (
        "SSL" in reason
        or "certificate" in reason.lower()
        or isinstance(error, exceptions.TimeoutError | TimeoutError)
    ):
        advice = (
            "does the server speak TLS (rediss://) at this port, with a certificate that this "
            "machine trusts? ?ssl_ca_certs=FILE names another authority"
        )
    elif "DB index" in reason:
        advice = "the number at the URL's end must be that of one of the server's databases"
    elif "MISCONF" in reason or "NOREPLICAS" in reason:
        advice = "the server refuses to be written; see its own log"
    elif "unknown command" in reason:
        advice = (
            "is it a Redis server, version 6.2 or newer, and neither a Sentinel nor a proxy that "
            "leaves commands out?"
        )
    elif _has_hung_up(error, reason):
        advice = "is it a Redis server? one that speaks TLS needs rediss://"
    elif isinstance(error, exceptions.InvalidResponse | exceptions.ResponseError):
        advice = "is it a Redis server, version 6.2 or newer?"
    elif isinstance(error, exceptions.TimeoutError | TimeoutError):
        advice = "it does not answer; is it a Redis server (rediss:// for TLS)?"
    return RedisUnavailableError(f"cannot use {where}: {reason.rstrip('.')}; {advice}")


def _has_hung_up(error: Exception, reason: str) -> bool:
    """Tell whether there is somebody who did not like what was sent."""
    if any(sign in reason for sign in ("closed by server", *_TLS_ALERTS)):
        return True
    causes = (error, error.__cause__, error.__context__)
    return any(isinstance(one, ConnectionResetError | BrokenPipeError) for one in causes)


def _no_url(url: str) -> RedisUnavailableError:
    return RedisUnavailableError(
        f"not a URL of a Redis server: {redacted(url)}; write redis://HOST:PORT, "
        "rediss://USER:PASSWORD@HOST:PORT or unix:///PATH, special characters of a password as %XX"
    )
