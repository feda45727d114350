"""A time at which a class may be taught, or a room is closed."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import InstanceError
from .checks import bit_string, whole_number
from .limits import MAX_NUMBER, MAX_SLOTS_PER_DAY


@dataclass(frozen=True, slots=True)
class Time:
    """The same slots on some days of some weeks.

    Parameters
    ----------
    days
        A text with a 1 for each day of the week on which it is, Monday first:
        ``"1010000"``.
    start
        First slot, from 0, which is midnight.
    length
        Slots that it takes, 1 or more.
    weeks
        A text with a 1 for each week in which it is.
    penalty
        What it costs a class, 0 or more.

    Raises
    ------
    InstanceError
        If a text has anything but 0 and 1, or a number is impossible.
    """

    __module__ = "schoolbell.stages.university"

    days: str
    start: int
    length: int
    weeks: str
    penalty: int = 0

    def __post_init__(self) -> None:
        bit_string(self.days, "days")
        bit_string(self.weeks, "weeks")
        numbers = {
            "start": whole_number(self.start, 0, MAX_SLOTS_PER_DAY - 1, "start"),
            "length": whole_number(self.length, 1, MAX_SLOTS_PER_DAY, "length"),
            "penalty": whole_number(self.penalty, 0, MAX_NUMBER, "penalty"),
        }
        for name, number in numbers.items():
            object.__setattr__(self, name, number)

    @classmethod
    def on(
        cls,
        days: Iterable[int],
        start: int,
        length: int,
        weeks: Iterable[int],
        n_weeks: int,
        penalty: int = 0,
        n_days: int = 7,
    ) -> "Time":
        """Make a time from the numbers of its days and weeks, each from 0.

        Raises
        ------
        InstanceError
            If a number is impossible.
        """
        texts = []
        for what, numbers, size in (("day", days, n_days), ("week", weeks, n_weeks)):
            bits = ["0"] * whole_number(size, 1, 1000, f"n_{what}s")
            for number in numbers:
                bits[whole_number(number, 0, size - 1, what)] = "1"
            texts.append("".join(bits))
        return cls(texts[0], start, length, texts[1], penalty)

    @property
    def end(self) -> int:
        """First slot after it."""
        return self.start + self.length

    def check_fits(self, days: int, weeks: int, slots_per_day: int) -> None:
        """See that the time lies in an instance's weeks.

        Raises
        ------
        InstanceError
            If it does not.
        """
        for what, bits, size in (("days", self.days, days), ("weeks", self.weeks, weeks)):
            if len(bits) != size:
                raise InstanceError(f"{len(bits)} {what} in {bits!r}", f"{size} characters")
        if self.start >= slots_per_day or self.length > slots_per_day:
            found = f"a time from slot {self.start} over {self.length} slots"
            raise InstanceError(found, f"one within the {slots_per_day} slots of a day")
