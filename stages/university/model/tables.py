"""An instance as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .instance import Instance
    from .time import Time


@dataclass(frozen=True, eq=False)
class Tables:
    """The times, rooms and structure of an instance's classes as arrays, read-only.

    A row of `days`, `weeks`, `start`, `end` and `time_penalty` is a time option, class by
    class; one of `room` and `room_penalty` is a room option. Bit 0 of `days` is Monday,
    bit 0 of `weeks` is the first week.

    Attributes
    ----------
    time_starts, room_starts
        First option of each class, int32 (n_classes + 1,).
    days, weeks, start, end, time_penalty
        The time options, int64.
    room, room_penalty
        The room options: position of the room, and penalty, int64.
    closed_starts
        First closed time of each room, int32 (n_rooms + 1,).
    closed_days, closed_weeks, closed_start, closed_end
        The closed times, int64.
    travel
        Slots between rooms, int32 (n_rooms + 1, n_rooms + 1); the last row and column,
        which -1 reaches, are those of no room, and 0.
    limit, parent, subpart
        Limit, parent (-1: none) and subpart of each class, int64.
    configuration
        Configuration of each subpart, int64.
    course
        Course of each configuration, int64.
    """

    time_starts: NDArray[np.int32]
    days: NDArray[np.int64]
    weeks: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    time_penalty: NDArray[np.int64]
    room_starts: NDArray[np.int32]
    room: NDArray[np.int64]
    room_penalty: NDArray[np.int64]
    closed_starts: NDArray[np.int32]
    closed_days: NDArray[np.int64]
    closed_weeks: NDArray[np.int64]
    closed_start: NDArray[np.int64]
    closed_end: NDArray[np.int64]
    travel: NDArray[np.int32]
    limit: NDArray[np.int64]
    parent: NDArray[np.int64]
    subpart: NDArray[np.int64]
    configuration: NDArray[np.int64]
    course: NDArray[np.int64]

    @classmethod
    def of(cls, instance: Instance) -> Tables:
        """Make the arrays of an instance."""
        classes = instance.classes
        times = [time for one in classes for time in one.times]
        days, weeks, start, end = _columns(times)
        closed = [time for room in instance.rooms for time in room.unavailable]
        closed_days, closed_weeks, closed_start, closed_end = _columns(closed)
        options = [option for one in classes for option in one.rooms]
        travel = np.zeros((len(instance.rooms) + 1,) * 2, np.int32)
        for a, b, slots in instance.travel:
            i, j = instance.room_positions[a], instance.room_positions[b]
            travel[i, j] = travel[j, i] = slots
        courses: list[int] = []
        configurations: list[int] = []
        for c, course in enumerate(instance.courses):
            for configuration in course.configurations:
                configurations += [len(courses)] * len(configuration.subparts)
                courses.append(c)
        of_class = np.repeat(
            np.arange(len(instance.subparts)), [len(one.classes) for one in instance.subparts]
        )
        tables = cls(
            time_starts=_starts([len(one.times) for one in classes]),
            days=days,
            weeks=weeks,
            start=start,
            end=end,
            time_penalty=np.array([time.penalty for time in times], np.int64),
            room_starts=_starts([len(one.rooms) for one in classes]),
            room=np.array([instance.room_positions[one.room] for one in options], np.int64),
            room_penalty=np.array([one.penalty for one in options], np.int64),
            closed_starts=_starts([len(room.unavailable) for room in instance.rooms]),
            closed_days=closed_days,
            closed_weeks=closed_weeks,
            closed_start=closed_start,
            closed_end=closed_end,
            travel=travel,
            limit=np.array([one.limit for one in classes], np.int64),
            parent=np.array(
                [-1 if one.parent is None else instance.class_positions[one.parent]
                 for one in classes],
                np.int64,
            ),
            subpart=of_class.astype(np.int64),
            configuration=np.array(configurations, np.int64),
            course=np.array(courses, np.int64),
        )  # fmt: skip
        for array in vars(tables).values():
            array.flags.writeable = False
        return tables


def _starts(sizes: list[int]) -> NDArray[np.int32]:
    return np.array([0, *accumulate(sizes)], np.int32)


def _columns(times: list[Time]) -> Any:
    # Few texts are many times'.
    masks: dict[str, int] = {}
    for time in times:
        for text in (time.days, time.weeks):
            if text not in masks:
                masks[text] = int(text[::-1], 2)
    columns = [(masks[one.days], masks[one.weeks], one.start, one.end) for one in times]
    return np.array(columns, np.int64).reshape(-1, 4).T.copy()
