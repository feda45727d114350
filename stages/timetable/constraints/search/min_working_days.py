"""MinWorkingDays in the search: the days on which a course has lectures are counted."""

from ....search.bits import popcount
from ....search.compiling import NOWHERE, inner
from .weights import enabled, units


@inner
def change(problem, timetable, lecture, p1, p2):
    """Change of what the course lacks of days, if a lecture goes to another period."""
    course = problem.course[lecture]
    before = after = timetable.working_days[course]
    d1 = problem.day[p1] if p1 >= 0 else NOWHERE
    d2 = problem.day[p2] if p2 >= 0 else NOWHERE
    if d1 != d2:
        if d1 >= 0:
            after -= timetable.on_day[course, d1] == 1
        if d2 >= 0:
            after += timetable.on_day[course, d2] == 0
    wanted = problem.min_days[course]
    below = max(wanted - after, 0) - max(wanted - before, 0)
    return units(problem.min_working_days) * below


@inner
def total(problem, timetable, course):
    """Cost of a course, from its lectures' places alone."""
    days, n_days = 0, 0
    for one in range(problem.starts[course], problem.starts[course + 1]):
        if timetable.period[one] < 0:
            continue
        day = problem.day[timetable.period[one]]
        if enabled(problem.by_bits):
            # A week may have more days than a word has bits.
            first = True
            for two in range(problem.starts[course], one):
                p = timetable.period[two]
                first = first and (p < 0 or problem.day[p] != day)
            n_days += first
        else:
            days |= 1 << day
    if not enabled(problem.by_bits):
        n_days = popcount(days)
    return units(problem.min_working_days) * max(problem.min_days[course] - n_days, 0)


@inner
def share(problem, timetable, lecture):
    """Cost of the days that the course lacks, if another lecture shares this one's day."""
    p, course = timetable.period[lecture], problem.course[lecture]
    shares = False
    for other in range(problem.starts[course], problem.starts[course + 1]):
        if timetable.period[other] >= 0:
            day = problem.day[timetable.period[other]]
            shares = shares or (other != lecture and day == problem.day[p])
    missing = max(problem.min_days[course] - timetable.working_days[course], 0)
    return units(problem.min_working_days) * missing if shares else 0
