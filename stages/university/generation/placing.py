"""The hidden timetable: a time and a room for each class, without conflicts."""

import numpy as np
from numpy.typing import NDArray

from .structure import ClassDraft

STEP = 6
"""Slots between the times at which classes may begin."""

FIRST, LAST = 96, 240
"""Slots between which classes are taught, 8:00 to 20:00."""

PATTERNS = (((0,), 24), ((0,), 18), ((0, 2), 18), ((1, 3), 18), ((0, 2, 4), 12), ((0,), 36))
"""Days, which are shifted for a single one, and slots of a class."""


def draw_weeks(n_weeks: int, rng: np.random.Generator) -> int:
    """Draw a set of weeks: all, every other one, or half of the term."""
    every = (1 << n_weeks) - 1
    odd = sum(1 << week for week in range(0, n_weeks, 2))
    half = (1 << (n_weeks // 2)) - 1
    kinds = (every, odd, every ^ odd or odd, half or every, every ^ half or every)
    return kinds[int(rng.choice(5, p=[0.76, 0.07, 0.07, 0.05, 0.05]))]


def draw_time(draft: ClassDraft, rng: np.random.Generator) -> tuple[int, int]:
    """Draw other days and another start for a class, as many days and slots as it has."""
    n_days = draft.days.bit_count()
    if n_days == 1:
        days = 1 << int(rng.integers(5))
    elif n_days == 2:
        days = (0b00101, 0b01010, 0b10100)[int(rng.integers(3))]
    else:
        days = 0b10101
    starts = (LAST - FIRST - draft.length) // STEP + 1
    return days, FIRST + STEP * int(rng.integers(starts))


def place(
    drafts: list[ClassDraft], n_weeks: int, rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Put each class somewhere; rooms are added where those there are full.

    Returns
    -------
    tuple of lists
        Seats of each room, and the building of each.
    """
    crowds = sorted((len(draft.students) for draft in drafts), reverse=True)
    # Each tenth class brings a room of its size.
    seats = [max(10, crowd + crowd // 5) for crowd in crowds[::10]]
    # For each room, day and step of the day the set of weeks in which it is taken.
    taken: list[NDArray[np.int64]] = [np.zeros((5, 48), np.int64) for _ in seats]
    for draft in drafts:
        days, draft.length = PATTERNS[int(rng.choice(6, p=[0.4, 0.2, 0.12, 0.08, 0.1, 0.1]))]
        draft.days = sum(1 << day for day in days)
        draft.weeks = draw_weeks(n_weeks, rng)
        draft.days, draft.start = draw_time(draft, rng)
        if rng.random() < 0.08:
            continue
        large = [r for r, here in enumerate(seats) if here >= len(draft.students)]
        for _ in range(40 if large else 0):
            room = large[int(rng.integers(len(large)))]
            if _take(taken[room], draft):
                draft.room = room
                break
            draft.days, draft.start = draw_time(draft, rng)
        else:
            draft.room = len(seats)
            seats.append(max(10, len(draft.students)))
            taken.append(np.zeros((5, 48), np.int64))
            _take(taken[-1], draft)
    n_buildings = max(1, len(seats) // 12)
    return seats, [int(rng.integers(n_buildings)) for _ in seats]


def _take(taken: NDArray[np.int64], draft: ClassDraft) -> bool:
    days = [day for day in range(5) if draft.days >> day & 1]
    steps = slice(draft.start // STEP, (draft.start + draft.length) // STEP)
    there = taken[days, steps]
    if (there & draft.weeks).any():
        return False
    taken[days, steps] = there | draft.weeks
    return True
