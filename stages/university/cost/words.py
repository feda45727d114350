"""Places of a timetable in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from ..model.time import Time

if TYPE_CHECKING:
    from ..model.solution import Solution

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def day_name(day: int) -> str:
    """Return the short name of a day, by its number from 0."""
    return DAYS[day] if day < len(DAYS) else f"day {day + 1}"


def clock(slot: int, slots_per_day: int) -> str:
    """Return the time of day at which a slot begins: ``"08:30"``."""
    hours, minutes = divmod(slot * 1440 // slots_per_day, 60)
    return f"{hours:02}:{minutes:02}"


def numbers(bits: str) -> Iterator[int]:
    """Yield the positions of the ones in a text of bits."""
    return (k for k, bit in enumerate(bits) if bit == "1")


def week_names(weeks: str) -> str:
    """Return the numbers of weeks, from 1, with runs and steps of two drawn together.

    ``"1-6, 8"``; every other week is ``"1, 3 … 13"``.
    """
    found = [week + 1 for week in numbers(weeks)]
    if len(found) > 3 and {b - a for a, b in pairwise(found)} == {2}:
        return f"{found[0]}, {found[1]} … {found[-1]}"
    runs = [
        [week for _, week in run]
        for _, run in groupby(enumerate(found), key=lambda pair: pair[1] - pair[0])
    ]
    return ", ".join(
        f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs
    )


def time_words(time: Time, slots_per_day: int) -> str:
    """Return a time in words: ``"Mon, Wed 08:00-09:30, weeks 1-13"``."""
    days = ", ".join(day_name(day) for day in numbers(time.days))
    span = f"{clock(time.start, slots_per_day)}-{clock(time.end, slots_per_day)}"
    return f"{days} {span}, weeks {week_names(time.weeks)}"


def class_words(solution: Solution, k: int) -> str:
    """Return a class with where it is: ``"class 12 (Mon 08:00-09:30, weeks 1-13, room A)"``."""
    one = solution.instance.classes[k]
    if solution.times[k] < 0:
        return f"class {one.id}"
    where = time_words(one.times[solution.times[k]], solution.instance.slots_per_day)
    if solution.rooms[k] >= 0:
        where += f", room {solution.instance.rooms[solution.rooms[k]].id}"
    return f"class {one.id} ({where})"
