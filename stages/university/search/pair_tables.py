"""What two times are to each other, of every two of all different times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model.limits import MAX_SLOTS_PER_DAY

MASKS = {
    "SameStart": 1,
    "SameTime": 2,
    "DifferentTime": 4,
    "SameDays": 8,
    "DifferentDays": 16,
    "SameWeeks": 32,
    "DifferentWeeks": 64,
    "Precedence": 128,
}
"""Bit of each rule that is a matter of two times alone, and has no parameter."""

FOLLOWING = 256
"""Bit of Precedence from the other side."""

FAR = 8 * MAX_SLOTS_PER_DAY
"""The gap between times that do not meet."""

_ROWS = 256


@dataclass(frozen=True, eq=False)
class PairTables:
    """Tables of every two of some times.

    Attributes
    ----------
    gap
        Slots between the two where they meet, below 0 where they overlap; more than any
        travel or `MinGap` where they do not meet. int16 (n, n).
    span
        Slots from the first one's beginning to the last one's end where they meet, else
        0. int16 (n, n).
    bits
        Which rules of `MASKS` the two break, int16 (n, n).
    """

    gap: NDArray[np.int16]
    span: NDArray[np.int16]
    bits: NDArray[np.int16]

    @classmethod
    def of(cls, times: NDArray[np.int64]) -> PairTables:
        """Make the tables of times: days, weeks, start and end, (n, 4)."""
        n = len(times)
        tables = [np.empty((n, n), np.int16) for _ in range(3)]
        # In strips, so that little is held besides the tables.
        for low in range(0, n, _ROWS):
            strip = slice(low, low + _ROWS)
            for table, rows in zip(tables, _strip(times[strip], times), strict=True):
                table[strip] = rows
        return cls(*tables)


def _strip(mine: NDArray[np.int64], all_times: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    days_a, weeks_a, start_a, end_a = (column[:, None] for column in mine.T)
    days_b, weeks_b, start_b, end_b = (column[None, :] for column in all_times.T)
    days, weeks = days_a & days_b, weeks_a & weeks_b
    meet = (days != 0) & (weeks != 0)
    gap = np.where(meet, np.maximum(start_b - end_a, start_a - end_b), FAR)
    span = np.where(meet, np.maximum(end_a, end_b) - np.minimum(start_a, start_b), 0)
    within = (start_a <= start_b) & (end_b <= end_a) | (start_b <= start_a) & (end_a <= end_b)
    apart = (end_a <= start_b) | (end_b <= start_a)
    late = _late(weeks_a, days_a, end_a, weeks_b, days_b, start_b)
    back = _late(weeks_b, days_b, end_b, weeks_a, days_a, start_a)
    broken = {
        MASKS["SameStart"]: start_a != start_b,
        MASKS["SameTime"]: ~within,
        MASKS["DifferentTime"]: ~apart,
        MASKS["SameDays"]: (days != days_a) & (days != days_b),
        MASKS["DifferentDays"]: days != 0,
        MASKS["SameWeeks"]: (weeks != weeks_a) & (weeks != weeks_b),
        MASKS["DifferentWeeks"]: weeks != 0,
        MASKS["Precedence"]: late,
        FOLLOWING: back,
    }
    bits = sum(mask * found for mask, found in broken.items())
    return gap, span, np.asarray(bits)


def _late(
    weeks_a: NDArray[np.int64],
    days_a: NDArray[np.int64],
    end_a: NDArray[np.int64],
    weeks_b: NDArray[np.int64],
    days_b: NDArray[np.int64],
    start_b: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Tell whether the first meeting of a does not end before that of b begins."""
    week_a, week_b = weeks_a & -weeks_a, weeks_b & -weeks_b
    day_a, day_b = days_a & -days_a, days_b & -days_b
    same_day = np.where(day_a != day_b, day_a > day_b, end_a > start_b)
    return np.where(week_a != week_b, week_a > week_b, same_day)
