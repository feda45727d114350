"""A whole timetable built class by class, those in the way being put out again.

After the iterative forward search of UniTime (T. Müller, *Constraint-based timetabling*,
PhD thesis, Charles University, 2005).
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from ..cost import global_rules
from .option_costs import Places, blockers, option_costs
from .rule_book import RuleBook
from .sectioning import Demands, section
from .shared_students import SharedStudents
from .troubles import troubled

# Times that a class is placed, on average, until those that are left stay where they
# break the fewest rules.
MOST_STEPS = 5


def construct(
    book: RuleBook,
    demands: Demands,
    expected: SharedStudents,
    rng: np.random.Generator,
    places: Places | None = None,
) -> tuple[Places, NDArray[np.int64], NDArray[np.bool_]]:
    """Place all classes, the most constrained first, and section the students.

    A class that fits nowhere takes the place where it breaks the fewest rules, and those
    with which it breaks one are placed anew; each time that counts more against it.

    Parameters
    ----------
    book
        The rules.
    demands
        What the students ask for.
    expected
        How many students two classes will share.
    rng
        Breaks ties.
    places
        All at -1, to be filled, in which other threads can see how many classes have one.

    Returns
    -------
    tuple
        Where the classes are, rows ``(student, class)``, and which classes break a required
        rule.
    """
    n = book.n_classes
    if places is None:
        places = Places(np.full(n, -1), np.full(n, -1))
    weights = np.ones(n, np.int64)
    hardness = _hardness(book) + rng.random(n)
    queue = [(-hardness[k], k) for k in range(n)]
    heapq.heapify(queue)
    for step in range(MOST_STEPS * n):
        if not queue:
            break
        _, k = heapq.heappop(queue)
        row, room = _best(book, k, places, expected, weights, rng)
        # Towards the end nobody is put out any more.
        if step < (MOST_STEPS - 1) * n:
            for other in _in_the_way(book, k, places, row, room, rng):
                places.rows[other] = -1
                weights[other] += 1
                heapq.heappush(queue, (-hardness[other], other))
        places.rows[k], places.rooms[k] = row, room
    return places, section(book, demands, places, rng), troubled(book, places)


def _hardness(book: RuleBook) -> NDArray[np.float64]:
    """Rate how hard each class is to place: by its rules, and few options."""
    options = np.diff(book.tables.time_starts) * np.maximum(np.diff(book.tables.room_starts), 1)
    rules = np.zeros(book.n_classes)
    owner = np.repeat(np.arange(book.n_classes), np.diff(book.starts))
    np.add.at(rules, owner, book.hard > 0)
    return 3 * np.log2(1 + rules) - 2 * np.log2(options)


def _best(
    book: RuleBook,
    k: int,
    places: Places,
    expected: SharedStudents,
    weights: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[int, int]:
    """Find the option with the fewest violations, by weight, and the least cost of those."""
    hard, soft = option_costs(book, k, places, expected, weights)
    rows, rooms = book.times(k), book.rooms(k)
    rank = hard + (soft + rng.random(soft.shape)) / (2.0 + 2.0 * float(soft.max()))
    looked_at = np.zeros(len(rows), np.bool_)
    while True:
        t, r = np.unravel_index(int(rank.argmin()), rank.shape)
        if looked_at[t]:
            return int(rows[t]), int(rooms[r])
        looked_at[t] = True
        rank[t] += _excess(book, k, places, int(rows[t]))


def _excess(book: RuleBook, k: int, places: Places, row: int) -> int:
    return sum(
        sum(excess for excess, _, _ in _breaks(book, g, k, places, row))
        for g in book.globals_of[k]
        if book.global_rules[g].penalty is None
    )


def _breaks(book: RuleBook, g: int, k: int, places: Places, row: int) -> list[tuple[int, int, int]]:
    rule = book.global_rules[g]
    rows = places.rows[rule.classes[rule.classes != k]]
    rows = np.append(rows[rows >= 0], row)
    return list(global_rules.RULES[rule.kind](book.options, rows, *rule.parameters))


def _in_the_way(
    book: RuleBook, k: int, places: Places, row: int, room: int, rng: np.random.Generator
) -> list[int]:
    """List the classes that have to go if a class is put somewhere."""
    found = blockers(book, k, places, row, room).tolist()
    for g in book.globals_of[k]:
        rule = book.global_rules[g]
        if rule.penalty is not None:
            continue
        there = rule.classes[(rule.classes != k) & (places.rows[rule.classes] >= 0)]
        left = [one for one in rng.permutation(there).tolist() if one not in found]
        gone = Places(places.rows.copy(), places.rooms)
        gone.rows[found] = -1
        while left and _breaks(book, g, k, gone, row):
            found.append(left.pop())
            gone.rows[found[-1]] = -1
    return found
