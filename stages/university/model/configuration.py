"""A configuration: one way to take a course."""

from dataclasses import dataclass

from .checks import identifier, parts
from .subpart import Subpart


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way to take a course: a class of every subpart is attended.

    Parameters
    ----------
    id
        Name in files, without blanks.
    subparts
        Lectures, seminars and so on, one or more.

    Raises
    ------
    InstanceError
        If the id cannot stand in a file, or something is no subpart.
    """

    __module__ = "schoolbell.stages.university"

    id: str
    subparts: tuple[Subpart, ...]

    def __post_init__(self) -> None:
        identifier(self.id, "configuration id")
        object.__setattr__(self, "subparts", parts("subparts", self.subparts, Subpart, 1))
