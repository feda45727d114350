"""Keeps Redis up to date about one run, from a thread of its own."""

import json
import os
import socket
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..background.ticker import Ticker
from ..callback import Logs
from ..control import Control
from ..monitor import check_numbers
from ..snapshot import Snapshot
from ..vocabulary import COMMAND
from .job_keys import HEARTBEAT_SECONDS, JobKeys
from .redis_connection import connect, explained, is_passing, redacted
from .redis_unavailable_error import RedisUnavailableError
from .snapshot_fields import plain_logs, plain_tree, read_number, snapshot_values, to_fields

_Commands = list[tuple[str, dict[str, str]]]

_MOST_EVENTS = 10_000
# Stage changes kept for a server that is away.
_MOST_PENDING = 1_000
# Commands are read this often, however seldom snapshots are written.
_COMMAND_SECONDS = 0.5
# A fifth sooner than asked, so that a busy machine keeps to what was asked.
_PROMPTNESS = 0.8
# The end of a run is offered for so long to a server that is away, while the process lives.
_LAST_SECONDS = 60.0
_LAST_RETRY_SECONDS = 0.2
# How a stage ended.
_ENDING = ("ended_by", "stopped_by")


@dataclass(frozen=True, slots=True)
class _Event:
    """What the stream will hold of one moment."""

    name: str
    seq: int
    time: float
    values: dict[str, Any]
    logs: Mapping[str, Any]
    batch: int | None = None


