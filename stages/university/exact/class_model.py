"""A CP-SAT model of some classes' times and rooms, all other classes staying where they are.

Each time and each room of a class is a Boolean, one of each is chosen. What two choices
break or cost together comes as a table of pairs; alike rows of a table become one
constraint. The constraints are written straight to the model's protocol buffer, which
keeps the building of a model short.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cost.pair_rules import RULES
from .global_model import add_global_rule
from .option_costs import Places, option_costs
from .rule_book import ATTENDED, IN_ORDER, KINDS, ROOM_KINDS, RuleBook
from .shared_students import SharedStudents

FORBIDDEN = -1
"""In a table of what pairs of choices cost: they cannot go together."""


class ClassModel:
    """The model of some classes.

    Parameters
    ----------
    book
        The rules.
    nodes
        The classes to place.
    places
        Where all classes are; where the nodes are is what the solver starts from.
    shared
        Students that the classes share; None if their conflicts do not count.
    violation
        Cost of breaking a required rule; None if none may be broken.
    priced
        Whether anything but required rules counts.

    Attributes
    ----------
    model
        The model, ready to be solved.
    possible
        False where the required rules leave a node no option.
    """

    def __init__(
        self,
        book: RuleBook,
        nodes: NDArray[np.intp],
        places: Places,
        shared: SharedStudents | None,
        violation: int | None = None,
        priced: bool = True,
    ) -> None:
        from ortools.sat.python.cp_model import CpModel

        self.book = book
        self.nodes = np.asarray(nodes, np.int64)
        self.places = places
        self.shared = shared
        self.violation = violation
        self.priced = priced
        self.model = CpModel()
        self._proto: Any = self.model.proto
        self._constraints = self._proto.constraints
        self._costs: list[int] = []
        self._hint: list[int] = []
        rows = places.rows.copy()
        rows[self.nodes] = -1
        self.others = Places(rows, places.rooms)
        self.possible = True
        # Rows and rooms that each node may choose from, and their Booleans.
        self.rows: list[NDArray[np.int64]] = []
        self.rooms: list[NDArray[np.int64]] = []
        self.x: list[NDArray[np.int64]] = []
        self.y: list[NDArray[np.int64]] = []
        tables = [self._choices(int(k)) for k in self.nodes]
        if not self.possible:
            return
        for at, (forbidden, soft) in enumerate(tables):
            self._place(at, forbidden, soft)
        for i in range(len(self.nodes)):
            for j in range(i + 1, len(self.nodes)):
                self._pair(i, j)
        touched = sorted({g for k in self.nodes for g in book.globals_of[int(k)]})
        for g in touched:
            add_global_rule(self, book.global_rules[g])
        self._finish()

    @property
    def n_constraints(self) -> int:
        """Constraints in all."""
        return len(self._constraints)

    def integer(self, highest: int, cost: int = 0, hint: int = 0) -> int:
        """Add an integer from 0 to `highest` that costs so much a unit."""
        self._proto.variables.add().domain.extend((0, highest))
        self._costs.append(cost)
        self._hint.append(hint)
        return len(self._costs) - 1

    def add_cost(self, variable: int, cost: int) -> None:
        """Let a unit of a variable cost more."""
        self._costs[variable] += cost

    def linear(
        self, variables: Sequence[int], factors: Sequence[int], high: int, low: int = -(1 << 40)
    ) -> None:
        """Keep a weighted sum between two bounds."""
        linear = self._constraints.add().linear
        linear.vars.extend(variables)
        linear.coeffs.extend(factors)
        linear.domain.extend((low, high))

    def clause(self, false: Iterable[int], true: Iterable[int] = ()) -> None:
        """Ask for one of some Booleans to be false or one of others to be true."""
        self._constraints.add().bool_or.literals.extend([*(-one - 1 for one in false), *true])

    def exactly_one(self, variables: Iterable[int]) -> None:
        """Ask for one of some Booleans."""
        self._constraints.add().exactly_one.literals.extend(variables)

    def not_both(
        self,
        mask: NDArray[np.bool_],
        one: NDArray[np.int64],
        other: NDArray[np.int64],
        unless: int | None = None,
    ) -> None:
        """Forbid pairs of choices, of which one of each side is made, unless a Boolean is true.

        Parameters
        ----------
        mask
            Which pairs, (of one side, of the other).
        one, other
            The Booleans of either side, of each of which at most one is true.
        """
        alike: dict[bytes, list[int]] = {}
        packed = np.packbits(mask, axis=1)
        for row in np.flatnonzero(mask.any(axis=1)).tolist():
            alike.setdefault(packed[row].tobytes(), []).append(row)
        for same in alike.values():
            literals = [*one[same].tolist(), *other[mask[same[0]]].tolist()]
            if unless is None:
                self._constraints.add().at_most_one.literals.extend(literals)
            else:
                ones = [1] * len(literals)
                self.linear([*literals, unless], [*ones, -1], 1)

    def priced_pairs(
        self, table: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]
    ) -> None:
        """Let pairs of choices cost what a table says, or forbid them.

        What a choice costs at least, whatever the other one is, becomes a cost of its own.
        """
        forbidden = table == FORBIDDEN
        if forbidden.any():
            self.not_both(forbidden, one, other)
        table = np.where(forbidden, 0, table)
        if not table.any():
            return
        high = int(table.max()) + 1
        for axis, variables in ((1, one), (0, other)):
            least = np.where(forbidden, high, table).min(axis=axis)
            least[least == high] = 0
            for at in np.flatnonzero(least).tolist():
                self._costs[variables[at]] += int(least[at])
            table = table - (least[:, None] if axis else least[None, :])
            table[forbidden] = 0
        before = 0
        for level in np.unique(table[table > 0]).tolist():
            broken = self.integer(1, level - before)
            self.not_both(table >= level, one, other, unless=broken)
            before = level

    def _choices(self, k: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Find the options of a node that the others leave it, and what they cost."""
        book = self.book
        hard, soft = option_costs(book, k, self.others, self.shared)
        rows, rooms = book.times(k), book.rooms(k)
        if self.violation is None:
            forbidden = hard > 0
        else:
            soft = soft + self.violation * hard
            at, room = np.flatnonzero(rows == self.places.rows[k]), rooms == self.places.rooms[k]
            now = hard[at[0], room][0] if len(at) and room.any() else hard.min()
            forbidden = hard > now
        if not self.priced:
            soft = np.zeros_like(soft)
        t = np.flatnonzero(~forbidden.all(axis=1))
        r = np.flatnonzero(~forbidden.all(axis=0))
        if not len(t):
            self.possible = False
        self.rows.append(rows[t])
        self.rooms.append(rooms[r])
        return forbidden[np.ix_(t, r)], soft[np.ix_(t, r)]

    def _place(self, at: int, forbidden: NDArray[np.bool_], soft: NDArray[np.int64]) -> None:
        k = int(self.nodes[at])
        high = int(soft.max()) + 1
        open_costs = np.where(forbidden, high, soft)
        of_time = open_costs.min(axis=1)
        rest = open_costs - of_time[:, None]
        of_room = rest.min(axis=0)
        rest = np.where(forbidden, 0, rest - of_room)
        x = self._booleans(of_time, self.rows[at] == self.places.rows[k])
        y = self._booleans(of_room, self.rooms[at] == self.places.rooms[k])
        self.x.append(x)
        self.y.append(y)
        self.exactly_one(x.tolist())
        self.exactly_one(y.tolist())
        if forbidden.any():
            self.not_both(forbidden, x, y)
        for t in np.flatnonzero(rest.any(axis=1)).tolist():
            before = 0
            for level in np.unique(rest[t][rest[t] > 0]).tolist():
                farther = self.integer(1, level - before)
                self.not_both((rest[t] >= level)[None, :], x[t : t + 1], y, unless=farther)
                before = level

    def _booleans(self, costs: NDArray[np.int64], hint: NDArray[np.bool_]) -> NDArray[np.int64]:
        pairs = zip(costs.tolist(), hint.tolist(), strict=True)
        return np.array([self.integer(1, cost, here) for cost, here in pairs], np.int64)

    def _pair(self, i: int, j: int) -> None:
        book, k, other = self.book, int(self.nodes[i]), int(self.nodes[j])
        a, b = self.rows[i][:, None], self.rows[j][None, :]
        times = np.zeros((len(self.rows[i]), len(self.rows[j])), np.int64)
        here = np.arange(book.starts[k], book.starts[k + 1])
        here = here[book.other[here] == other]
        attended, cost = 0, 0
        for row in here.tolist():
            code = int(book.kind[row])
            hard = int(book.hard[row])
            soft = int(book.cost[row]) if self.priced else 0
            if not hard and not soft:
                continue
            if code == ATTENDED:
                attended, cost = attended + hard, cost + soft
            elif code in ROOM_KINDS:
                self._room_rule(i, j, code, hard, soft)
            else:
                rule, parameter = RULES[KINDS[code]], book.parameter[row]
                if code == IN_ORDER and book.second[row]:
                    broken = ~rule(book.options, b, a, parameter)
                else:
                    broken = ~rule(book.options, a, b, parameter)
                times = self._with(times, broken, hard, soft)
        if self.shared is not None and self.priced:
            others, count = self.shared.row(k)
            place = np.searchsorted(others, other)
            if place < len(others) and others[place] == other:
                cost += int(count[place]) * book.weights.student
        self._attend(i, j, attended, cost, times)

    def _with(
        self, table: NDArray[np.int64], broken: NDArray[np.bool_], hard: int, soft: int
    ) -> NDArray[np.int64]:
        """Add to a table of pairs what a rule makes of it."""
        if hard and self.violation is None:
            return np.where(broken, FORBIDDEN, table)
        price = soft + hard * (self.violation or 0)
        return np.where(broken & (table != FORBIDDEN), table + price, table)

    def _room_rule(self, i: int, j: int, code: int, hard: int, soft: int) -> None:
        same = self.rooms[i][:, None] == self.rooms[j][None, :]
        broken = ~same if code == ROOM_KINDS[0] else same
        table = self._with(np.zeros(same.shape, np.int64), broken, hard, soft)
        self.priced_pairs(table, self.y[i], self.y[j])

    def _attend(self, i: int, j: int, hard: int, soft: int, times: NDArray[np.int64]) -> None:
        """Add what nobody can attend both of, travel included, and what cannot share a room."""
        ways = self.book.travel[np.ix_(self.rooms[i], self.rooms[j])]
        least, most = int(ways.min()), int(ways.max())
        price = soft + hard * (self.violation or 0)
        strict = bool(hard) and self.violation is None
        gaps = None
        if strict or price:
            gaps = self.book.gaps(self.rows[i][:, None], self.rows[j][None, :])
            times = self._with(times, gaps < least, hard, soft)
        self.priced_pairs(times, self.x[i], self.x[j])
        if gaps is not None and most > least and ((gaps >= least) & (gaps < most)).any():
            self._travel(i, j, gaps, ways, None if strict else price)
        self._share_rooms(i, j, times)

    def _travel(
        self,
        i: int,
        j: int,
        gaps: NDArray[np.int64],
        ways: NDArray[np.int32],
        price: int | None,
    ) -> None:
        """Let too short a way cost, or forbid it, where the rooms decide."""
        least = int(ways.min())
        late = None if price is None else self.integer(1, price)
        before = gaps < least
        for way in np.unique(ways[ways > least]).tolist():
            near = (gaps >= least) & (gaps < way)
            # Ways no pair of times is between say nothing new.
            if (near == before).all() or not near.any():
                continue
            before = near
            is_near = self.integer(1)
            self.not_both(near, self.x[i], self.x[j], unless=is_near)
            self._not_far(ways >= way, self.y[i], self.y[j], is_near, late)

    def _not_far(
        self,
        far: NDArray[np.bool_],
        one: NDArray[np.int64],
        other: NDArray[np.int64],
        near: int,
        late: int | None,
    ) -> None:
        """Forbid pairs of rooms where two classes are near in time, unless that is paid."""
        alike: dict[bytes, list[int]] = {}
        for row in np.flatnonzero(far.any(axis=1)).tolist():
            alike.setdefault(far[row].tobytes(), []).append(row)
        for same in alike.values():
            literals = [*one[same].tolist(), *other[far[same[0]]].tolist(), near]
            factors = [1] * len(literals)
            if late is not None:
                literals.append(late)
                factors.append(-1)
            self.linear(literals, factors, 2)

    def _share_rooms(self, i: int, j: int, times: NDArray[np.int64]) -> None:
        """Keep two classes from being in one room at the same time."""
        common, mine, theirs = np.intersect1d(
            self.rooms[i], self.rooms[j], assume_unique=True, return_indices=True
        )
        if not len(common) or common[-1] < 0:
            return
        mine, theirs = mine[common >= 0], theirs[common >= 0]
        a, b = self.rows[i][:, None], self.rows[j][None, :]
        overlap = self.book.options.overlap(a, b) & (times != FORBIDDEN)
        if not overlap.any():
            return
        together = self.integer(1)
        self.not_both(overlap, self.x[i], self.x[j], unless=together)
        broken = [] if self.violation is None else [self.integer(1, self.violation)]
        for one, other in zip(self.y[i][mine].tolist(), self.y[j][theirs].tolist(), strict=True):
            self.clause([one, other, together], broken)

    def _finish(self) -> None:
        objective = self._proto.objective
        costly = [at for at, cost in enumerate(self._costs) if cost]
        if costly:
            objective.vars.extend(costly)
            objective.coeffs.extend([self._costs[at] for at in costly])
        chosen = [one for side in (self.x, self.y) for own in side for one in own.tolist()]
        self._proto.solution_hint.vars.extend(chosen)
        self._proto.solution_hint.values.extend([self._hint[one] for one in chosen])

    def chosen(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return time and room of each node, as a `Solution` has them, (nodes, 2)."""
        first = self.book.tables.time_starts
        return np.array(
            [
                (rows[np.argmax(values[x])] - first[k], rooms[np.argmax(values[y])])
                for k, rows, rooms, x, y in zip(
                    self.nodes, self.rows, self.rooms, self.x, self.y, strict=True
                )
            ],
            np.int64,
        ).reshape(-1, 2)
