"""Progress as plain lines."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TextIO

from .display import Display, best_text, count_text, time_text
from .formatting import format_seconds
from .plain_value import plain_text
from .snapshot import Snapshot

# Least seconds between two lines, stage ends aside.
_LINE_SECONDS = 1.0


class PlainDisplay(Display):
    """Progress as plain lines for a file or a pipe: at most one a second, and stage ends.

    Parameters
    ----------
    stream
        Where to print.
    """

    interval: ClassVar[float] = 0.25

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._title = ""
        self._labels: dict[str | None, str] = {}
        self._ended: set[str | None] = set()
        self._next = 0.0

    def begin(self, title: str, stages: Sequence[Mapping[str, Any]]) -> None:
        self._title = title
        self._labels = {stage["name"]: stage["label"] for stage in stages}
        self._ended = set()
        self._next = time.monotonic() + _LINE_SECONDS

    def begin_stage(self, stage: str) -> None:
        pass

    def update(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LINE_SECONDS
            parts = [snapshot.message, snapshot.unit, best_text(snapshot), time_text(snapshot)]
            message = " ".join(part for part in parts[:2] if part)
            self._print(snapshot, ", ".join(part for part in (message, *parts[2:]) if part))

    def end_stage(self, snapshot: Snapshot, seconds: float, ended_by: str) -> None:
        self._ended.add(snapshot.stage)
        label = self._labels.get(snapshot.stage, snapshot.stage)
        text = f"{label} {ended_by}: {count_text(snapshot)} in {format_seconds(seconds)}"
        best = best_text(snapshot)
        self._print(snapshot, f"{text}, {best}" if best else text)

    def end(self, snapshot: Snapshot, outcome: str) -> None:
        text = f"{self._title} {outcome} in {format_seconds(snapshot.elapsed)}"
        if snapshot.stage is not None and snapshot.stage not in self._ended:
            text += f" ({snapshot.message} {snapshot.unit})"
        self._print(snapshot, f"{text}, {best_text(snapshot) or 'no solution'}")

    def _print(self, snapshot: Snapshot, text: str) -> None:
        # Rounded down: 100 % is for a run that has finished.
        percent = int(snapshot.progress * 1000) / 10
        line = f"[{percent:5.1f} %] {plain_text(text)}".replace("\n", " ")
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        # What the stream has no character for is shown by its code.
        line = line.encode(encoding, "backslashreplace").decode(encoding)
        print(line, file=self._stream, flush=True)