class RedisFeed:
    """Writes where a run stands to Redis, and does what watchers ask of the run.

    Each flush is one transaction that holds everything, so whatever a server
    has lost is there again after the next; what the algorithm's thread does is
    to leave numbers. A run that goes on from a backup goes on in the stream that
    it has left.

    Parameters
    ----------
    url
        The server.
    keys
        Where the run is kept.
    params
        As a callback has them.
    control
        The running pipeline.
    interval
        Most seconds between two flushes.
    ttl
        Seconds that everything is kept after the last flush; None for ever.
    """

    def __init__(
        self,
        url: str,
        keys: JobKeys,
        params: Mapping[str, Any],
        control: Control,
        interval: float,
        ttl: int | None,
    ) -> None:
        self._url = url
        self._keys = keys
        self._control = control
        self._interval = _PROMPTNESS * interval
        tick = min(self._interval, _PROMPTNESS * _COMMAND_SECONDS)
        self._early = 0.5 * tick
        self._ttl = ttl
        self._client = connect(url)
        self._params = params
        self._stages = [
            {name: value for name, value in stage.items() if name != "restored"}
            | (stage.get("restored") or {})
            for stage in params.get("stages", ())
        ]
        self._resumed = bool(params.get("resumed"))
        self._inbox: deque[tuple[str, float, Snapshot, Mapping[str, Any]]] = deque()
        self._pending: deque[_Event] = deque(maxlen=_MOST_PENDING)
        self._newest: tuple[int | None, Mapping[str, Any]] = (None, {})
        self._seq = 0
        # What it has come to in the run that this one goes on from.
        self._least_seq = 0
        self._progress = 0.0
        self._told: Snapshot | None = None
        self._last_command = "0-0"
        self._outcome = ""
        self._new = True
        self._due = 0.0
        self._ending = self._over = False
        self._failed = False
        self._started_at = time.time()
        self._sign = f"{socket.gethostname()}:{os.getpid()}"
        name = f"writing to Redis at {redacted(url)}"
        self._ticker = Ticker(self._tick, tick, name)

    def open(self, logs: Logs) -> None:
        """Write for the first time, in the caller's thread, and begin to do so in the background.

        Raises
        ------
        RedisUnavailableError
            If the server cannot be used.
        """
        from redis import RedisError

        self._started_at -= logs.get("elapsed", 0.0)
        about = {name: value for name, value in self._params.items() if name != "parameters"}
        self.leave("pipeline_begin", {**logs, "params": about})
        try:
            if self._resumed:
                told: Any = self._client.hget(self._keys.snapshot, "seq")
                self._least_seq = int(read_number(told or "") or 0)
            self._flush()
        except (RedisError, OSError) as error:
            if not is_passing(error):
                self._client.close()
                raise explained(error, self._url) from None
        self._ticker.start()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs to count on."""
        batch, logs = self._newest
        return {"seq": self._seq, "batch": batch, "logs": plain_logs(logs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Count on from where `state_dict` was called."""
        check_numbers(state, ("seq", "batch"))
        self._least_seq = max(self._least_seq, state["seq"])
        self._newest = (state["batch"], dict(state["logs"]))

    def leave(self, event: str, logs: Mapping[str, Any]) -> None:
        """Leave a stage change for the thread that writes."""
        self._inbox.append((event, time.time(), self._control.tracker.snapshot(), logs))
        if len(self._inbox) > _MOST_PENDING:
            self._inbox.popleft()

    def leave_batch(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Leave the newest batch for the thread that writes."""
        self._newest = (batch, logs)

    def close(self, outcome: str, logs: Mapping[str, Any]) -> bool:
        """Write how the run ended, waiting for that a moment at most.

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
            Whether it is written, or at least a warning was given before.
        """
        self._outcome = outcome
        self.leave("pipeline_end", logs)
        self._ending = True
        self._ticker.stop()
        return self._over or self._failed

    def _tick(self) -> None:
        """Do what watchers ask and write what is due; on the ticker's thread."""
        from redis import RedisError, ResponseError

        try:
            if self._over:
                return
            if self._ending:
                self._finish()
                return
            now = time.monotonic()
            # Half a tick early rather than half a tick late.
            if now < self._due - self._early:
                self._obey(self._commands())
                return
            self._due = now + self._interval
            try:
                self._obey(self._flush())
            except ResponseError:
                # A full server refuses what is written, but what is asked can be read.
                self._obey(self._commands())
                raise
        except (RedisError, OSError) as error:
            self._failed = True
            reason = " ".join(str(error).split())
            message = f"{type(error).__name__}: {reason}; trying again"
            raise RedisUnavailableError(message) from None

    def _finish(self) -> None:
        from redis import RedisError

        deadline = time.monotonic() + _LAST_SECONDS
        while True:
            try:
                self._flush()
            except (RedisError, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LAST_RETRY_SECONDS)
            else:
                self._over = True
                self._client.close()
                return

    def _commands(self) -> _Commands:
        """Return what has been asked since the last time."""
        found = self._client.xrange(self._keys.commands, min=f"({self._last_command}", count=100)
        return cast(_Commands, found)

    def _obey(self, commands: _Commands) -> None:
        for identity, fields in commands:
            self._last_command = identity
            command = fields.get("command")
            if command == "stop":
                self._control.stop(by=COMMAND)
            elif command == "skip_stage":
                self._control.skip_stage(by=COMMAND)
            elif command == "pause":
                self._control.pause()
            elif command == "resume":
                self._control.resume()

    def _flush(self) -> _Commands:
        """Write everything in one transaction; return what has been asked."""
        snapshot = self._control.tracker.snapshot()
        self._take_inbox()
        values = self._forward(snapshot_values(snapshot))
        if not self._ending and snapshot != self._told:
            self._count()
            batch, logs = self._newest
            event = _Event("snapshot", self._seq, time.time(), values, logs, batch)
        else:
            event = None
        commands = self._write(values, event)
        self._told = snapshot
        self._pending.clear()
        self._new = False
        return commands

    def _write(self, values: dict[str, Any], event: _Event | None) -> _Commands:
        keys = self._keys
        with self._client.pipeline(transaction=True) as pipe:
            # A transaction that a stopped server finds in a connection given up long ago must
            # not be carried out after newer ones.
            pipe.watch(keys.snapshot)
            pipe.multi()
            if self._new:
                pipe.delete(keys.snapshot, keys.commands, keys.alive)
            if self._new and not self._resumed:
                pipe.delete(keys.events)
            for one in [*self._pending, *([event] if event else [])]:
                pipe.xadd(keys.events, _event_fields(one), maxlen=_MOST_EVENTS, approximate=True)
            pipe.hset(keys.snapshot, mapping=self._hash(values))
            if self._ending:
                pipe.delete(keys.alive)
            else:
                pipe.set(keys.alive, self._sign, ex=HEARTBEAT_SECONDS)
            if self._ttl is not None:
                for key in (keys.snapshot, keys.events, keys.commands):
                    pipe.expire(key, self._ttl)
            pipe.xrange(keys.commands, min=f"({self._last_command}", count=100)
            return cast(_Commands, pipe.execute()[-1])

    def _take_inbox(self) -> None:
        """Number what has been left, in its order."""
        while self._inbox:
            name, moment, snapshot, logs = self._inbox.popleft()
            self._count()
            values = self._forward(snapshot_values(snapshot))
            self._pending.append(_Event(name, self._seq, moment, values, logs))
            self._note_stage(name, logs)

    def _count(self) -> None:
        self._seq = max(self._seq, self._least_seq) + 1

    def _forward(self, values: dict[str, Any]) -> dict[str, Any]:
        """Keep progress from going back where two threads looked at it at one time."""
        self._progress = values["progress"] = max(self._progress, values["progress"])
        return values

    def _note_stage(self, event: str, logs: Mapping[str, Any]) -> None:
        for stage in self._stages:
            if stage["name"] != logs.get("stage"):
                continue
            if event == "stage_begin" and "share" in logs:
                # Where it was planned to begin and end may have changed.
                stage["start"] = logs["progress"]
                stage["end"] = logs["progress"] + logs["share"]
            if event == "stage_end":
                names = ("done", "total", "seconds", "cost", "violations", *_ENDING)
                stage |= {name: logs.get(name) for name in names}

    def _hash(self, values: Mapping[str, Any]) -> Any:
        params = self._params
        batch, logs = self._newest
        return to_fields(
            {
                "job_id": self._keys.job_id,
                "pipeline": params.get("pipeline"),
                "seed": params.get("seed"),
                "time_limit": params.get("time_limit"),
                "goal": params.get("goal"),
                **values,
                "outcome": self._outcome,
                "batch": batch,
                "logs": _json(plain_logs(logs, self._control)),
                "stages": _json(plain_tree(self._stages)),
                "seq": self._seq,
                "last_command": self._last_command,
                "started_at": self._started_at,
                "updated_at": time.time(),
            }
        )


def _event_fields(event: _Event) -> Any:
    about = {"event": event.name, "seq": event.seq, "updated_at": event.time, "batch": event.batch}
    logs = plain_logs(event.logs)
    if event.name == "pipeline_begin" and "params" in event.logs:
        logs["params"] = plain_tree(event.logs["params"])
    return to_fields({**about, **event.values, "logs": _json(logs)})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
