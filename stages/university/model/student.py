"""A student."""

from dataclasses import dataclass

from ..errors import InstanceError
from .checks import identifier
from .limits import MAX_COURSES_OF_A_STUDENT


@dataclass(frozen=True, slots=True)
class Student:
    """A student and the courses that they ask for.

    Parameters
    ----------
    id
        Name in files, without blanks.
    courses
        Ids of courses, each once.

    Raises
    ------
    InstanceError
        If an id cannot stand in a file, or a course is there twice.
    """

    __module__ = "schoolbell.stages.university"

    id: str
    courses: tuple[str, ...]

    def __post_init__(self) -> None:
        identifier(self.id, "student id")
        courses = tuple(identifier(one, f"course of student {self.id}") for one in self.courses)
        if len(set(courses)) < len(courses):
            raise InstanceError(f"a course of student {self.id} twice", "each course once")
        if len(courses) > MAX_COURSES_OF_A_STUDENT:
            found = f"{len(courses):,} courses of student {self.id}"
            raise InstanceError(found, f"at most {MAX_COURSES_OF_A_STUDENT}")
        object.__setattr__(self, "courses", courses)
