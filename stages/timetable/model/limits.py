"""How large an instance may be: far beyond real ones, and still within memory."""

from typing import TYPE_CHECKING

from ..errors import InstanceError

if TYPE_CHECKING:
    from .instance import Instance

MAX_COURSES = 100_000
MAX_ROOMS = 20_000
MAX_DAYS = 366
MAX_PERIODS_PER_DAY = 288
MAX_CURRICULA = 200_000
MAX_CONSTRAINTS = 5_000_000

MAX_LECTURES_IN_ALL = 2_000_000
"""Most lectures of all courses together; each has a place in every timetable of a population."""

MAX_CELLS = 100_000_000
"""Most cells of a table such as courses by periods or courses by rooms."""

MAX_PAIRS = 50_000_000
"""Most pairs of courses that share a teacher or a curriculum, each counted in each."""

MAX_TIMESLOTS = 64
"""Most timeslots a day that the search takes: a day is a word with a bit for each of them.
Timetables of longer days can be read, evaluated and drawn."""


def check_timeslots(instance: "Instance") -> None:
    """See that a day is short enough to be searched.

    Raises
    ------
    InstanceError
        If it has more than `MAX_TIMESLOTS` timeslots.
    """
    if instance.periods_per_day > MAX_TIMESLOTS:
        raise InstanceError(
            f"{instance.periods_per_day} timeslots a day",
            f"at most {MAX_TIMESLOTS}, for which timetables can be searched",
        )
