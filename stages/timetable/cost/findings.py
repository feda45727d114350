"""What one constraint finds in a timetable."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
