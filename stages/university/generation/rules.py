"""Distributions that the hidden timetable keeps, and others that it may break."""

from collections import defaultdict
from collections.abc import Callable, Hashable

import numpy as np

from ..model.distribution import Distribution
from .structure import ClassDraft

Key = Callable[[ClassDraft], Hashable]

# How many of 100 distributions, how many are required of ten, parameters to choose from, and
# what the classes of a required one should have in common.
_SHAPES: dict[str, tuple[float, int, tuple[str, ...], Key | None]] = {
    "SameAttendees": (52, 9, ("",), None),
    "NotOverlap": (12, 6, ("",), None),
    "SameDays": (6, 7, ("",), lambda draft: draft.days),
    "WorkDay": (6, 8, ("(72)", "(96)", "(120)"), None),
    "DifferentDays": (6, 6, ("",), None),
    "Precedence": (5, 7, ("",), None),
    "SameTime": (3, 8, ("",), lambda draft: (draft.start, draft.length)),
    "SameRoom": (3, 7, ("",), lambda draft: draft.room if draft.room >= 0 else None),
    "MinGap": (2, 3, ("(6)", "(12)"), None),
    "SameStart": (1, 8, ("",), lambda draft: draft.start),
    "DifferentTime": (1, 5, ("",), None),
    "SameWeeks": (0.5, 7, ("",), lambda draft: draft.weeks),
    "DifferentWeeks": (0.3, 3, ("",), None),
    "DifferentRoom": (0.4, 6, ("",), None),
    "Overlap": (0.3, 3, ("",), None),
    "MaxDays": (0.5, 5, ("(3)", "(4)"), None),
    "MaxDayLoad": (0.5, 6, ("(72)", "(96)"), None),
    "MaxBreaks": (0.5, 5, ("(1,12)", "(2,12)"), None),
    "MaxBlock": (0.5, 6, ("(48,6)", "(72,6)"), None),
}


def draw_rules(
    drafts: list[ClassDraft], rng: np.random.Generator
) -> list[tuple[Distribution, bool]]:
    """Draw distributions, about 1.3 a class, and whether each is to be required.

    All have a penalty: whether the hidden timetable keeps them has yet to be seen.
    """
    kinds = list(_SHAPES)
    parts = np.array([shape[0] for shape in _SHAPES.values()])
    groups: dict[str, list[list[int]]] = {}
    drawn = []
    for kind in rng.choice(kinds, size=round(1.3 * len(drafts)), p=parts / parts.sum()).tolist():
        _, tenths, parameters, key = _SHAPES[kind]
        required = bool(rng.integers(10) < tenths)
        size = 2 + int(rng.integers(5) == 0) + int(rng.integers(12) == 0)
        if kind.startswith("Max"):
            size += int(rng.integers(2, 6))
        if kind not in groups:
            groups[kind] = _groups(drafts, key)
        pools = groups[kind]
        if required and key is not None and pools:
            pool = pools[int(rng.integers(len(pools)))]
        else:
            # Neighbours share a course, a teacher or students.
            first = int(rng.integers(len(drafts)))
            pool = list(range(first, min(len(drafts), first + 3 * size)))
        classes = rng.permutation(pool)[:size].tolist()
        if kind == "Precedence" and required:
            classes.sort(key=lambda k: _first_meeting(drafts[k]))
        parameter = parameters[int(rng.integers(len(parameters)))]
        names = tuple(str(k + 1) for k in classes)
        penalty = int(rng.choice([1, 2, 4, 10]))
        drawn.append((Distribution(kind + parameter, names, penalty), required))
    return drawn


def _groups(drafts: list[ClassDraft], key: Key | None) -> list[list[int]]:
    if key is None:
        return []
    found: dict[Hashable, list[int]] = defaultdict(list)
    for k, draft in enumerate(drafts):
        found[key(draft)].append(k)
    return [group for name, group in found.items() if name is not None and len(group) > 1]


def _first_meeting(draft: ClassDraft) -> tuple[int, int, int]:
    return draft.weeks & -draft.weeks, draft.days & -draft.days, draft.start
