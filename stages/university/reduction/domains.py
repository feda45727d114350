"""Options of classes that no feasible timetable has."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cost import global_rules
from ..cost.pair_rules import RULES
from ..cost.placed_classes import PlacedClasses
from ..model.distribution import GLOBAL_KINDS, PAIR_KINDS
from ..model.instance import Instance

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
        # All time options stand in one "placed" table, so that rules take pairs of rows.
        rows = len(tables.days)
        self._options = PlacedClasses(
            np.ones(rows, np.bool_),
            tables.days,
            tables.weeks,
            tables.start,
            tables.end,
            np.full(rows, -1),
            # Without rooms there is no travel: the rules are no harder than they are.
            tables.travel[-1:, -1:],
        )
        self._tables: dict[Any, NDArray[np.bool_]] = {}

    def compatible(self, pair: Pair) -> NDArray[np.bool_]:
        """Tell which times of two classes keep a rule, shape (times of i, times of j)."""
        kind, parameter, i, j = pair
        a, b = self.times[i], self.times[j]
        key = (kind, parameter, self._signature(a), self._signature(b))
        if key not in self._tables:
            first, second = np.repeat(a, len(b)), np.tile(b, len(a))
            holds = RULES[kind](self._options, first, second, np.full(len(first), parameter))
            self._tables[key] = holds.reshape(len(a), len(b))
        return self._tables[key]

    def _signature(self, rows: NDArray[np.int64]) -> bytes:
        options = self._options
        columns = (options.days, options.weeks, options.start, options.end)
        return b"".join(column[rows].tobytes() for column in columns)

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
        holds = self.compatible(pair)
        changed = []
        for k, keep in ((i, holds.any(axis=1)), (j, holds.any(axis=0))):
            # Where nothing is left the instance is infeasible; a search should still run.
            if keep.any() and not keep.all():
                self.times[k] = self.times[k][keep]
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
        is_open = np.ones((len(rows), len(rooms)), np.bool_)
        for column, room in enumerate(rooms):
            t = slice(tables.closed_starts[room], tables.closed_starts[room + 1])
            if t.start == t.stop:
                continue
            closed = (tables.days[rows][:, None] & tables.closed_days[t]) != 0
            closed &= (tables.weeks[rows][:, None] & tables.closed_weeks[t]) != 0
            closed &= tables.start[rows][:, None] < tables.closed_end[t]
            closed &= tables.closed_start[t] < tables.end[rows][:, None]
            is_open[:, column] = ~closed.any(axis=1)
        if is_open.any():
            self.times[k] = rows[is_open.any(axis=1)]
            self.rooms[k] = rooms[is_open.any(axis=0)]

    def _keep_alone(self) -> None:
        """Take away times that break a rule over all classes by themselves."""
        for one in self.instance.distributions:
            if not one.required or one.kind not in GLOBAL_KINDS:
                continue
            rule = global_rules.RULES[one.kind]
            for name in one.classes:
                k = self.instance.class_positions[name]
                rows = self.times[k]
                keep = np.array(
                    [
                        next(rule(self._options, rows[at : at + 1], *one.parameters), None) is None
                        for at in range(len(rows))
                    ]
                )
                if keep.any() and not keep.all():
                    self.times[k] = rows[keep]
