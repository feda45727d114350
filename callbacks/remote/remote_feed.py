"""Posts where a run stands to a web server, from a thread of its own."""

import json
import math
import time
from collections.abc import Mapping
from typing import Any

from ..control import Control
from ..monitor import check_numbers
from .event_feed import Event, EventFeed
from .http_target import HTTPTarget

# After a failure it is tried again after so many seconds, then after twice as many, and so on.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
# So many stage changes may have been posted by a run after its last backup, snapshots aside.
_MOST_CHANGES = 100


class RemoteFeed(EventFeed):
    """Posts snapshots and stage changes of one run, in their order, as JSON.

    Parameters
    ----------
    target
        Where to.
    job_id
        The run's id.
    control
        The running pipeline.
    interval
        Seconds between two snapshots.
    """

    def __init__(self, target: HTTPTarget, job_id: str, control: Control, interval: float) -> None:
        super().__init__(control, interval, f"posting to {target.name}")
        self._target = target
        self._job_id = job_id
        self._interval = interval
        self._pause, self._retry_at = _FIRST_PAUSE, 0.0

    def open(self, logs: Mapping[str, Any], resumed: bool) -> None:
        """Begin to post; for a run that is `resumed` when it is known where it counts on."""
        self._started_at -= logs.get("elapsed", 0.0)
        super().leave("pipeline_begin", logs)
        if not resumed:
            self._start()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs to count on."""
        return super().state_dict() | {"time": time.time()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Count on from where `state_dict` was called, above all that was posted after it."""
        check_numbers(state, ("seq", "time", "batch"))
        seconds = max(0.0, time.time() - state["time"])
        # The ticker rests for half its interval at least.
        most = _MOST_CHANGES + math.ceil(seconds / (0.5 * self._interval))
        self._least_seq = state["seq"] + most
        self._newest = (state["batch"], dict(state["logs"]))
        self._start()

    def leave(self, event: str, logs: Mapping[str, Any]) -> None:
        """Leave a stage change for the thread that posts."""
        super().leave(event, logs)
        self._start()

    def _deliver_due(self) -> None:
        if time.monotonic() >= self._retry_at:
            self._deliver()

    def _deliver(self) -> None:
        self._take_inbox()
        snapshot = self._control.tracker.snapshot()
        if not self._ending and snapshot != self._told and not self._pending:
            self._pending.append(self._snapshot_event(self._values(snapshot)))
            self._told = snapshot
        refusal = None
        while self._pending:
            try:
                self._target.post(json.dumps(self._as_json(self._pending[0])))
            except ValueError as error:
                refusal = error
            except OSError:
                self._retry_at = time.monotonic() + self._pause
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)
                raise
            self._pending.popleft()
        self._pause = _FIRST_PAUSE
        if refusal is not None:
            raise refusal

    def _as_json(self, event: Event) -> dict[str, Any]:
        return {
            "job_id": self._job_id,
            "event": event.name,
            "seq": event.seq,
            "started_at": self._started_at,
            "updated_at": event.time,
            "batch": event.batch,
            **event.values,
            "logs": event.logs,
        }
