"""Which times go with a set of times by a rule."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..cost.pair_rules import RULES
from ..cost.placed_classes import PlacedClasses
from ..model.tables import Tables

# Pairs of times that are looked at together, and most times of which all pairs are kept:
# 50 MB for each kind of rule.
_TOGETHER, _MOST = 2_000_000, 20_000


class TimeSet(NamedTuple):
    """Some of the different times of an instance.

    Attributes
    ----------
    times
        Their numbers.
    bits
        A bit of each different time, packed.
    """

    times: NDArray[np.int64]
    bits: NDArray[np.uint8]


class Kept(NamedTuple):
    """Which times of two classes a rule leaves.

    Attributes
    ----------
    first, second
        Times of either class that go with any of the other's; None for all of them.
    all
        Whether any two times go together.
    """

    first: NDArray[np.bool_] | None
    second: NDArray[np.bool_] | None
    all: bool


class CompatibleTimes:
    """Rules between the different times of an instance, each pair looked at once.

    Travel is left out: rules are no harder than they are.

    Parameters
    ----------
    tables
        Of the instance.

    Attributes
    ----------
    time_of
        The number of each row's time, (n_rows,).
    """

    def __init__(self, tables: Tables) -> None:
        columns = np.stack([tables.days, tables.weeks, tables.start, tables.end], axis=1)
        times, time_of = np.unique(columns, axis=0, return_inverse=True)
        self.time_of: NDArray[np.int64] = time_of.ravel()
        self._n = n = len(times)
        days, weeks, start, end = times.T.copy()
        no_room = np.full(n, -1)
        self._times = PlacedClasses(
            np.ones(n, np.bool_), days, weeks, start, end, no_room, tables.travel[-1:, -1:]
        )
        self._packed: dict[tuple[str, int], tuple[NDArray[np.uint8], NDArray[np.bool_]]] = {}

    def set_of(self, rows: NDArray[np.int64]) -> TimeSet:
        """Return the set of some rows' times."""
        times = self.time_of[rows]
        flags = np.zeros(self._n, np.bool_)
        flags[times] = True
        return TimeSet(times, np.packbits(flags))

    def between(self, kind: str, parameter: int, first: TimeSet, second: TimeSet) -> Kept:
        """Tell which times of two classes go with any of the other's by a rule."""
        rows = self._rows(kind, parameter, first.times)
        common = rows & second.bits
        if (common == second.bits).all():
            return Kept(None, None, True)
        some: Any = common.any(axis=1)
        if not some.any():
            # Where nothing is left the instance is infeasible; a search should still run.
            return Kept(None, None, False)
        reached = np.unpackbits(np.bitwise_or.reduce(rows, axis=0), count=self._n)
        others: Any = reached.view(np.bool_)[second.times]
        return Kept(None if some.all() else some, None if others.all() else others, False)

    def _rows(self, kind: str, parameter: int, times: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return with which times each of a first class's goes, as bits."""
        if self._n > _MOST:
            return self._looked_up(kind, parameter, times)
        if (kind, parameter) not in self._packed:
            packed = np.empty((self._n, -(-self._n // 8)), np.uint8)
            self._packed[kind, parameter] = packed, np.zeros(self._n, np.bool_)
        packed, known = self._packed[kind, parameter]
        new = times[~known[times]]
        if len(new):
            packed[new] = self._looked_up(kind, parameter, new)
            known[new] = True
        return packed[times]

    def _looked_up(self, kind: str, parameter: int, times: NDArray[np.int64]) -> NDArray[np.uint8]:
        every = np.arange(self._n)[None, :]
        strips = []
        step = max(1, _TOGETHER // self._n)
        for low in range(0, len(times), step):
            mine = times[low : low + step, None]
            holds = RULES[kind](self._times, mine, every, np.full((1, 1), parameter))
            strips.append(np.packbits(np.broadcast_to(holds, (len(mine), self._n)), axis=1))
        return np.concatenate(strips)
