"""Sends messages by Apprise, from a thread of its own."""

import time
from collections.abc import Sequence
from typing import Any

from ..background.feed import Feed

_SEND_SECONDS = 0.5
_RETRY_SECONDS = 5.0
# The end of a run waits so long for its message to be taken.
_LAST_SECONDS = 10.0
_MOST_WAITING = 16


class NotifyFeed(Feed):
    """Sends each message to each of some services, and again to those that did not take it.

    Parameters
    ----------
    services
        Of Apprise.
    names
        What to call them: never their URLs, which hold passwords.
    """

    def __init__(self, services: Sequence[Any], names: Sequence[str]) -> None:
        super().__init__(_SEND_SECONDS, "notifying", _MOST_WAITING)
        self._services = services
        self._names = names
        self._pause = _RETRY_SECONDS
        self._retry_at = 0.0
        # What each service has still to be sent.
        self._unsent: list[tuple[int, str, str]] = []
        self._start()

    def leave(self, title: str, body: str) -> None:
        """Leave a message for the thread that sends."""
        self._inbox.append((title, body))

    def close(self) -> bool:
        """Send what is left, waiting for that a moment at most; tell whether nothing is amiss."""
        return self._end(_LAST_SECONDS)

    def _deliver_due(self) -> None:
        if time.monotonic() >= self._retry_at:
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            self._deliver()
            self._retry_at = 0.0

    def _deliver(self) -> None:
        while self._inbox:
            title, body = self._inbox.popleft()
            self._unsent += [(number, title, body) for number in range(len(self._services))]
        del self._unsent[: -_MOST_WAITING * len(self._services)]
        failed = []
        for message in list(self._unsent):
            number, title, body = message
            if number in failed:
                # In their order, and no longer than one time-out.
                continue
            if self._send(self._services[number], title, body):
                self._unsent.remove(message)
            else:
                failed.append(number)
        if failed:
            names = ", ".join(self._names[number] for number in failed)
            raise ConnectionError(f"{names} did not take the message; trying again")

    def _send(self, service: Any, title: str, body: str) -> bool:
        from apprise import Apprise  # pyright: ignore[reportMissingImports] - optional

        try:
            sender = Apprise()
            sender.add(service)
            return bool(sender.notify(body=body, title=title))
        except Exception:
            # What it says may hold the URL.
            return False
