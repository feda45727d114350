"""Tells people how a run ended."""

import atexit
import logging
from collections.abc import Iterable
from typing import Any, ClassVar

from ..argument_error import ArgumentError, check_number
from ..background.needing import needing
from ..callback import Callback, Logs, nothing
from ..formatting import format_seconds
from ..parameters import HIDDEN, without_secrets
from ..safe_warning import warn_safely
from ..vocabulary import FAILED, FINISHED, MAX, best_text, outcome_text
from .notify_feed import NotifyFeed

_OCCASIONS = ("end", "failure", "target")


class Notify(Callback):
    """Tells people of a run's end, its failure, or that it is good enough, through Apprise.

    A thread of its own sends, so the run waits for no server; at its end it
    waits ten seconds at most. What a service does not take is sent to it again,
    for a minute after the run, as long as the process lives; one warning is
    given. No URL, which may hold a password, is ever shown.

    Parameters
    ----------
    urls
        One or several services of Apprise: ``mailto://user:password@host?to=ann@example.org``,
        ``slack://…``, ``json://host/path`` (a webhook), ``dbus://`` (a desktop), see
        https://appriseit.com.
    on
        When: ``"end"``, however it ends; ``"failure"``, if it fails; ``"target"``,
        at the first solution that is as good as `target`. One or several.
    target
        The cost that is good enough, without violations: it, or one that is better
        by the pipeline's goal.

    Raises
    ------
    ImportError
        Where Apprise is not installed.
    ArgumentError
        For what is no URL of a service, another occasion, and a target without
        its occasion or the other way round.
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {"_feed": nothing}

    def __init__(
        self,
        urls: str | Iterable[str],
        on: str | Iterable[str] = ("end",),
        target: float | None = None,
    ) -> None:
        super().__init__()
        self._urls = (urls,) if isinstance(urls, str) else tuple(urls)
        self.on = (on,) if isinstance(on, str) else tuple(on)
        for occasion in self.on:
            if occasion not in _OCCASIONS:
                raise ArgumentError.of("on", '"end", "failure" or "target"', occasion)
        if not self.on:
            raise ArgumentError.of("on", "one occasion or several", self.on)
        if target is not None:
            check_number("target", target, wanted="a cost or None")
        if (target is None) == ("target" in self.on):
            raise ArgumentError('target must be given with on="target", and only then')
        self.target = target
        self._services(self._urls)
        self._feed: NotifyFeed | None = None
        self._reached = False

    @property
    def urls(self) -> tuple[str, ...]:
        """The services, of each no more than its kind."""
        return tuple(_kind(url) for url in self._urls)

    def _given_params(self) -> dict[str, Any]:
        return super()._given_params() | {"urls": self._urls}

    def state_dict(self) -> dict[str, Any]:
        return {"reached": self._reached}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Remember whether the target had been reached."""
        self._reached = bool(state["reached"])

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._end()
        self._reached = False
        self._feed = NotifyFeed(self._services(self._urls), self.urls)
        # A process that ends in a hurry still sends what is left.
        atexit.register(self._end)

    def on_solution(self, solution: Any, logs: Logs | None = None) -> None:
        best = logs or {}
        cost = best.get("cost")
        if self.target is None or self._reached or cost is None or best.get("violations"):
            return
        if cost >= self.target if self.params.get("goal") == MAX else cost <= self.target:
            self._reached = True
            self._leave(f"reached {best_text(cost, best.get('violations'))}", best)

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        about = logs or {}
        status, violations = about.get("status", FINISHED), about.get("violations")
        if "end" in self.on or ("failure" in self.on and status == FAILED):
            outcome = outcome_text(status, about.get("stopped_by"), about.get("error"), violations)
            self._leave(outcome, about)
        self._end()

    def _leave(self, words: str, logs: Logs) -> None:
        if self._feed is None:
            return
        name = self.params.get("job_id") or "run"
        best = best_text(logs.get("cost"), logs.get("violations"))
        stage = f", stage {logs['stage']}" if logs.get("stage") else ""
        body = f"{words}\n{best} after {format_seconds(logs.get('elapsed'))}{stage}"
        # A title is one line, and short.
        title = f"{name}: {words.splitlines()[0][:80]}"
        self._feed.leave(without_secrets(title), without_secrets(body))

    def _end(self) -> None:
        feed, self._feed = self._feed, None
        if feed is None:
            return
        if not feed.close():
            warn_safely(f"{', '.join(self.urls)} did not take a message yet", stacklevel=2)
        atexit.unregister(self._end)

    @staticmethod
    def _services(urls: Iterable[str]) -> list[Any]:
        with needing("Notify", "notify"):
            from apprise import Apprise  # pyright: ignore[reportMissingImports] - optional
        # Its own words of what fails would hold the URL.
        logging.getLogger("apprise").addHandler(logging.NullHandler())
        services = []
        for number, url in enumerate(urls):
            service = Apprise.instantiate(url) if isinstance(url, str) else None
            if not service:
                kind = _kind(url) if isinstance(url, str) else type(url).__name__
                # Without the URL, which may hold a password.
                raise ArgumentError(
                    f"urls[{number}] ({kind}) must be the URL of a service that Apprise knows, "
                    "as in mailto://user:password@host"
                )
            services.append(service)
        if not services:
            raise ArgumentError("urls must be the URL of a service, or several")
        return services


def _kind(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    return f"{scheme}://{HIDDEN}" if separator and scheme.isalnum() else HIDDEN
