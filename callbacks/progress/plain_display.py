"""Progress as plain lines."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TextIO

from ..formatting import format_percent, format_seconds
from ..plain_value import plain_text
from ..snapshot import Snapshot
from ..vocabulary import stage_end_text
from .display import Display, best_text, count_text, message_text, status_text
from .safe_stream import SafeStream
from .terminal import print_line

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

    def __init__(self, stream: TextIO | SafeStream) -> None:
        self._stream = stream
        self._title = ""
        self._labels: dict[str | None, str] = {}
        self._ended: set[str | None] = set()
        self._next = 0.0

    def begin(self, title: str, stages: Sequence[Mapping[str, Any]]) -> None:
        self._title = title
        self._labels = {stage["name"]: stage["label"] for stage in stages}
        self._ended = {stage["name"] for stage in stages if stage.get("restored")}
        for name in (stage["name"] for stage in stages if stage["name"] in self._ended):
            print_line(self._stream, f"{self._labels[name]} restored")
        self._next = time.monotonic() + _LINE_SECONDS

    def begin_stage(self, stage: str) -> None:
        pass

    def update(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LINE_SECONDS
            parts = (self._message(snapshot), best_text(snapshot), status_text(snapshot))
            self._print(snapshot, ", ".join(part for part in parts if part))

    def end_stage(
        self, snapshot: Snapshot, seconds: float, ended_by: str, stopped_by: str | None = None
    ) -> None:
        self._ended.add(snapshot.stage)
        label = self._labels.get(snapshot.stage, snapshot.stage)
        how = stage_end_text(ended_by, stopped_by, snapshot.done, snapshot.total)
        text = f"{label} {how}: {count_text(snapshot)} in {format_seconds(seconds)}"
        best = best_text(snapshot)
        self._print(snapshot, f"{text}, {best}" if best else text)

    def end(self, snapshot: Snapshot, outcome: str) -> None:
        text = f"{self._title} {outcome} in {format_seconds(snapshot.elapsed)}"
        if snapshot.stage is not None and snapshot.stage not in self._ended:
            text += f" ({self._message(snapshot)})"
        self._print(snapshot, f"{text}, {best_text(snapshot) or 'no solution'}")

    def _message(self, snapshot: Snapshot) -> str:
        """Return the present stage with its units, or what it says of the unit in hand."""
        label = self._labels.get(snapshot.stage)
        if label is None:
            return snapshot.message
        return f"{label}: {message_text(snapshot, label) or count_text(snapshot)}"

    def _print(self, snapshot: Snapshot, text: str) -> None:
        line = f"[{format_percent(snapshot.progress):>7}] {plain_text(text)}"
        print_line(self._stream, line.replace("\n", " "))
