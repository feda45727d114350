"""A room in which a class may be taught."""

from dataclasses import dataclass

from .checks import identifier, whole_number
from .limits import MAX_NUMBER


@dataclass(frozen=True, slots=True)
class RoomOption:
    """A room that suits a class, and what it costs there.

    Parameters
    ----------
    room
        Id of the room.
    penalty
        What it costs, 0 or more.

    Raises
    ------
    InstanceError
        If the id or the number is impossible.
    """

    __module__ = "schoolbell.stages.university"

    room: str
    penalty: int = 0

    def __post_init__(self) -> None:
        identifier(self.room, "room id")
        object.__setattr__(self, "penalty", whole_number(self.penalty, 0, MAX_NUMBER, "penalty"))
