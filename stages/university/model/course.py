"""A course, and how its classes are arranged."""

from dataclasses import dataclass

from .checks import identifier, parts
from .configuration import Configuration


@dataclass(frozen=True, slots=True)
class Course:
    """A course that students ask for: one of its configurations is attended.

    Parameters
    ----------
    id
        Name in files, without blanks.
    configurations
        Alternatives, one or more.

    Raises
    ------
    InstanceError
        If the id cannot stand in a file, or something is no configuration.
    """

    __module__ = "schoolbell.stages.university"

    id: str
    configurations: tuple[Configuration, ...]

    def __post_init__(self) -> None:
        identifier(self.id, "course id")
        configurations = parts("configurations", self.configurations, Configuration, 1)
        object.__setattr__(self, "configurations", configurations)
