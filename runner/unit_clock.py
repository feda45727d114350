"""How long the units of a stage take."""

from collections.abc import Mapping
from typing import Any, Self

from ..stages.plain_data import as_number

# The expected time of a unit follows the newest units: so many, or this part of all.
_NEWEST_UNITS = 4
_NEWEST_PART = 0.2
# A unit that is overdue is taken to need this part of what it took already.
_OVERDUE = 0.2


class UnitClock:
    """Learns how long a stage's units take from looks now and then at how many are done.

    Parameters
    ----------
    now
        Seconds on the run's clock when the stage begins.

    Attributes
    ----------
    began, at
        When the stage began, and when the newest finished unit was noticed.
    done
        Finished units that were noticed.
    unit_seconds
        Expected seconds of a unit; None before one was finished.
    """

    def __init__(self, now: float) -> None:
        self.began = self.at = now
        self.done = 0
        self.unit_seconds: float | None = None

    def notice(self, done: int, now: float) -> None:
        """Learn that so many units are done."""
        new = done - self.done
        if new <= 0:
            return
        seconds = max(0.0, now - self.at) / new
        if self.unit_seconds is None:
            self.unit_seconds = seconds
        else:
            # A mean of all at first, then of the newest.
            span = max(_NEWEST_UNITS, _NEWEST_PART * done)
            old = (1.0 - 1.0 / min(done, span)) ** new if done > 1 else 0.0
            self.unit_seconds += (1.0 - old) * (seconds - self.unit_seconds)
        self.done, self.at = done, now

    def state_dict(self, now: float) -> dict[str, float | None]:
        """Return what `restored` needs, for a backup."""
        return {"gone": now - self.began, "done": self.done, "unit_seconds": self.unit_seconds}

    @classmethod
    def restored(cls, state: Mapping[str, Any], now: float) -> Self:
        """Return a clock that knows what the one knew whose state this is."""
        clock = cls(now - as_number(state["gone"]))
        clock.at, clock.done = now, as_number(state["done"])
        if state["unit_seconds"] is not None:
            clock.unit_seconds = as_number(state["unit_seconds"], least=0)
        return clock

    def in_hand(self, expected: float, now: float) -> float:
        """Return the seconds left of the unit in hand, where one takes `expected` seconds."""
        gone = max(0.0, now - self.at)
        return max(expected - gone, _OVERDUE * gone)
