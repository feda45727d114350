"""How this package talks to Redis: always with time-outs, never showing a password."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .redis_unavailable_error import RedisUnavailableError

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

# redis-py takes a tenth of a second to import, so only what needs it does.

SCHEMES = ("redis", "rediss", "unix")

TIMEOUT = 2.0
"""Seconds for a connection, and for an answer."""

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
    from redis import Redis
    from redis.backoff import ExponentialWithJitterBackoff
    from redis.retry import Retry

    base, cap = _BACKOFF_SECONDS
    retry = Retry(ExponentialWithJitterBackoff(base=base, cap=cap), _RETRIES)
    return _from_url(Redis, url, timeout, retry)


def connect_async(url: str, timeout: float | None = None) -> "AsyncRedis":
    """Return a client for asyncio; otherwise as `connect`."""
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
    from redis import RedisError

    with connect(url) as client:
        try:
            client.ping()
        except (RedisError, OSError) as error:
            raise explained(error, url) from None


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
    from redis import exceptions

    where = f"Redis at {redacted(url)}"
    reason = " ".join(str(error).split()) or type(error).__name__
    advice = "is a server running there?"
    if isinstance(error, exceptions.AuthenticationError | exceptions.AuthorizationError) or (
        "NOAUTH" in reason or "WRONGPASS" in reason
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
    elif isinstance(error, exceptions.InvalidResponse | exceptions.ResponseError):
        advice = "is it a Redis server, version 6.2 or newer?"
    elif isinstance(error, exceptions.TimeoutError | TimeoutError):
        advice = "it does not answer; is it a Redis server (rediss:// for TLS)?"
    return RedisUnavailableError(f"cannot use {where}: {reason.rstrip('.')}; {advice}")


def _no_url(url: str) -> RedisUnavailableError:
    return RedisUnavailableError(
        f"not a URL of a Redis server: {redacted(url)}; write redis://HOST:PORT, "
        "rediss://USER:PASSWORD@HOST:PORT or unix:///PATH, special characters of a password as %XX"
    )
