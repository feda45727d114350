"""A course."""

from dataclasses import dataclass

from ..errors import InstanceError
from .checks import MAX_PEOPLE, identifier, whole_number

MAX_LECTURES = 10_000
"""Most lectures of a course; an instance allows no more than its periods."""


@dataclass(frozen=True, slots=True)
class Course:
    """A course with all its lectures of a week.

    Parameters
    ----------
    id
        Name in files, without blanks.
    teacher
        Who gives it; courses of one teacher never meet.
    lectures
        Lectures a week, 1 or more.
    min_working_days
        Days over which the lectures should be spread; real files ask for more
        days than there are lectures, so it is not bounded by them.
    students
        Students who attend.
    double_lectures
        Whether lectures of one day should follow each other in one room.

    Raises
    ------
    InstanceError
        If an id cannot stand in a file or a number is impossible.
    """

    __module__ = "schoolbell.stages.timetable"

    id: str
    teacher: str
    lectures: int
    min_working_days: int
    students: int
    double_lectures: bool = False

    def __post_init__(self) -> None:
        identifier(self.id, "course id")
        of = f"of course {self.id}"
        identifier(self.teacher, f"teacher {of}")
        if self.double_lectures not in (False, True):
            raise InstanceError(f"double_lectures {of} {self.double_lectures!r}", "0 or 1")
        numbers = {
            "lectures": whole_number(self.lectures, 1, MAX_LECTURES, f"lectures {of}"),
            "min_working_days": whole_number(
                self.min_working_days, 0, MAX_LECTURES, f"min_working_days {of}"
            ),
            "students": whole_number(self.students, 0, MAX_PEOPLE, f"students {of}"),
            "double_lectures": bool(self.double_lectures),
        }
        for name, number in numbers.items():
            object.__setattr__(self, name, number)
