"""How the parts of the cost are weighed."""

from dataclasses import dataclass, fields

from .checks import whole_number
from .limits import MAX_NUMBER


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the four parts of the cost.

    Parameters
    ----------
    time, room
        Weight of the penalties of times and of rooms.
    distribution
        Weight of the soft distributions.
    student
        Weight of a student's conflict.

    Raises
    ------
    InstanceError
        If one is no whole number of 0 or more.
    """

    __module__ = "schoolbell.stages.university"

    time: int = 1
    room: int = 1
    distribution: int = 1
    student: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = whole_number(getattr(self, field.name), 0, MAX_NUMBER, f"{field.name} weight")
            object.__setattr__(self, field.name, value)
