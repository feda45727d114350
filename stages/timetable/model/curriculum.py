"""A curriculum."""

from dataclasses import dataclass

from ..errors import InstanceError
from .checks import identifier


@dataclass(frozen=True, slots=True)
class Curriculum:
    """A group of courses that share students, so that none of them meet.

    Parameters
    ----------
    id
        Name in files, without blanks.
    courses
        Ids of its courses, one or more, each once.

    Raises
    ------
    InstanceError
        If the id cannot stand in a file or a course is there twice.
    """

    __module__ = "schoolbell.stages.timetable"

    id: str
    courses: tuple[str, ...]

    def __post_init__(self) -> None:
        identifier(self.id, "curriculum id")
        if isinstance(self.courses, str):
            raise InstanceError(f"the text {self.courses!r} as courses", "a list of course ids")
        courses = tuple(self.courses)
        if not courses:
            raise InstanceError(f"no course in curriculum {self.id}", "one or more")
        if len(set(courses)) != len(courses):
            twice = next(c for k, c in enumerate(courses) if c in courses[:k])
            raise InstanceError(f"course {twice} twice in curriculum {self.id}", "each once")
        object.__setattr__(self, "courses", courses)
