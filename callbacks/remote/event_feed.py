"""What is told of a run to servers: numbered snapshots and stage changes."""

import time
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..background.feed import Feed
from ..control import Control
from ..snapshot import Snapshot
from .snapshot_fields import plain_logs, plain_tree, snapshot_values

# Stage changes kept for a server that is away.
MOST_PENDING = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """What a server is told of one moment.

    Attributes
    ----------
    name
        ``"snapshot"``, or the stage change: ``"stage_begin"``.
    seq
        A number that grows from one event to the next.
    time
        When it was, in seconds since 1970.
    values
        Those of a `Snapshot`, as JSON knows them.
    logs
        The newest batch's or the stage change's own, as JSON knows them.
    batch
        The newest batch, for a snapshot.
    """

    name: str
    seq: int
    time: float
    values: dict[str, Any]
    logs: dict[str, Any]
    batch: int | None = None


class EventFeed(Feed):
    """Numbers the snapshots and stage changes of one run and keeps them until they are told.

    Parameters
    ----------
    control
        The running pipeline.
    interval, name
        As for `Feed`.
    """

    def __init__(self, control: Control, interval: float, name: str) -> None:
        super().__init__(interval, name, MOST_PENDING)
        self._control = control
        self._pending: deque[Event] = deque(maxlen=MOST_PENDING)
        self._told: Snapshot | None = None
        self._seq = 0
        # What it had come to in a run that this one goes on from.
        self._least_seq = 0
        self._outcome = ""
        self._started_at = time.time()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs to count on."""
        batch, logs = self._newest
        seq = max(self._seq, self._least_seq)
        return {"seq": seq, "batch": batch, "logs": plain_logs(logs)}

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Count on from where `state_dict` was called."""

    def leave(self, event: str, logs: Mapping[str, Any]) -> None:
        """Leave a stage change for the thread that tells it."""
        self._inbox.append((event, time.time(), self._control.tracker.snapshot(), logs))

    def close(self, outcome: str, logs: Mapping[str, Any]) -> bool:
        """Tell how the run ended, waiting for that a moment at most.

        Where the server is away, the thread goes on trying for a minute.

        Parameters
        ----------
        outcome
            The status with its reason.
        logs
            As for ``on_pipeline_end``.

        Returns
        -------
        bool
            Whether it is told, or at least a warning was given before.
        """
        self._outcome = outcome
        self.leave("pipeline_end", logs)
        return self._end()

    def _take_inbox(self) -> None:
        """Number what has been left, in its order."""
        while self._inbox:
            name, moment, snapshot, logs = self._inbox.popleft()
            values = self._values(snapshot)
            self._pending.append(self._event(name, moment, values, logs))
            self._note(name, logs)

    def _note(self, event: str, logs: Mapping[str, Any]) -> None:
        """Look at a stage change that has been numbered."""

    def _values(self, snapshot: Snapshot) -> dict[str, Any]:
        values = snapshot_values(snapshot)
        values["progress"] = self._forward(values["progress"])
        return values

    def _snapshot_event(self, values: dict[str, Any]) -> Event:
        batch, logs = self._newest
        return self._event("snapshot", time.time(), values, logs, batch)

    def _event(
        self,
        name: str,
        moment: float,
        values: dict[str, Any],
        logs: Mapping[str, Any],
        batch: int | None = None,
    ) -> Event:
        self._seq = max(self._seq, self._least_seq) + 1
        # What is known of the run before it begins is no value of the logs.
        trees = {"params"} if name == "pipeline_begin" else set()
        own = {key: value for key, value in logs.items() if key not in trees}
        told = plain_logs(own, self._control)
        told |= {key: plain_tree(logs[key]) for key in trees if key in logs}
        return Event(name, self._seq, moment, values, told, batch)
