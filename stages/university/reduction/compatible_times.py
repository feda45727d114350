"""Which times go with a set of times by a rule."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..cost.pair_rules import RULES
from ..cost.placed_classes import PlacedClasses
from ..model.tables import Tables

# Pairs of times that are looked up together.
_TOGETHER = 2_000_000

# Most times of which all pairs are kept, 8 MB for each rule, and for how many rules.
_MOST, _RULES = 8_000, 24


class TimeSet(NamedTuple):
    """Some of the different times of an instance.

    Attributes
    ----------
    times
        Their numbers.
    bits
        A bit of each different time, packed; none where pairs are not kept.
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
    """Rules between the different times of an instance.

    Each pair of times is looked up once for a rule, as long as times and rules are not
    too many. Travel is left out: rules are no harder than they are.

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
        self._few = n <= _MOST
        self._packed: dict[tuple[str, int], tuple[NDArray[np.uint8], NDArray[np.bool_]]] = {}

    def set_of(self, rows: NDArray[np.int64]) -> TimeSet:
        """Return the set of some rows' times."""
        times = self.time_of[rows]
        flags = np.zeros(self._n if self._few else 0, np.bool_)
        if self._few:
            flags[times] = True
        return TimeSet(times, np.packbits(flags))

    def between(self, kind: str, parameter: int, first: TimeSet, second: TimeSet) -> Kept:
        """Tell which times of two classes go with any of the other's by a rule."""
        rows = self._rows(kind, parameter, first.times)
        if rows is not None:
            holds = rows & second.bits
            whole = bool((holds == second.bits).all())
        else:
            holds = self._look_up(kind, parameter, first.times, second.times)
            whole = bool(holds.all())
        some: Any = holds.any(axis=1)
        if whole or not some.any():
            # Where nothing is left the instance is infeasible; a search should still run.
            return Kept(None, None, whole)
        others: Any
        if rows is None:
            others = holds.any(axis=0)
        else:
            reached = np.unpackbits(np.bitwise_or.reduce(rows, axis=0), count=self._n)
            others = reached.view(np.bool_)[second.times]
        return Kept(None if some.all() else some, None if others.all() else others, False)

    def _rows(
        self, kind: str, parameter: int, times: NDArray[np.int64]
    ) -> NDArray[np.uint8] | None:
        """Return with which times each of a first class's goes, as bits, if that is kept."""
        rule = (kind, parameter)
        if rule not in self._packed:
            if not self._few or len(self._packed) == _RULES:
                return None
            packed = np.empty((self._n, -(-self._n // 8)), np.uint8)
            self._packed[rule] = packed, np.zeros(self._n, np.bool_)
        packed, known = self._packed[rule]
        new = times[~known[times]]
        # In strips, so that little is held besides.
        step = max(1, _TOGETHER // self._n)
        for low in range(0, len(new), step):
            strip = new[low : low + step]
            packed[strip] = np.packbits(
                self._look_up(kind, parameter, strip, np.arange(self._n)), axis=1
            )
        known[new] = True
        return packed[times]

    def _look_up(
        self, kind: str, parameter: int, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Tell which times go together by a rule, (first, second)."""
        pairs = first[:, None], second[None, :]
        return RULES[kind](self._times, *pairs, np.full((1, 1), parameter))
