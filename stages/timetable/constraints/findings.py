"""What one constraint finds in a timetable."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures


@dataclass(frozen=True)
class Findings:
    """The places in which a timetable breaks a constraint.

    Attributes
    ----------
    units
        Units of each of them, 1 or more, shape (n_findings,).
    describe
        Tells one of them in words, by its position.
    """

    units: NDArray[np.int64]
    describe: Callable[[int], str]

    @property
    def total(self) -> int:
        """Units of all of them."""
        return int(self.units.sum(dtype=np.int64))

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield the units of each, and what it is in words."""
        for k, units in enumerate(self.units.tolist()):
            yield units, self.describe(k)


def ones(found: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return one unit for each finding."""
    return np.ones(len(found), np.int64)


def count_of(number: SupportsIndex, noun: str) -> str:
    """Tell a number of things."""
    return f"{number} {noun}" if operator.index(number) == 1 else f"{number} {noun}s"


def when(placed: PlacedLectures, row: SupportsIndex) -> str:
    """Tell when a placed lecture is."""
    return placed.when(placed.periods[row])
