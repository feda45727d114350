"""A subpart: classes of which a student attends one."""

from dataclasses import dataclass

from .checks import identifier, parts
from .course_class import CourseClass


@dataclass(frozen=True, slots=True)
class Subpart:
    """The lectures, or the seminars, of a configuration: one of its classes is attended.

    Parameters
    ----------
    id
        Name in files, without blanks.
    classes
        Classes of the same kind, one or more.

    Raises
    ------
    InstanceError
        If the id cannot stand in a file, or something is no class.
    """

    __module__ = "schoolbell.stages.university"

    id: str
    classes: tuple[CourseClass, ...]

    def __post_init__(self) -> None:
        identifier(self.id, "subpart id")
        object.__setattr__(self, "classes", parts("classes", self.classes, CourseClass, 1))
