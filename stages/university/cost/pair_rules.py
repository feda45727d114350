"""The 15 kinds of rules between each pair of the classes of a distribution."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..model.distribution import PAIR_KINDS
from ..model.instance import Instance
from .placed_classes import PlacedClasses

Indices = NDArray[np.int64]
Rule = Callable[[PlacedClasses, Indices, Indices, NDArray[np.int64]], NDArray[np.bool_]]

# Pairs that are looked at together.
_TOGETHER = 1_000_000


def _contained(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
    both = a & b
    return (both == a) | (both == b)


def _same_time(p: PlacedClasses, i: Indices, j: Indices, _: Indices) -> NDArray[np.bool_]:
    first = (p.start[i] <= p.start[j]) & (p.end[j] <= p.end[i])
    return first | ((p.start[j] <= p.start[i]) & (p.end[i] <= p.end[j]))


def _different_time(p: PlacedClasses, i: Indices, j: Indices, _: Indices) -> NDArray[np.bool_]:
    return (p.end[i] <= p.start[j]) | (p.end[j] <= p.start[i])


def _first_bit(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    # As a power of two: only the order counts.
    return bits & -bits


def _precedence(p: PlacedClasses, i: Indices, j: Indices, _: Indices) -> NDArray[np.bool_]:
    week_i, week_j = _first_bit(p.weeks[i]), _first_bit(p.weeks[j])
    day_i, day_j = _first_bit(p.days[i]), _first_bit(p.days[j])
    same_day = (week_i == week_j) & (day_i == day_j)
    earlier_day = (week_i == week_j) & (day_i < day_j)
    return (week_i < week_j) | earlier_day | (same_day & (p.end[i] <= p.start[j]))


def _work_day(p: PlacedClasses, i: Indices, j: Indices, most: Indices) -> NDArray[np.bool_]:
    span = np.maximum(p.end[i], p.end[j]) - np.minimum(p.start[i], p.start[j])
    return ~p.meet(i, j) | (span <= most)


RULES: dict[str, Rule] = {
    "SameStart": lambda p, i, j, _: p.start[i] == p.start[j],
    "SameTime": _same_time,
    "DifferentTime": _different_time,
    "SameDays": lambda p, i, j, _: _contained(p.days[i], p.days[j]),
    "DifferentDays": lambda p, i, j, _: (p.days[i] & p.days[j]) == 0,
    "SameWeeks": lambda p, i, j, _: _contained(p.weeks[i], p.weeks[j]),
    "DifferentWeeks": lambda p, i, j, _: (p.weeks[i] & p.weeks[j]) == 0,
    "SameRoom": lambda p, i, j, _: p.room[i] == p.room[j],
    "DifferentRoom": lambda p, i, j, _: p.room[i] != p.room[j],
    "Overlap": lambda p, i, j, _: p.overlap(i, j),
    "NotOverlap": lambda p, i, j, _: ~p.overlap(i, j),
    "SameAttendees": lambda p, i, j, _: p.attendable(i, j),
    "Precedence": _precedence,
    "WorkDay": _work_day,
    "MinGap": lambda p, i, j, gap: p.apart(i, j, gap),  # pyright: ignore[reportArgumentType]
}
"""Tells of each kind which pairs keep it: of placed classes, first and second of each pair
in the order of the distribution, and its parameter."""


@lru_cache(maxsize=256)
def _corners(n: int) -> tuple[Indices, Indices]:
    i, j = np.triu_indices(n, 1)
    return i, j


def pairs_of(instance: Instance, kind: str) -> Iterator[tuple[Indices, Indices, Indices]]:
    """Yield the pairs of all distributions of a kind, some together.

    Yields
    ------
    tuple of arrays
        Position of the distribution, first class and second class of each pair.
    """
    rows: list[tuple[Indices, Indices, Indices]] = []
    size = 0
    for k, distribution in enumerate(instance.distributions):
        if distribution.kind != kind or len(distribution.classes) < 2:
            continue
        classes = np.array([instance.class_positions[one] for one in distribution.classes])
        first, second = _corners(len(classes))
        rows.append((np.full(len(first), k), classes[first], classes[second]))
        size += len(first)
        if size >= _TOGETHER:
            yield _joined(rows)
            rows, size = [], 0
    if rows:
        yield _joined(rows)


def _joined(rows: list[tuple[Indices, Indices, Indices]]) -> tuple[Indices, Indices, Indices]:
    of, first, second = (np.concatenate(column) for column in zip(*rows, strict=True))
    return of, first, second


def violated_pairs(placed: PlacedClasses, instance: Instance) -> NDArray[np.int64]:
    """Find the pairs of placed classes that break a distribution over pairs.

    Returns
    -------
    array
        Rows ``(distribution, first class, second class)``, shape (n, 3), ascending by
        distribution.
    """
    found = [np.empty((0, 3), np.int64)]
    parameter = np.array([(*one.parameters, 0)[0] for one in instance.distributions], np.int64)
    for kind in PAIR_KINDS:
        for of, i, j in pairs_of(instance, kind):
            holds = RULES[kind](placed, i, j, parameter[of])
            wrong = ~holds & placed.placed[i] & placed.placed[j]
            found.append(np.stack([of[wrong], i[wrong], j[wrong]], axis=1))
    pairs = np.concatenate(found)
    return pairs[np.argsort(pairs[:, 0], kind="stable")]
