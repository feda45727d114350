"""A course that is being generated."""

from dataclasses import dataclass


@dataclass
class CourseDraft:
    """A generated course with the periods that it has in the hidden timetable.

    Attributes
    ----------
    lectures, min_working_days, students, double_lectures
        As of a `Course`.
    periods
        Its periods in the hidden timetable, ascending.
    teacher
        Number of its teacher in the faculty.
    """

    lectures: int
    min_working_days: int
    students: int
    double_lectures: bool
    periods: list[int]
    teacher: int = -1
