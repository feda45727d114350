"""Progress of one run among others, as a few lines."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..snapshot import Snapshot
from .display import best_text, status_text
from .plain_display import PlainDisplay

# Seconds between two lines, and those within which a run is over before anybody wants to know.
_LINE_SECONDS = 5.0
_SHORT_SECONDS = 1.0


class BriefDisplay(PlainDisplay):
    """A few lines of a run in a terminal that another display owns, which go above that one.

    They tell which run they are of; a run of less than a second says nothing,
    since there may be thousands of them within the other.
    """

    def begin(self, title: str, stages: Sequence[Mapping[str, Any]]) -> None:
        super().begin(title, stages)
        self._began = time.monotonic()
        self._next = self._began + _LINE_SECONDS

    def update(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LINE_SECONDS
            parts = (self._title, self._message(snapshot), status_text(snapshot))
            self._print(snapshot, ", ".join(part for part in (*parts, best_text(snapshot)) if part))

    def end_stage(
        self, snapshot: Snapshot, seconds: float, ended_by: str, stopped_by: str | None = None
    ) -> None:
        self._ended.add(snapshot.stage)

    def end(self, snapshot: Snapshot, outcome: str) -> None:
        if time.monotonic() - self._began >= _SHORT_SECONDS:
            super().end(snapshot, outcome)
