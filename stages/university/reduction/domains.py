"""Options of classes that no feasible timetable has."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model.distribution import PAIR_KINDS
from ..model.instance import Instance
from .compatible_times import CompatibleTimes, Kept, TimeSet

_ROOMS = ("SameRoom", "DifferentRoom")

Pair = tuple[str, int, int, int]
"""Kind, parameter, and the positions of two classes, in order where order counts."""


def required_pairs(instance: Instance) -> list[Pair]:
    """Return the pairs of all required distributions over pairs, each once."""
    found: dict[Pair, None] = {}
    for one in instance.distributions:
        if not one.required or one.kind not in PAIR_KINDS:
            continue
        classes = [instance.class_positions[name] for name in one.classes]
        parameter = one.parameters[0] if one.parameters else 0
        for at, i in enumerate(classes):
            for j in classes[at + 1 :]:
                a, b = (i, j) if one.kind == "Precedence" else (min(i, j), max(i, j))
                found[one.kind, parameter, a, b] = None
    return list(found)


class Domains:
    """The options that are left of each class.

    Attributes
    ----------
    times
        Rows of the instance's tables, for each class.
    rooms
        Positions of rooms, for each class; empty of one that needs none.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        tables = instance.tables
        n = len(instance.classes)
        self.times = [np.arange(*tables.time_starts[k : k + 2]) for k in range(n)]
        starts = tables.room_starts
        self.rooms = [tables.room[starts[k] : starts[k + 1]] for k in range(n)]
        self._compatible = CompatibleTimes(tables)
        # Classes often have the same times: each set of them has a number.
        self._numbers: dict[bytes, int] = {}
        self._sets: list[TimeSet] = []
        self._number_of: list[int | None] = [None] * n
        self._kept: dict[tuple[str, int, int, int], Kept] = {}

    def all_compatible(self, pair: Pair) -> bool:
        """Tell whether any times of two classes keep a rule."""
        return self._keeps(pair).all

    def _keeps(self, pair: Pair) -> Kept:
        kind, parameter, i, j = pair
        key = (kind, parameter, self._number(i), self._number(j))
        if key not in self._kept:
            sets = self._sets[key[2]], self._sets[key[3]]
            self._kept[key] = self._compatible.between(kind, parameter, *sets)
        return self._kept[key]

    def _number(self, k: int) -> int:
        """Return the number of the set of a class's times."""
        number = self._number_of[k]
        if number is None:
            times = self._compatible.set_of(self.times[k])
            number = self._numbers.setdefault(times.times.tobytes(), len(self._sets))
            if number == len(self._sets):
                self._sets.append(times)
            self._number_of[k] = number
        return number

    def _keep(self, k: int, keep: NDArray[np.bool_]) -> None:
        if not keep.all():
            self.times[k] = self.times[k][keep]
            self._number_of[k] = None

    def propagate(self, pairs: list[Pair]) -> None:
        """Take away what no option of another class, or no open room, goes with."""
        for k in range(len(self.times)):
            self._keep_open(k)
        self._keep_alone()
        of_class: dict[int, list[int]] = defaultdict(list)
        for p, (_, _, i, j) in enumerate(pairs):
            of_class[i].append(p)
            of_class[j].append(p)
        queue = deque(range(len(pairs)))
        waits = set(queue)
        while queue:
            p = queue.popleft()
            waits.discard(p)
            for k in self._revise(pairs[p]):
                self._keep_open(k)
                for other in of_class[k]:
                    if other not in waits:
                        waits.add(other)
                        queue.append(other)

    def _revise(self, pair: Pair) -> list[int]:
        kind, _, i, j = pair
        if kind in _ROOMS:
            return self._revise_rooms(kind, i, j)
        kept = self._keeps(pair)
        changed = []
        for k, keep in ((i, kept.first), (j, kept.second)):
            if keep is not None:
                self._keep(k, keep)
                changed.append(k)
        return changed

    def _revise_rooms(self, kind: str, i: int, j: int) -> list[int]:
        changed = []
        for k, other in ((i, j), (j, i)):
            mine, theirs = self.rooms[k], self.rooms[other]
            if not len(mine) or not len(theirs):
                continue
            if kind == "SameRoom":
                keep = np.isin(mine, theirs)
            elif len(theirs) == 1:
                keep = mine != theirs[0]
            else:
                continue
            if keep.any() and not keep.all():
                self.rooms[k] = mine[keep]
                changed.append(k)
        return changed

    def _keep_open(self, k: int) -> None:
        """Take away times at which all rooms are closed, and rooms that are closed at all."""
        rooms = self.rooms[k]
        if not len(rooms):
            return
        tables = self.instance.tables
        rows = self.times[k]
        first, last = tables.closed_starts[rooms], tables.closed_starts[rooms + 1]
        shut = np.flatnonzero(last > first)
        if not len(shut):
            return
        t = np.concatenate([np.arange(first[one], last[one]) for one in shut])
        closed = (tables.days[rows][:, None] & tables.closed_days[t]) != 0
        closed &= (tables.weeks[rows][:, None] & tables.closed_weeks[t]) != 0
        closed &= tables.start[rows][:, None] < tables.closed_end[t]
        closed &= tables.closed_start[t] < tables.end[rows][:, None]
        is_open = np.ones((len(rows), len(rooms)), np.bool_)
        begins = np.cumsum(np.append(0, (last - first)[shut]))[:-1]
        is_open[:, shut] = ~np.logical_or.reduceat(closed, begins, axis=1)
        if is_open.any():
            at_some_time: Any = is_open.any(axis=1)
            self._keep(k, at_some_time)
            self.rooms[k] = rooms[is_open.any(axis=0)]

    def _keep_alone(self) -> None:
        """Take away times that break a rule over all classes by themselves."""
        tables = self.instance.tables
        for one in self.instance.distributions:
            # A class alone has no breaks, and no block of several.
            if not one.required or one.kind not in ("MaxDays", "MaxDayLoad"):
                continue
            for name in one.classes:
                k = self.instance.class_positions[name]
                rows = self.times[k]
                if one.kind == "MaxDays":
                    size = np.array([days.bit_count() for days in tables.days[rows].tolist()])
                else:
                    size = tables.end[rows] - tables.start[rows]
                keep = size <= one.parameters[0]
                if keep.any():
                    self._keep(k, keep)
