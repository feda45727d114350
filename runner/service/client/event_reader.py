"""Reads server-sent events and makes snapshots of them."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ...watching.watched_snapshot import WatchedSnapshot

END, JOB = "end", "job"

_EMPTY: dict[str, Any] = {
    "status": "queued",
    "stage": None,
    "unit": None,
    "done": 0,
    "total": None,
    "message": "",
    "stage_progress": 0.0,
    "progress": 0.0,
    "eta": None,
    "elapsed": 0.0,
    "cost": None,
    "violations": None,
    "job_id": "",
    "id": "",
    "event": "snapshot",
    "seq": 0,
    "outcome": "",
    "pipeline": "",
    "stages": (),
    "logs": {},
    "batch": None,
    "started_at": 0.0,
    "updated_at": 0.0,
}
_KNOWN = {one.name for one in fields(WatchedSnapshot)}


class EventReader:
    """Reads the lines of an event stream, over however many connections.

    Attributes
    ----------
    last_id
        Where to go on from; None before the first event.
    over
        Whether the job has ended.
    """

    def __init__(self, last_id: str | None = None) -> None:
        self.last_id = last_id
        self.over = False
        self._seq = -1
        self._started_at = 0.0
        self._begin()

    def connect(self) -> dict[str, str]:
        """Begin another connection; return the headers that it needs."""
        self._begin()
        headers = {"Accept": "text/event-stream"}
        return headers if self.last_id is None else {**headers, "Last-Event-ID": self.last_id}

    def _begin(self) -> None:
        self._id: str | None = None
        self._event = ""
        self._data: list[str] = []

    def feed(self, line: str) -> WatchedSnapshot | None:
        """Take one line; return the snapshot that it completes, if it does."""
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                self._data.append(value)
            elif name == "event":
                self._event = value
            elif name == "id":
                self._id = value
            return None
        event, data, identity = self._event, "\n".join(self._data), self._id
        self._begin()
        if identity is not None:
            self.last_id = identity
        return self.take(event, json.loads(data)) if data else None

    def take(self, event: str, values: Mapping[str, Any]) -> WatchedSnapshot | None:
        """Take one event; return the snapshot that it is, unless it has been told already."""
        if event == JOB:
            return None
        if event == END:
            self.over = True
            return end_of(values)
        # How one process of the job has ended is not how the job did.
        return self._new(WatchedSnapshot(**_known({**values, "outcome": ""})))

    def _new(self, snapshot: WatchedSnapshot) -> WatchedSnapshot | None:
        """Return a snapshot unless it has been told already."""
        if snapshot.started_at != self._started_at:
            self._seq, self._started_at = -1, snapshot.started_at
        if snapshot.seq <= self._seq:
            return None
        self._seq = snapshot.seq
        return snapshot


def end_of(about: Mapping[str, Any]) -> WatchedSnapshot:
    """Return the last snapshot of a job that has ended."""
    last = about.get("snapshot") or {}
    told = {name: about[name] for name in ("status", "cost", "violations") if name in about}
    outcome = about.get("why") or about.get("status")
    return WatchedSnapshot(**_known({**last, **told, "job_id": about["id"], "outcome": outcome}))


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return _EMPTY | {name: value for name, value in values.items() if name in _KNOWN}
