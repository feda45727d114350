"""All rules of a university, class by class, as arrays for vectorised verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...ragged import starts_of
from ..cost.pair_rules import pairs_of
from ..cost.placed_classes import PlacedClasses
from ..model.distribution import GLOBAL_KINDS, PAIR_KINDS
from ..model.instance import Instance
from ..model.tables import Tables
from ..model.weights import Weights

KINDS = tuple(PAIR_KINDS)
"""Kinds of rules between two classes; a row's ``kind`` is a position here."""

ATTENDED = KINDS.index("SameAttendees")
ROOM_KINDS = (KINDS.index("SameRoom"), KINDS.index("DifferentRoom"))
IN_ORDER = KINDS.index("Precedence")
"""The kind for which it counts which class comes first."""

APART = 1 << 20
"""Gap between times that do not meet: longer than any travel."""


@dataclass(frozen=True)
class GlobalRule:
    """A rule over several classes at once.

    Attributes
    ----------
    kind, parameters
        Which rule.
    classes
        Positions of its classes.
    penalty
        What a unit of excess costs, before the weight; None for a rule that must hold.
    """

    kind: str
    parameters: tuple[int, ...]
    classes: NDArray[np.int64]
    penalty: int | None


@dataclass(eq=False)
class RuleBook:
    """The options of an instance's classes and the rules between them.

    Each pair of classes with a rule has two rows, one with either class.

    Attributes
    ----------
    tables, weights, days, weeks
        Of the instance.
    starts
        First row of each class, (n_classes + 1,).
    other, kind, parameter, hard, cost, second
        Of each row the other class, the position in `KINDS`, the parameter, how many
        required rules it stands for, what breaking the others costs (weighted), and
        whether the row's class comes second in the rule.
    global_rules, globals_of
        Rules over several classes, and which of them each class is in.
    options
        All time options as if they were placed classes, so that rules take rows of them.
    """

    tables: Tables
    weights: Weights
    days: int
    weeks: int
    starts: NDArray[np.int64]
    other: NDArray[np.int64]
    kind: NDArray[np.int64]
    parameter: NDArray[np.int64]
    hard: NDArray[np.int64]
    cost: NDArray[np.int64]
    second: NDArray[np.bool_]
    global_rules: list[GlobalRule]
    globals_of: list[list[int]]
    options: PlacedClasses
    _closed: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, object]:
        # What was looked up is found again; a pickle for another process stays small.
        state: dict[str, object] = dict(vars(self))
        state["_closed"] = {}
        return state

    @classmethod
    def of(cls, instance: Instance) -> RuleBook:
        """Collect the rules of an instance."""
        n = len(instance.classes)
        weight = instance.weights.distribution
        first, second, kind, parameter, hard, cost = _pairs(instance)
        keys = ((first * n + second) * len(KINDS) + kind) * (1 << 20) + parameter
        _, at, place = np.unique(keys, return_index=True, return_inverse=True)
        hard = np.bincount(place, hard, len(at)).astype(np.int64)
        cost = np.bincount(place, cost, len(at)).astype(np.int64) * weight
        first, second, kind, parameter = first[at], second[at], kind[at], parameter[at]
        matters = (hard > 0) | (cost > 0)
        columns = [one[matters] for one in (first, second, kind, parameter, hard, cost)]
        first, second, kind, parameter, hard, cost = columns
        mine, others = np.concatenate([first, second]), np.concatenate([second, first])
        order = np.lexsort((others, mine))
        kind, parameter, hard, cost = (
            np.tile(one, 2)[order] for one in (kind, parameter, hard, cost)
        )
        swapped = np.repeat([False, True], len(first))[order]
        rules = [_global_rule(one, instance) for one in _global(instance)]
        globals_of: list[list[int]] = [[] for _ in range(n)]
        for k, rule in enumerate(rules):
            for one in rule.classes.tolist():
                globals_of[one].append(k)
        starts = starts_of(np.bincount(mine, minlength=n))
        options = _options(instance)
        return cls(
            instance.tables, instance.weights, instance.days, instance.weeks, starts,
            others[order], kind, parameter, hard, cost, swapped, rules, globals_of, options,
        )  # fmt: skip

    @property
    def n_classes(self) -> int:
        """Classes of the instance."""
        return len(self.starts) - 1

    @property
    def n_rooms(self) -> int:
        """Rooms of the instance."""
        return len(self.tables.closed_starts) - 1

    @property
    def travel(self) -> NDArray[np.int32]:
        """Slots between rooms, which -1 reaches too."""
        return self.tables.travel

    def times(self, k: int) -> NDArray[np.int64]:
        """Rows of a class's time options in the tables."""
        return np.arange(*self.tables.time_starts[k : k + 2])

    def rooms(self, k: int) -> NDArray[np.int64]:
        """Positions of the rooms that a class may have; -1 alone where it needs none."""
        starts = self.tables.room_starts
        rooms = self.tables.room[starts[k] : starts[k + 1]]
        return rooms if len(rooms) else np.array([-1])

    def penalties(self, k: int) -> NDArray[np.int64]:
        """What each time and room of a class costs by itself, weighted, (times, rooms)."""
        tables, weights = self.tables, self.weights
        starts = tables.room_starts
        time = weights.time * tables.time_penalty[slice(*tables.time_starts[k : k + 2])]
        room = weights.room * tables.room_penalty[starts[k] : starts[k + 1]]
        return time[:, None] + (room if len(room) else np.zeros(1, np.int64))

    def closed(self, k: int) -> NDArray[np.int64]:
        """How many closed times of its room a class would overlap, (times, rooms)."""
        if k not in self._closed:
            tables = self.tables
            rows, rooms = self.times(k), self.rooms(k)
            found = np.zeros((len(rows), len(rooms)), np.int64)
            sizes = np.diff(tables.closed_starts)
            for column in np.flatnonzero(sizes[rooms] * (rooms >= 0)) if len(sizes) else ():
                t = slice(*tables.closed_starts[rooms[column] : rooms[column] + 2])
                meet = (tables.days[rows][:, None] & tables.closed_days[t]) != 0
                meet &= (tables.weeks[rows][:, None] & tables.closed_weeks[t]) != 0
                meet &= tables.start[rows][:, None] < tables.closed_end[t]
                meet &= tables.closed_start[t] < tables.end[rows][:, None]
                found[:, column] = meet.sum(axis=1)
            self._closed[k] = found
        return self._closed[k]

    def gaps(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
        """Slots between time options, below 0 where they overlap, `APART` if they do not meet.

        Somebody can attend both if the gap is no less than the travel.
        """
        tables = self.tables
        gap = np.maximum(tables.start[b] - tables.end[a], tables.start[a] - tables.end[b])
        return np.where(self.options.meet(a, b), gap, APART)


def _pairs(instance: Instance) -> list[NDArray[np.int64]]:
    """List first, second, kind, parameter, required and penalty of all pairs."""
    parameters = np.array([(*one.parameters, 0)[0] for one in instance.distributions], np.int64)
    hard = np.array([one.required for one in instance.distributions], np.int64)
    penalty = np.array([one.penalty or 0 for one in instance.distributions], np.int64)
    parts: list[list[NDArray[np.int64]]] = [[np.zeros(0, np.int64)] * 6]
    for code, kind in enumerate(KINDS):
        for of, i, j in pairs_of(instance, kind):
            if code != IN_ORDER:
                i, j = np.minimum(i, j), np.maximum(i, j)
            columns = i, j, np.full(len(i), code), parameters[of], hard[of], penalty[of]
            parts.append([one.astype(np.int64) for one in columns])
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _global(instance: Instance) -> list[tuple[int, int | None]]:
    return [
        (k, one.penalty)
        for k, one in enumerate(instance.distributions)
        if one.kind in GLOBAL_KINDS and one.classes and one.penalty != 0
    ]


def _global_rule(at: tuple[int, int | None], instance: Instance) -> GlobalRule:
    one = instance.distributions[at[0]]
    classes = np.array([instance.class_positions[name] for name in one.classes], np.int64)
    return GlobalRule(one.kind, one.parameters, classes, at[1])


def _options(instance: Instance) -> PlacedClasses:
    tables = instance.tables
    rows = len(tables.days)
    return PlacedClasses(
        np.ones(rows, np.bool_),
        tables.days,
        tables.weeks,
        tables.start,
        tables.end,
        np.full(rows, -1),
        tables.travel[-1:, -1:],
    )
