"""What each option of a class breaks and costs beside the other classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cost.pair_rules import RULES
from .rule_book import ATTENDED, IN_ORDER, KINDS, ROOM_KINDS, RuleBook
from .shared_students import SharedStudents


@dataclass(frozen=True, eq=False)
class Places:
    """Where the classes are that stay there.

    Attributes
    ----------
    rows
        Row of each class's time in the tables; -1 for classes that are not there.
    rooms
        Position of each class's room; -1 for none.
    """

    rows: NDArray[np.int64]
    rooms: NDArray[np.int64]


def option_costs(
    book: RuleBook,
    k: int,
    places: Places,
    shared: SharedStudents | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count what each time and room of a class breaks and costs beside those that stay.

    Rules over several classes at once are left out.

    Parameters
    ----------
    book
        The rules.
    k
        The class.
    places
        The classes that stay.
    shared
        Students that the classes share; None for none.

    Returns
    -------
    tuple of arrays
        Violations, and weighted cost with that of the option itself, (times, rooms).
    """
    rows, rooms = book.times(k), book.rooms(k)
    hard, soft = book.closed(k).copy(), book.penalties(k)
    here = np.arange(book.starts[k], book.starts[k + 1])
    here = here[places.rows[book.other[here]] >= 0]
    kinds = book.kind[here]
    for code in np.unique(kinds).tolist():
        if code == ATTENDED:
            continue
        these = here[kinds == code]
        times = _breaks(book, these, code, rows, rooms, places)
        axis = (None, slice(None)) if code in ROOM_KINDS else (slice(None), None)
        hard += (book.hard[these] @ times)[axis]
        soft += (book.cost[these] @ times)[axis]
    attended = here[kinds == ATTENDED]
    others = book.other[attended]
    hards, costs = book.hard[attended], book.cost[attended]
    if shared is not None:
        more, count = shared.row(k)
        there = places.rows[more] >= 0
        others = np.concatenate([others, more[there]])
        hards = np.concatenate([hards, np.zeros(there.sum(), np.int64)])
        costs = np.concatenate([costs, count[there] * book.weights.student])
    if len(others):
        _add_travel(book, rows, rooms, places, others, hards, costs, hard, soft)
    if rooms[0] >= 0:
        _add_rooms(book, rows, rooms, places, hard)
    return hard, soft


def _breaks(
    book: RuleBook,
    these: NDArray[np.int64],
    code: int,
    rows: NDArray[np.int64],
    rooms: NDArray[np.int64],
    places: Places,
) -> NDArray[np.int64]:
    """Tell which options break which rules of a kind, (rules, times or rooms)."""
    others = book.other[these]
    if code in ROOM_KINDS:
        same = rooms == places.rooms[others][:, None]
        return (~same if code == ROOM_KINDS[0] else same).astype(np.int64)
    a, b = rows[None, :], places.rows[others][:, None]
    parameter = book.parameter[these][:, None]
    rule = RULES[KINDS[code]]
    if code != IN_ORDER:
        return (~rule(book.options, a, b, parameter)).astype(np.int64)
    first, second = rule(book.options, a, b, parameter), rule(book.options, b, a, parameter)
    return (~np.where(book.second[these][:, None], second, first)).astype(np.int64)


def _add_travel(
    book: RuleBook,
    rows: NDArray[np.int64],
    rooms: NDArray[np.int64],
    places: Places,
    others: NDArray[np.int64],
    hards: NDArray[np.int64],
    costs: NDArray[np.int64],
    hard: NDArray[np.int64],
    soft: NDArray[np.int64],
) -> None:
    """Add what students or teachers cannot attend, by the gaps and the ways between rooms."""
    gaps = book.gaps(rows[None, :], places.rows[others][:, None])
    ways = book.travel[places.rooms[others]][:, rooms]
    which, t = np.nonzero(gaps < ways.max(axis=1)[:, None])
    late = gaps[which, t][:, None] < ways[which]
    if hards.any():
        np.add.at(hard, t, late * hards[which][:, None])
    if costs.any():
        np.add.at(soft, t, late * costs[which][:, None])


def _add_rooms(
    book: RuleBook,
    rows: NDArray[np.int64],
    rooms: NDArray[np.int64],
    places: Places,
    hard: NDArray[np.int64],
) -> None:
    """Add the classes that are in a room at a time."""
    column = np.full(book.n_rooms + 1, -1)
    column[rooms] = np.arange(len(rooms))
    others = np.flatnonzero((places.rows >= 0) & (column[places.rooms] >= 0))
    overlap = book.options.overlap(rows[:, None], places.rows[others][None, :])
    t, which = np.nonzero(overlap)
    np.add.at(hard, (t, column[places.rooms[others[which]]]), 1)
