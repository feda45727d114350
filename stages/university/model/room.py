"""A room."""

from dataclasses import dataclass

from ..errors import InstanceError
from .checks import identifier, parts, whole_number
from .limits import MAX_NUMBER
from .time import Time


@dataclass(frozen=True, slots=True)
class Room:
    """A room, and when it is closed.

    Parameters
    ----------
    id
        Name in files, without blanks.
    capacity
        Seats; for information only, since a class lists the rooms that suit it.
    unavailable
        Times at which no class may be in it; their penalties are 0.

    Raises
    ------
    InstanceError
        If the id cannot stand in a file or something else is impossible.
    """

    __module__ = "schoolbell.stages.university"

    id: str
    capacity: int = 0
    unavailable: tuple[Time, ...] = ()

    def __post_init__(self) -> None:
        identifier(self.id, "room id")
        capacity = whole_number(self.capacity, 0, MAX_NUMBER, f"capacity of room {self.id}")
        object.__setattr__(self, "capacity", capacity)
        closed = parts("unavailable", self.unavailable, Time)
        for time in closed:
            if time.penalty:
                found = f"a penalty at which room {self.id} is closed"
                raise InstanceError(found, "a time without a penalty")
        object.__setattr__(self, "unavailable", closed)
