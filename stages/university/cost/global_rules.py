"""The four kinds of rules over all classes of a distribution at once."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..model.distribution import GLOBAL_KINDS
from ..model.instance import Instance
from .placed_classes import PlacedClasses

Excess = Iterator[tuple[int, int, int]]


def _max_days(placed: PlacedClasses, classes: NDArray[np.int64], most: int) -> Excess:
    used = int(np.bitwise_or.reduce(placed.days[classes], initial=0)).bit_count()
    if used > most:
        yield used - most, -1, -1


def _daily(
    placed: PlacedClasses, classes: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], int, int]]:
    """Yield start and end of the classes of each day, ascending, with the week and the day."""
    all_days = int(np.bitwise_or.reduce(placed.days[classes], initial=0))
    all_weeks = int(np.bitwise_or.reduce(placed.weeks[classes], initial=0))
    in_order = classes[np.argsort(placed.start[classes], kind="stable")]
    for week in range(all_weeks.bit_length()):
        of_week = in_order[(placed.weeks[in_order] >> week) & 1 == 1]
        for day in range(all_days.bit_length()) if len(of_week) else ():
            there = of_week[(placed.days[of_week] >> day) & 1 == 1]
            if len(there):
                yield placed.start[there], placed.end[there], week, day


def _max_day_load(placed: PlacedClasses, classes: NDArray[np.int64], most: int) -> Excess:
    for start, end, week, day in _daily(placed, classes):
        load = int((end - start).sum())
        if load > most:
            yield load - most, week, day


def _blocks(
    start: NDArray[np.int64], end: NDArray[np.int64], gap: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return first slot, last slot and size of each block; classes start in ascending order."""
    reached = np.maximum.accumulate(end)
    first = np.flatnonzero(np.append(True, start[1:] - reached[:-1] > gap))
    last = np.append(first[1:], len(start)) - 1
    return start[first], reached[last], last - first + 1


def _max_breaks(placed: PlacedClasses, classes: NDArray[np.int64], most: int, gap: int) -> Excess:
    for start, end, week, day in _daily(placed, classes):
        blocks = len(_blocks(start, end, gap)[0])
        if blocks > most + 1:
            yield blocks - most - 1, week, day


def _max_block(placed: PlacedClasses, classes: NDArray[np.int64], most: int, gap: int) -> Excess:
    for start, end, week, day in _daily(placed, classes):
        first, last, size = _blocks(start, end, gap)
        long = int(((last - first > most) & (size > 1)).sum())
        if long:
            yield long, week, day


RULES: dict[str, Callable[..., Excess]] = {
    "MaxDays": _max_days,
    "MaxDayLoad": _max_day_load,
    "MaxBreaks": _max_breaks,
    "MaxBlock": _max_block,
}
"""Yields of each kind what is in excess: how much, in which week and on which day; -1 for
both where a rule counts all weeks together."""

AVERAGED = frozenset(GLOBAL_KINDS) - {"MaxDays"}
"""Kinds whose soft cost is divided by the number of weeks."""


def excesses(placed: PlacedClasses, instance: Instance) -> NDArray[np.int64]:
    """Find what is in excess of the distributions over all classes.

    Returns
    -------
    array
        Rows ``(distribution, excess, week, day)``, shape (n, 4), ascending by
        distribution; week and day are -1 where all weeks count together.
    """
    found = []
    for k, distribution in enumerate(instance.distributions):
        if distribution.kind not in GLOBAL_KINDS:
            continue
        classes = np.array(
            [instance.class_positions[one] for one in distribution.classes], np.int64
        )
        classes = classes[placed.placed[classes]]
        rule = RULES[distribution.kind]
        found += [(k, *row) for row in rule(placed, classes, *distribution.parameters)]
    return np.array(found, np.int64).reshape(-1, 4)
