"""The base class of progress displays."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from .formatting import format_number, format_seconds
from .snapshot import Snapshot


class Display(ABC):
    """Shows a run's snapshots; knows nothing of where they come from.

    Its methods are called one at a time, though not always by the same thread.

    Attributes
    ----------
    interval
        Seconds between two updates that suit it.
    """

    interval: ClassVar[float] = 0.2

    @abstractmethod
    def begin(self, title: str, stages: Sequence[Mapping[str, Any]]) -> None:
        """Show a run that begins.

        Parameters
        ----------
        title
            What the run is called.
        stages
            As in the ``params`` of a callback: ``name``, ``label``, ``unit``, …
        """

    @abstractmethod
    def begin_stage(self, stage: str) -> None:
        """Show that a stage begins."""

    @abstractmethod
    def update(self, snapshot: Snapshot) -> None:
        """Show where the run stands."""

    @abstractmethod
    def end_stage(self, snapshot: Snapshot, seconds: float, ended_by: str) -> None:
        """Show that the snapshot's stage has ended, why, and after how many seconds.

        Beside the words of ``on_stage_end`` it may be ``"restored"``: of a stage
        that had ended in the run that this one goes on from.
        """

    @abstractmethod
    def end(self, snapshot: Snapshot, outcome: str) -> None:
        """Leave the final state; `outcome` is the status with its reason."""


def count_text(snapshot: Snapshot) -> str:
    """Return the units of a stage: ``"30/100 cluster"``."""
    total = "" if snapshot.total is None else f"/{snapshot.total:,}"
    return f"{snapshot.done:,}{total} {snapshot.unit or ''}".rstrip()


def share_at_end(snapshot: Snapshot, ended_by: str) -> float:
    """Return how far the bar of a stage is to stand when it has ended, 0 to 1.

    A stage that was cut short stands at the units that it finished, since its
    progress has gone to where the next stage begins.
    """
    if ended_by in ("finished", "time"):
        return 1.0
    if snapshot.total:
        return min(1.0, snapshot.done / snapshot.total)
    return snapshot.stage_progress


def best_text(snapshot: Snapshot) -> str:
    """Return the best so far: ``"cost 12, violations 0"``; empty before the first."""
    if snapshot.cost is None:
        return ""
    return f"cost {format_number(snapshot.cost)}, violations {snapshot.violations}"


def time_text(snapshot: Snapshot) -> str:
    """Return the time gone and, while running, the time left: ``"12.5 s, ETA 0:40"``."""
    text = format_seconds(snapshot.elapsed)
    if snapshot.status == "paused":
        return f"{text}, paused"
    if snapshot.status != "running" or snapshot.eta is None:
        return text
    return f"{text}, ETA {format_eta(snapshot.eta)}"


def format_eta(seconds: float) -> str:
    """Return a predicted duration, no more precise than it is: ``0:07``, ``1:02:00``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
