"""A room."""

from dataclasses import dataclass

from .checks import MAX_PEOPLE, identifier, whole_number


@dataclass(frozen=True, slots=True)
class Room:
    """A room in a building.

    Parameters
    ----------
    id
        Name in files, without blanks.
    capacity
        Seats.
    building
        Name of the building; a number becomes its text.

    Raises
    ------
    InstanceError
        If an id cannot stand in a file or the capacity is impossible.
    """

    __module__ = "schoolbell.stages.timetable"

    id: str
    capacity: int
    building: str = "0"

    def __post_init__(self) -> None:
        identifier(self.id, "room id")
        capacity = whole_number(self.capacity, 0, MAX_PEOPLE, f"capacity of room {self.id}")
        building = identifier(str(self.building), f"building of room {self.id}")
        object.__setattr__(self, "capacity", capacity)
        object.__setattr__(self, "building", building)
