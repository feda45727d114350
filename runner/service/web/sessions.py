"""How a browser is let in: one-time links, and the cookies that they set."""

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis import Redis

_LINK_SECONDS = 600
_SESSION_SECONDS = 30 * 86_400


class Sessions:
    """One-time links and the cookies that they set, kept in Redis by their digests.

    Parameters
    ----------
    client
        The server.
    prefix
        What the service's keys begin with.
    """

    def __init__(self, client: "Redis", prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def new_link(self, owner: str) -> str:
        """Return a key that one browser can change for a cookie, once and within 10 minutes."""
        return self._new("link", owner, _LINK_SECONDS)

    def use_link(self, key: str) -> str | None:
        """Return whose a link is, and forget it."""
        found: Any = self._client.getdel(self._name("link", key))
        return found

    def new_session(self, owner: str) -> str:
        """Return the value of a cookie."""
        return self._new("session", owner, _SESSION_SECONDS)

    def owner_of(self, session: str) -> str | None:
        """Return whose a cookie is."""
        found: Any = self._client.get(self._name("session", session))
        return found

    def forget(self, session: str) -> None:
        """Let a cookie be of no use any more."""
        self._client.delete(self._name("session", session))

    def _new(self, kind: str, owner: str, seconds: int) -> str:
        value = secrets.token_urlsafe(32)
        self._client.set(self._name(kind, value), owner, ex=seconds)
        return value

    def _name(self, kind: str, value: str) -> str:
        # What is secret is in no key, so that whoever sees the server's keys learns nothing.
        digest = hashlib.sha256(value.encode()).hexdigest()
        return f"{self._prefix}:service:{kind}:{digest}"
