"""The base of callbacks that tell a server of a run."""

import atexit
from typing import Any, ClassVar

from ..callback import Callback, Logs, nothing
from ..safe_warning import warn_safely
from ..vocabulary import FINISHED, outcome_text
from .event_feed import EventFeed


class FeedLogger(Callback):
    """Hands a run's hooks to an `EventFeed`, which tells a server of them.

    A subclass makes the feed in ``on_pipeline_begin`` and gives it to `_open`.
    """

    made_anew: ClassVar = {"_feed": nothing}

    def __init__(self) -> None:
        super().__init__()
        self._feed: EventFeed | None = None

    def state_dict(self) -> dict[str, Any]:
        return {} if self._feed is None else self._feed.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self._feed is not None:
            self._feed.load_state_dict(state)

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
        outcome = outcome_text(
            about.get("status", FINISHED),
            about.get("stopped_by"),
            about.get("error"),
            about.get("violations"),
        )
        self._end(outcome, about)

    def _target_name(self) -> str | None:
        """Return what to call the server, without a secret."""
        raise NotImplementedError

    def _open(self, feed: EventFeed) -> None:
        """Let a feed take what the hooks are told from now on."""
        self._feed = feed
        # A process that ends in a hurry still says so.
        atexit.register(self._abandon)

    def _end(self, outcome: str, logs: Logs) -> None:
        feed, self._feed = self._feed, None
        if feed is None:
            return
        if not feed.close(outcome, logs):
            message = f"{self._target_name()} does not know yet how the run ended"
            warn_safely(message, stacklevel=2)
        self._release()
        atexit.unregister(self._abandon)

    def _release(self) -> None:
        """Give up what the feed needed, after its end."""

    def _abandon(self) -> None:
        """End the feed of a run that never came to its end."""
        self._end("abandoned", {})
