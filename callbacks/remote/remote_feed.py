"""Posts where a run stands to a web server, from a thread of its own."""

import json
import math
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from ..background.ticker import Ticker
from ..control import Control
from ..monitor import check_numbers
from ..snapshot import Snapshot
from .http_target import HTTPTarget
from .snapshot_fields import plain_logs, snapshot_values

# Stage changes kept for a server that is away.
_MOST_PENDING = 1_000
# After a failure it is tried again after so many seconds, then after twice as many, and so on.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
# So many stage changes may have been posted by a run after its last backup, snapshots aside.
_MOST_CHANGES = 100
# The end of a run is offered for so long to a server that is away, while the process lives.
_LAST_SECONDS = 60.0


class RemoteFeed:
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
        self._target = target
        self._job_id = job_id
        self._control = control
        self._pending: deque[dict[str, Any]] = deque(maxlen=_MOST_PENDING)
        self._inbox: deque[tuple[str, float, Snapshot, Mapping[str, Any]]] = deque(
            maxlen=_MOST_PENDING
        )
        self._newest: tuple[int | None, Mapping[str, Any]] = (None, {})
        self._started_at = time.time()
        self._told: Snapshot | None = None
        self._seq = 0
        self._interval = interval
        self._ticks = False
        self._progress = 0.0
        self._pause, self._retry_at = _FIRST_PAUSE, 0.0
        self._ending = self._over = self._failed = False
        self._ticker = Ticker(self._tick, interval, f"posting to {target.name}")

    def open(self, logs: Mapping[str, Any], resumed: bool) -> None:
        """Begin to post; for a run that is `resumed` when it is known where it counts on."""
        self._started_at -= logs.get("elapsed", 0.0)
        self._leave("pipeline_begin", logs)
        if not resumed:
            self._start()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs to count on."""
        batch, logs = self._newest
        return {"seq": self._seq, "time": time.time(), "batch": batch, "logs": plain_logs(logs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Count on from where `state_dict` was called, above all that was posted after it."""
        check_numbers(state, ("seq", "time", "batch"))
        seconds = max(0.0, time.time() - state["time"])
        # The ticker rests for half its interval at least.
        self._seq = state["seq"] + _MOST_CHANGES + math.ceil(seconds / (0.5 * self._interval))
        self._newest = (state["batch"], dict(state["logs"]))
        self._start()

    def leave(self, event: str, logs: Mapping[str, Any]) -> None:
        """Leave a stage change for the thread that posts."""
        self._leave(event, logs)
        self._start()

    def _leave(self, event: str, logs: Mapping[str, Any]) -> None:
        self._inbox.append((event, time.time(), self._control.tracker.snapshot(), logs))

    def _start(self) -> None:
        if not self._ticks:
            self._ticks = True
            self._ticker.start()

    def leave_batch(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Leave the newest batch for the thread that posts."""
        self._newest = (batch, logs)

    def close(self, logs: Mapping[str, Any]) -> bool:
        """Post how the run ended, waiting for that a moment at most.

        Where the server is away, the thread goes on trying for a minute.

        Returns
        -------
        bool
            Whether it is posted, or at least a warning was given before.
        """
        self.leave("pipeline_end", logs)
        self._ending = True
        self._ticker.stop()
        return self._over or self._failed

    def _tick(self) -> None:
        """Post what there is; on the ticker's thread, which alone a server can block."""
        if self._ending:
            self._finish()
        elif time.monotonic() >= self._retry_at:
            self._post_all()

    def _finish(self) -> None:
        deadline = time.monotonic() + _LAST_SECONDS
        while True:
            try:
                self._post_all()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(self._pause)
            else:
                self._over = True
                return

    def _post_all(self) -> None:
        self._take_inbox()
        snapshot = self._control.tracker.snapshot()
        if not self._ending and snapshot != self._told and not self._pending:
            batch, logs = self._newest
            self._pending.append(self._event("snapshot", time.time(), snapshot, logs, batch))
            self._told = snapshot
        refusal = None
        while self._pending:
            try:
                self._target.post(json.dumps(self._pending[0]))
            except ValueError as error:
                refusal = error
            except OSError:
                self._failed = True
                self._retry_at = time.monotonic() + self._pause
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)
                raise
            self._pending.popleft()
        self._pause = _FIRST_PAUSE
        if refusal is not None:
            self._failed = True
            raise refusal

    def _take_inbox(self) -> None:
        while self._inbox:
            self._pending.append(self._event(*self._inbox.popleft()))

    def _event(
        self,
        name: str,
        moment: float,
        snapshot: Snapshot,
        logs: Mapping[str, Any],
        batch: int | None = None,
    ) -> dict[str, Any]:
        self._seq += 1
        values = snapshot_values(snapshot)
        # Progress must not go back where two threads looked at it at one time.
        self._progress = values["progress"] = max(self._progress, values["progress"])
        return {
            "job_id": self._job_id,
            "event": name,
            "seq": self._seq,
            "started_at": self._started_at,
            "updated_at": moment,
            "batch": batch,
            **values,
            "logs": plain_logs(logs, self._control),
        }
