"""One constraint: its name, its units, and what the search needs of it.

Plain NumPy, the reference for every kernel. Where a solution has more lectures than it
should, each counts as it stands in every constraint but Lectures. Where lectures of a
curriculum clash, each of them counts in IsolatedLectures, StudentMinMaxLoad and
TravelDistance; Windows, and what is described by its days, looks at which timeslots are
occupied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .findings import Findings

if TYPE_CHECKING:
    from ..cost.placed_lectures import PlacedLectures
    from ..model.instance import Instance


@dataclass(frozen=True)
class Constraint:
    """A constraint of timetables, described once.

    Evaluation, pages and words take `find`; the compiled search and CP-SAT take the table,
    where there is one. A constraint without a table has kernels of its own in ``search``.

    Attributes
    ----------
    name
        As formulations weigh it.
    find
        Finds the units in a timetable, each with its words.
    in_rooms
        Units of one lecture of each course in each room, shape (n_courses, n_rooms).
    in_periods
        Units of one lecture of each course in each period, shape (n_courses, n_periods).
    of_days
        Units of curricula's days by the timeslots that are occupied: takes and returns
        bool (n, timeslots) and units (n,); an empty day has none.
    """

    name: str
    find: Callable[[PlacedLectures], Findings]
    in_rooms: Callable[[Instance], ArrayLike] | None = None
    in_periods: Callable[[Instance], ArrayLike] | None = None
    of_days: Callable[[NDArray[np.bool_]], ArrayLike] | None = None

    @classmethod
    def by_room(
        cls,
        name: str,
        units: Callable[[Instance], ArrayLike],
        tell: Callable[[PlacedLectures, SupportsIndex], str],
    ) -> Constraint:
        """Describe one that depends on a lecture's course and room alone.

        Parameters
        ----------
        name
            As formulations weigh it.
        units
            As `in_rooms`.
        tell
            Tells in words what is wrong with one lecture, given by its row.
        """

        def find(placed: PlacedLectures) -> Findings:
            return _find_lectures(placed, units(placed.instance), placed.rooms, tell)

        return cls(name, find, in_rooms=units)

    @classmethod
    def by_period(
        cls,
        name: str,
        units: Callable[[Instance], ArrayLike],
        tell: Callable[[PlacedLectures, SupportsIndex], str],
    ) -> Constraint:
        """Describe one that depends on a lecture's course and period alone, as `by_room` does."""

        def find(placed: PlacedLectures) -> Findings:
            return _find_lectures(placed, units(placed.instance), placed.periods, tell)

        return cls(name, find, in_periods=units)

    @classmethod
    def by_day(
        cls,
        name: str,
        units: Callable[[NDArray[np.bool_]], ArrayLike],
        tell: Callable[[PlacedLectures, SupportsIndex, SupportsIndex], str],
    ) -> Constraint:
        """Describe one that depends on which timeslots of a day a curriculum occupies.

        Parameters
        ----------
        name
            As formulations weigh it.
        units
            As `of_days`.
        tell
            Tells in words what is wrong with a curriculum's day, both given by their numbers.
        """

        def find(placed: PlacedLectures) -> Findings:
            occupied = placed.curriculum_counts > 0
            found = np.asarray(units(occupied.reshape(-1, occupied.shape[2])), np.int64)
            found = found.reshape(occupied.shape[:2])
            curricula, days = np.nonzero(found)
            return Findings(found[curricula, days], lambda k: tell(placed, curricula[k], days[k]))

        return cls(name, find, of_days=units)


def _find_lectures(
    placed: PlacedLectures,
    units: ArrayLike,
    places: NDArray[np.integer],
    tell: Callable[[PlacedLectures, SupportsIndex], str],
) -> Findings:
    found = np.asarray(units, np.int64)[placed.courses, places]
    rows = np.flatnonzero(found)
    return Findings(found[rows], lambda k: tell(placed, rows[k]))
