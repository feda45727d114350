"""A class: what takes place at one time in one room."""

from dataclasses import dataclass

from ..errors import InstanceError
from .checks import identifier, parts, shown, whole_number
from .limits import MAX_NUMBER
from .room_option import RoomOption
from .time import Time


@dataclass(frozen=True, slots=True)
class CourseClass:
    """A class with the times and rooms that it may have.

    Parameters
    ----------
    id
        Name in files, without blanks.
    limit
        Most students that attend.
    times
        Times of which it gets one; no two differ in the penalty or the length alone,
        since a solution tells them by days, start and weeks.
    rooms
        Rooms of which it gets one, as `RoomOption` or as ``(room id, penalty)``; none of
        a class that needs no room.
    parent
        Id of the class, of another subpart of the configuration, that its students
        attend too.

    Raises
    ------
    InstanceError
        If an id cannot stand in a file, an option is listed twice, or a number is
        impossible.
    """

    __module__ = "schoolbell.stages.university"

    id: str
    limit: int
    times: tuple[Time, ...]
    rooms: tuple[RoomOption, ...] = ()
    parent: str | None = None

    def __post_init__(self) -> None:
        identifier(self.id, "class id")
        of = f"of class {self.id}"
        if self.parent is not None:
            identifier(self.parent, f"parent {of}")
        limit = whole_number(self.limit, 0, MAX_NUMBER, f"limit {of}")
        object.__setattr__(self, "limit", limit)
        times = parts("times", self.times, Time, 1)
        known = set()
        for time in times:
            key = (time.days, time.start, time.weeks)
            if key in known:
                found = f"a second time {of} on days {time.days} from {time.start}"
                raise InstanceError(f"{found} in weeks {time.weeks}", "each time once")
            if "1" not in time.days or "1" not in time.weeks:
                raise InstanceError(f"a time {of} without a day or a week", "one of each or more")
            known.add(key)
        object.__setattr__(self, "times", times)
        rooms = tuple(_room_option(room, self.id) for room in self.rooms)
        if len({room.room for room in rooms}) < len(rooms):
            raise InstanceError(f"a room {of} twice", "each room once")
        object.__setattr__(self, "rooms", rooms)

    @property
    def needs_room(self) -> bool:
        """Whether it takes place in a room."""
        return bool(self.rooms)


def _room_option(value: object, of: str) -> RoomOption:
    if isinstance(value, RoomOption):
        return value
    if isinstance(value, tuple) and len(value) == 2:
        return RoomOption(*value)
    found = f"room {shown(value)} of class {of}"
    raise InstanceError(found, "a RoomOption, or a pair of a room's id and a penalty")
