"""How long the units of a stage take."""

from collections.abc import Mapping
from typing import Any, Self

from ...stages.plain_data import as_number

# The expected time of a unit follows the newest units: so many, or this part of all.
_NEWEST_UNITS = 4
_NEWEST_PART = 0.2
# A unit that is overdue is taken to need this part of what it took already.
_OVERDUE = 0.2
# What a pulse tells of the unit's length counts as much as the units before when this part of it
# is done.
_TELLING_PART = 0.2
# The speed and the distance of pulses follow the newest one by this part.
_NEWEST_PULSE = 0.4


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
    part, part_at
        Part of the unit in hand that is done by its pulses, and since when that is known; 0 and
        `at` where no pulse has told.
    rate
        Parts a second by the newest pulses of the unit in hand; None before there was one.
    interval
        Seconds between two pulses of the stage that told something new; None before there was one.
    """

    def __init__(self, now: float) -> None:
        self.began = self.at = self.part_at = now
        self.done = 0
        self.unit_seconds: float | None = None
        self.part = 0.0
        self.rate: float | None = None
        self.interval: float | None = None

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
        self.part, self.part_at = 0.0, now
        # The next unit may be a longer one.
        self.rate = None

    def notice_part(self, part: float, now: float) -> None:
        """Learn how much of the unit in hand is done; more than was known."""
        now = max(now, self.part_at)
        seconds = now - self.part_at
        if not self.part and self.interval is not None:
            # The unit before may have been done long before that was noticed.
            seconds = max(seconds, self.interval)
        if seconds > 0.0:
            self.rate = _newer(self.rate, (part - self.part) / seconds)
            self.interval = _newer(self.interval, seconds)
        self.part, self.part_at = part, now

    def state_dict(self, now: float) -> dict[str, float | None]:
        """Return what `of_state` needs, for a backup."""
        return {
            "gone": now - self.began,
            "done": self.done,
            "unit_seconds": self.unit_seconds,
            "part": self.part,
            "in_unit": self.part_at - self.at,
            "rate": self.rate,
            "interval": self.interval,
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any], now: float) -> Self:
        """Return a clock that knows what the one knew whose state this is."""
        clock = cls(now - as_number(state["gone"]))
        clock.at, clock.part_at = now - as_number(state["in_unit"], least=0), now
        clock.done = as_number(state["done"])
        clock.part = as_number(state["part"], least=0)
        for name in ("unit_seconds", "rate", "interval"):
            if state[name] is not None:
                setattr(clock, name, as_number(state[name], least=0))
        return clock

    def expected(self, seconds: float | None) -> float | None:
        """Return what the unit in hand takes in all, by its pulses and by what was expected.

        Parameters
        ----------
        seconds
            What is expected of a unit without pulses; None where nobody knows.
        """
        if not self.part or self.part_at <= self.at:
            return seconds
        by_pulses = (self.part_at - self.at) / self.part
        if seconds is None:
            return by_pulses
        telling = self.part / (self.part + _TELLING_PART)
        if self.interval:
            # The unit before may have been done long before that was noticed.
            telling *= min(1.0, (self.part_at - self.at) / self.interval)
        return seconds + telling * (by_pulses - seconds)

    def in_hand(self, expected: float, now: float) -> float:
        """Return the seconds left of the unit in hand, where one takes `expected` seconds."""
        return self.rest((1.0 - self.part) * expected, now)

    def rest(self, seconds: float, now: float) -> float:
        """Return what is left of so many seconds that the unit had left at its newest pulse."""
        gone = max(0.0, now - self.part_at)
        return max(seconds - gone, _OVERDUE * gone)


def _newer(known: float | None, new: float) -> float:
    """Return what a value follows: the first one, and then the newest ones most."""
    return new if known is None else known + _NEWEST_PULSE * (new - known)
