"""Keeps Redis up to date about one run, from a thread of its own."""

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from ..callback import Logs
from ..control import Control
from ..monitor import check_numbers
from ..vocabulary import COMMAND
from .event_feed import Event, EventFeed
from .job_keys import HEARTBEAT_SECONDS, JobKeys
from .redis_connection import connect, explained, is_passing, redacted
from .redis_unavailable_error import RedisUnavailableError
from .snapshot_fields import plain_logs, plain_tree, read_number, to_fields

_Commands = list[tuple[str, dict[str, str]]]

_MOST_EVENTS = 10_000
# Commands are read this often, however seldom snapshots are written.
_COMMAND_SECONDS = 0.5
# A fifth sooner than asked, so that a busy machine keeps to what was asked.
_PROMPTNESS = 0.8
# A run that gets on so fast that who looks twice within half a second may see a jump of over
# three points, where two snapshots have come meanwhile, is told of a little more often than
# twice in that time.
_JUMP, _QUICK_SECONDS = 0.03, 0.27
# What is left of a speed until the next snapshot, where the run stood still.
_LATELY = 0.7
# How a stage ended.
_ENDING = ("ended_by", "stopped_by")


class RedisFeed(EventFeed):
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
        Most seconds between two flushes; where it is half a second or less, a run of which
        much is done meanwhile is told of sooner.
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
        self._interval = _PROMPTNESS * interval
        tick = min(self._interval, _PROMPTNESS * _COMMAND_SECONDS)
        self._tick_seconds = tick
        super().__init__(control, tick, f"writing to Redis at {redacted(url)}")
        self._url = url
        self._keys = keys
        self._ttl = ttl
        self._client = connect(url)
        self._params = params
        self._stages = [
            {name: value for name, value in stage.items() if name != "restored"}
            | (stage.get("restored") or {})
            for stage in params.get("stages", ())
        ]
        self._resumed = bool(params.get("resumed"))
        self._last_command = "0-0"
        self._new = True
        self._due = self._due_since = self._speed = 0.0
        self._sign = f"{socket.gethostname()}:{os.getpid()}"

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
        self._start()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Count on from where `state_dict` was called."""
        check_numbers(state, ("seq", "batch"))
        self._least_seq = max(self._least_seq, state["seq"])
        self._newest = (state["batch"], dict(state["logs"]))

    def _deliver_due(self) -> None:
        """Do what watchers ask and write what is due."""
        now = time.monotonic()
        # Half a tick early rather than half a tick late.
        if now < self._due - 0.5 * self._ticker.interval:
            with _explaining():
                self._obey(self._commands())
            return
        before, last = self._told, self._due_since
        self._deliver()
        if before is not None and self._told is not None and now > last:
            speed = (self._told.progress - before.progress) / (now - last)
            self._speed = max(speed, _LATELY * self._speed)
        wait = self._interval
        if wait <= _COMMAND_SECONDS and 2 * wait * self._speed > _JUMP:
            wait = min(wait, _QUICK_SECONDS)
        self._due_since, self._due = now, now + wait
        self._ticker.interval = min(self._tick_seconds, wait)

    def _deliver(self) -> None:
        from redis import ResponseError

        with _explaining():
            try:
                self._obey(self._flush())
            except ResponseError:
                # A full server refuses what is written, but what is asked can be read.
                self._obey(self._commands())
                raise

    def _release(self) -> None:
        self._client.close()

    def _commands(self) -> _Commands:
        """Return what has been asked since the last time."""
        found = self._client.xrange(self._keys.commands, min=f"({self._last_command}", count=100)
        return cast(_Commands, found)

    def _obey(self, commands: _Commands) -> None:
        if self._ending:
            # The pipeline may be at its next run.
            return
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
        values = self._values(snapshot)
        event = None
        if not self._ending and snapshot != self._told:
            event = self._snapshot_event(values)
        commands = self._write(values, event)
        self._told = snapshot
        self._pending.clear()
        self._new = False
        return commands

    def _write(self, values: dict[str, Any], event: Event | None) -> _Commands:
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
                pipe.xadd(keys.events, event_fields(one), maxlen=_MOST_EVENTS, approximate=True)
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

    def _note(self, event: str, logs: Mapping[str, Any]) -> None:
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


def event_fields(event: Event) -> Any:
    """Return an event as the fields that the stream keeps of it."""
    about = {"event": event.name, "seq": event.seq, "updated_at": event.time, "batch": event.batch}
    return to_fields({**about, **event.values, "logs": _json(event.logs)})


@contextmanager
def _explaining() -> Iterator[None]:
    """Tell of a server that fails in one line, as an OSError, since it may return."""
    from redis import RedisError

    try:
        yield
    except (RedisError, OSError) as error:
        reason = " ".join(str(error).split())
        message = f"{type(error).__name__}: {reason}; trying again"
        raise RedisUnavailableError(message) from None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
