"""Which classes break required rules."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..cost import global_rules
from ..cost.class_rules import room_conflicts
from ..cost.pair_rules import RULES
from ..cost.placed_classes import PlacedClasses
from .option_costs import Places
from .rule_book import ATTENDED, KINDS, ROOM_KINDS, RuleBook


def troubled(book: RuleBook, places: Places) -> NDArray[np.bool_]:
    """Tell which classes have no time or break a required rule, (n_classes,)."""
    found = places.rows < 0
    owner = np.repeat(np.arange(book.n_classes), np.diff(book.starts))
    there = (book.hard > 0) & ~found[owner] & ~found[book.other] & ~book.second
    for code in range(len(KINDS)):
        rows = np.flatnonzero(there & (book.kind == code))
        if not len(rows):
            continue
        i, j = owner[rows], book.other[rows]
        a, b = places.rows[i], places.rows[j]
        if code == ATTENDED:
            broken = book.gaps(a, b) < book.travel[places.rooms[i], places.rooms[j]]
        elif code in ROOM_KINDS:
            broken = (places.rooms[i] == places.rooms[j]) != (code == ROOM_KINDS[0])
        else:
            broken = ~RULES[KINDS[code]](book.options, a, b, book.parameter[rows])
        found[i[broken]] = found[j[broken]] = True
    found[room_conflicts(_placed(book, places)).ravel()] = True
    for k in np.flatnonzero(places.rows >= 0).tolist():
        found[k] |= _is_closed(book, k, places)
    for rule in book.global_rules:
        if rule.penalty is None:
            rows = places.rows[rule.classes]
            broken = global_rules.RULES[rule.kind](book.options, rows[rows >= 0], *rule.parameters)
            found[rule.classes] |= next(broken, None) is not None
    return found


def _placed(book: RuleBook, places: Places) -> PlacedClasses:
    rows, tables = places.rows, book.tables
    placed = rows >= 0
    days, weeks, start, end = (
        np.where(placed, column[rows], 0)
        for column in (tables.days, tables.weeks, tables.start, tables.end)
    )
    return PlacedClasses(placed, days, weeks, start, end, places.rooms, tables.travel)


def _is_closed(book: RuleBook, k: int, places: Places) -> bool:
    """Tell whether a class has none of its rooms, or one that is closed."""
    room = np.flatnonzero(book.rooms(k) == places.rooms[k])
    if not len(room):
        return True
    return bool(book.closed(k)[places.rows[k] - book.tables.time_starts[k], room[0]])
