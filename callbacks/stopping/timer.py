"""Ends a run or its stages after a time."""

import math
import re
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import ClassVar

from ..argument_error import ArgumentError, check_number
from ..callback import Callback, Logs
from ..monitor import as_names, watched_stages

_WANTED = 'a positive time: seconds, a timedelta or a text such as "1:30:00"'
_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+):(\d+(?:\.\d+)?)")


class Timer(Callback):
    """Ends the run, or each of some stages, after a time.

    A thread of its own waits for that, so a long unit of work is no hindrance
    where its stage lets the runner look in between; pauses do not count.

    Unlike ``time_limit`` of `Pipeline.fit`, of which every stage knows its
    share beforehand, it takes the stage by surprise.

    Parameters
    ----------
    duration
        Seconds, a `timedelta`, or a text ``"MM:SS"``, ``"HH:MM:SS"`` or
        ``"DD:HH:MM:SS"``.
    stages
        Name or names of stages, each of which ends when it has taken so long;
        None for the whole run.

    Raises
    ------
    ValueError
        For a duration that is not positive; at the beginning of a run, for a
        stage that it does not have.
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {"_over": threading.Event, "_lock": threading.Lock}

    def __init__(
        self,
        duration: float | str | timedelta,
        stages: str | Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.seconds = _seconds(duration)
        self.duration = duration
        self.stages = as_names(stages)
        self._over = threading.Event()
        self._lock = threading.Lock()

    def check(self) -> None:
        watched_stages(self.params, self.stages)

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._cancel()
        self._watched = watched_stages(self.params, self.stages)
        if self.stages is None:
            self._start(0.0, lambda: self.pipeline.stop(by="Timer"))

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        if self.stages is not None and stage in self._watched:
            self._start(
                (logs or {}).get("elapsed", 0.0), lambda: self.pipeline.skip_stage(by="Timer")
            )

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        if self.stages is not None:
            self._cancel()

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        self._cancel()

    def _start(self, began: float, act: Callable[[], object]) -> None:
        """Act when the run has taken `duration` from a second of its own clock on."""
        over = self._over = threading.Event()
        waiting = threading.Thread(
            target=self._wait, args=(began + self.seconds, act, over), name="Timer", daemon=True
        )
        waiting.start()

    def _wait(self, until: float, act: Callable[[], object], over: threading.Event) -> None:
        while (left := until - self.pipeline.tracker.snapshot().elapsed) > 0:
            # Not much longer than a minute at once: a thread cannot wait for years.
            if over.wait(min(left, 60.0)):
                return
        with self._lock:
            # Under the lock, so that it does not meet the stage after the one it was for.
            if not over.is_set():
                act()

    def _cancel(self) -> None:
        with self._lock:
            self._over.set()


def _seconds(duration: float | str | timedelta) -> float:
    if isinstance(duration, timedelta):
        seconds = duration.total_seconds()
    elif isinstance(duration, str):
        match = _CLOCK.fullmatch(duration)
        if match is None:
            raise ArgumentError.of("duration", "MM:SS, HH:MM:SS or DD:HH:MM:SS", duration)
        days, hours, minutes, rest = (float(part or 0) for part in match.groups())
        seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    else:
        check_number("duration", duration, wanted=_WANTED)
        seconds = float(duration)
    if not 0 < seconds < math.inf:
        raise ArgumentError.of("duration", _WANTED, duration)
    return seconds
