"""What watching a run is, without saying how the server is asked."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...callbacks.remote.job_keys import JobKeys
from ...callbacks.remote.redis_connection import explained
from ...callbacks.remote.snapshot_fields import printable, read_number, read_snapshot_values
from ...callbacks.vocabulary import LIVE, LOST
from ..checked_json import told_as
from .unknown_job_error import UnknownJobError
from .watched_snapshot import WatchedSnapshot

POLL_SECONDS = 0.2
"""Seconds between two questions to the server."""

# A run without heartbeat is lost after so long: one whose server has just come back is not.
_LOST_SECONDS = 3.0
_MOST_EVENTS = 500


class Follower:
    """Follows one run: says what to ask a server, and makes snapshots of the answers.

    Parameters
    ----------
    keys
        Where the run is kept.
    url
        The server, for messages.
    last_id
        Where a watcher has read to; None to begin with the newest snapshot.
    patience
        Seconds that a server or a run may be away before an error is raised.
    clock
        Monotonic clock in seconds.

    Attributes
    ----------
    over
        Whether the run has ended, or is lost.
    rest
        Seconds to wait before the next question.
    """

    def __init__(
        self,
        keys: JobKeys,
        url: str,
        last_id: str | None,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.over = False
        self.rest = POLL_SECONDS
        self._keys = keys
        self._url = url
        self._last_id = last_id
        self._patience = patience
        self._clock = clock
        self._seq = -1
        self._started_at = ""
        self._met = False
        self._lonely_since: float | None = None
        self._silent_since: float | None = None
        self._newest: WatchedSnapshot | None = None

    def ask(self, pipe: Any) -> Any:
        """Put one question on a transaction of redis-py, and return it."""
        keys = self._keys
        pipe.hgetall(keys.snapshot)
        pipe.exists(keys.alive)
        if self._last_id is None:
            pipe.xrevrange(keys.events, count=1)
        else:
            pipe.xrange(keys.events, min=f"({self._last_id}", count=_MOST_EVENTS)
        return pipe

    def fail(self, error: Exception) -> None:
        """Note that the server did not answer.

        Raises
        ------
        RedisUnavailableError
            If it never did, or for too long.
        """
        now = self._clock()
        self._silent_since = None
        self._lonely_since = now if self._lonely_since is None else self._lonely_since
        if not self._met or now - self._lonely_since > self._patience:
            raise explained(error, self._url) from None

    def take(self, answer: Sequence[Any]) -> list[WatchedSnapshot]:
        """Return what is new in an answer.

        Raises
        ------
        UnknownJobError
            If the server does not know the run, or has not for too long.
        """
        texts, alive, events = answer
        if not texts:
            self._miss()
            return []
        self._met, self._lonely_since = True, None
        if self._last_id is None:
            found = [read_hash(texts, events[-1][0] if events else "0-0")]
            self._last_id = found[0].id
        else:
            found = [read_event(identity, fields, texts) for identity, fields in events]
            self._last_id = events[-1][0] if events else self._last_id
        if texts.get("started_at", "") != self._started_at:
            # Another run of the same id counts anew.
            self._seq, self._started_at = -1, texts.get("started_at", "")
        new = []
        for one in found:
            # What was written twice, since the first answer did not arrive, is told once.
            if one.seq > self._seq:
                new.append(one)
                self._seq, self._newest = one.seq, one
        behind = len(events) == _MOST_EVENTS
        self.rest = 0.0 if behind else POLL_SECONDS
        return new if behind else new + self._ending(texts, bool(alive))

    def _miss(self) -> None:
        now = self._clock()
        self._lonely_since = now if self._lonely_since is None else self._lonely_since
        if not self._met or now - self._lonely_since > self._patience:
            raise UnknownJobError(f"no run {self._keys.job_id!r} at this Redis server")

    def _ending(self, texts: Mapping[str, str], alive: bool) -> list[WatchedSnapshot]:
        """Return the last snapshot where the run is over and it was not told yet."""
        if texts.get("outcome") and texts.get("status") not in LIVE:
            self.over = True
            last = read_hash(texts, self._last_id or "")
            told = self._newest is not None and self._newest.outcome
            return [] if told else [last]
        if alive:
            self._silent_since = None
            return []
        now = self._clock()
        self._silent_since = now if self._silent_since is None else self._silent_since
        if now - self._silent_since < _LOST_SECONDS:
            return []
        self.over = True
        return [read_hash({**texts, "status": LOST, "outcome": LOST}, self._last_id or "")]


def read_hash(texts: Mapping[str, str], identity: str) -> WatchedSnapshot:
    """Return the newest snapshot from a run's hash."""
    return _read(identity, texts, texts, texts.get("outcome", ""))


def read_event(
    identity: str, fields: Mapping[str, str], texts: Mapping[str, str]
) -> WatchedSnapshot:
    """Return the snapshot of an event, with what is known of the run from its hash."""
    outcome = texts.get("outcome", "") if fields.get("event") == "pipeline_end" else ""
    return _read(identity, fields, texts, outcome)


def _read(
    identity: str, fields: Mapping[str, str], texts: Mapping[str, str], outcome: str
) -> WatchedSnapshot:
    batch = read_number(fields.get("batch", ""))
    return WatchedSnapshot(
        **read_snapshot_values(fields),
        job_id=printable(texts.get("job_id", "")),
        id=identity,
        event=printable(fields.get("event", "snapshot")),
        seq=int(read_number(fields.get("seq", "")) or 0),
        outcome=printable(outcome),
        pipeline=printable(texts.get("pipeline", "")),
        stages=_stages(texts),
        logs=told_as(fields.get("logs"), dict),
        batch=None if batch is None else int(batch),
        started_at=read_number(texts.get("started_at", "")) or 0.0,
        updated_at=read_number(fields.get("updated_at", "")) or 0.0,
    )


def _stages(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the stages that a hash tells of, leaving out what is none."""
    found = [one for one in told_as(texts.get("stages"), list) if isinstance(one, dict)]
    return [{"label": one["name"], **one} for one in found if isinstance(one.get("name"), str)]
