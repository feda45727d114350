"""The base class of progress displays."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from .. import vocabulary
from ..formatting import format_number, format_percent, format_seconds
from ..snapshot import Snapshot
from ..vocabulary import FINISHED, PAUSED, RUNNING, units_text


class Display(ABC):
    """Shows a run's snapshots; knows nothing of where they come from.

    Its methods are called one at a time, though not always by the same thread;
    only `print_above` may be called at any time.

    Attributes
    ----------
    interval
        Seconds between two updates that suit it.
    draws_over
        Whether it moves the cursor, so that it must have its terminal alone.
    hint
        What to tell below while the run goes on, as which keys there are, in a
        display that has a place for it.
    """

    __module__ = "schoolbell.callbacks"

    interval: ClassVar[float] = 0.2
    draws_over: bool = False
    hint: str = ""

    @abstractmethod
    def begin(self, title: str, stages: Sequence[Mapping[str, Any]]) -> None:
        """Show a run that begins.

        Parameters
        ----------
        title
            What the run is called.
        stages
            As in the ``params`` of a callback: ``name``, ``label``, ``unit``, …;
            ``restored``, if it is there and true, tells that a resumed run does
            not repeat the stage.
        """

    @abstractmethod
    def begin_stage(self, stage: str) -> None:
        """Show that a stage begins."""

    @abstractmethod
    def update(self, snapshot: Snapshot) -> None:
        """Show where the run stands."""

    @abstractmethod
    def end_stage(
        self, snapshot: Snapshot, seconds: float, ended_by: str, stopped_by: str | None = None
    ) -> None:
        """Show that the snapshot's stage has ended, how, who ended it, and after how long."""

    @abstractmethod
    def end(self, snapshot: Snapshot, outcome: str) -> None:
        """Leave the final state; `outcome` is how the run ended, in words."""

    def close(self) -> None:  # noqa: B027 - most displays change nothing
        """Leave the terminal as it was, drawing nothing more."""

    def print_above(self, text: str) -> None:
        """Print a line above what is drawn."""
        raise NotImplementedError(f"{type(self).__name__} draws over nothing")


def count_text(snapshot: Snapshot) -> str:
    """Return the units of a stage: ``"30/100 clusters"``."""
    return units_text(snapshot.done, snapshot.total, snapshot.unit)


def message_text(snapshot: Snapshot, label: str) -> str:
    """Return what the stage says of the unit in hand; empty where it only counts its units."""
    counts = (f"{snapshot.done}", f"{snapshot.done:,}")
    if snapshot.total is not None:
        counts = (f"{snapshot.done}/{snapshot.total}", f"{snapshot.done:,}/{snapshot.total:,}")
    message = snapshot.message.removeprefix(f"{label}: ")
    return "" if message in counts else message


def share_at_end(snapshot: Snapshot, ended_by: str, before: float | None = None) -> float:
    """Return how far the bar of a stage is to stand when it has ended, 0 to 1.

    One that had nothing left to do, as the best is proved to be optimal, is at
    its end. Others are at the units that they finished, since their progress has
    gone to where the next stage begins. Where nobody knew how many there were,
    one that did what it could in its time has gone all the way.

    Parameters
    ----------
    snapshot, ended_by
        The stage's end.
    before
        Where the bar stood.
    """
    if ended_by == vocabulary.OPTIMAL:
        return 1.0
    if snapshot.total:
        return min(1.0, snapshot.done / snapshot.total)
    if ended_by == FINISHED or (ended_by == vocabulary.TIME and snapshot.done):
        return 1.0
    if not snapshot.done:
        return 0.0
    return snapshot.stage_progress if before is None else before


def best_text(snapshot: Snapshot) -> str:
    """Return the best so far: ``"cost 12, violations 0"``; empty before the first."""
    if snapshot.cost is None:
        return ""
    return vocabulary.best_text(snapshot.cost, snapshot.violations)


def status_text(snapshot: Snapshot) -> str:
    """Return whether it is paused, the time gone, and the time left: ``"12.5 s, ETA 0:40"``."""
    text = format_seconds(snapshot.elapsed)
    if snapshot.status == PAUSED:
        return f"{PAUSED}, {text}"
    if snapshot.status != RUNNING or snapshot.eta is None:
        return text
    return f"{text}, ETA {format_eta(snapshot.eta)}"


def format_eta(seconds: float) -> str:
    """Return a predicted duration, no more precise than it is: ``0:07``, ``1:02:00``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def line_text(
    title: str, snapshot: Snapshot, outcome: str | None, width: int, more: str = ""
) -> str:
    """Return a run in one line, however narrow; per cent and cost are left to the last.

    Parameters
    ----------
    title
        What the run is called.
    snapshot
        Where it stands.
    outcome
        How it ended, in words; None while it goes on.
    width
        Columns that there are.
    more
        What else to tell where there is room.
    """
    percent = format_percent(snapshot.progress)
    number = "" if snapshot.cost is None else format_number(snapshot.cost)
    cost = f"cost {number}" if number else ""
    violations = "" if snapshot.violations is None else f"viol. {snapshot.violations:,}"
    ended = outcome or (PAUSED if snapshot.status == PAUSED else "")
    status = "" if snapshot.status == RUNNING else snapshot.status
    seconds = format_seconds(snapshot.elapsed) if outcome else ""
    if not ended and snapshot.eta is not None:
        seconds = f"ETA {format_eta(snapshot.eta)}"
    for parts in (
        (title, ended, percent, cost, violations, seconds, more),
        (title, ended, percent, cost, violations, seconds),
        (ended, percent, cost, violations, seconds),
        (ended, percent, cost, violations),
        (status, percent, cost, violations),
        (status, percent, cost),
        (status, percent, number),
        (percent, cost),
    ):
        told = [part for part in parts if part]
        for gap in ("  ", " "):
            text = gap.join(told)
            if columns(text) <= width:
                return text
    return f"{percent} {number}"[:width]


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """Return a text in so many columns; what is counted at its end is left to the last."""
    if columns(text) <= width:
        return text
    from rich.cells import set_cell_size

    head, colon, tail = text.rpartition(": ")
    room = width - columns(tail) - 2
    mark = "…"
    if colon and room > 4:
        return f"{set_cell_size(head, room - 1)}{mark}: {tail}"
    return f"{set_cell_size(text, width - 1)}{mark}" if width > 1 else text[:width]
