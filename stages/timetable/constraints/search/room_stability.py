"""RoomStability in the search: the rooms of a course are looked through, lecture by lecture."""

from ....search.compiling import inner
from .weights import units


@inner
def change(problem, timetable, lecture, r1, r2):
    """Change of the rooms of a course, if a lecture goes to another one."""
    course = problem.course[lecture]
    others, is_old, is_new = False, r1 >= 0, r2 >= 0
    for other in range(problem.starts[course], problem.starts[course + 1]):
        room = timetable.room[other]
        if other != lecture and room >= 0:
            others = True
            is_old = is_old and room != r1
            is_new = is_new and room != r2
    # The first room of a course is free.
    return units(problem.room_stability) * (is_new - is_old) if others else 0


@inner
def total(problem, timetable, course):
    """Cost of a course, from its lectures' places alone."""
    n_rooms = 0
    for one in range(problem.starts[course], problem.starts[course + 1]):
        if timetable.period[one] < 0:
            continue
        first = True
        for two in range(problem.starts[course], one):
            first = first and timetable.room[two] != timetable.room[one]
        n_rooms += first
    return units(problem.room_stability) * max(n_rooms - 1, 0)


@inner
def price_rooms(problem, rooms, lecture, line):
    """Charge for rooms in which the course has no other lecture, if it has any."""
    course = problem.course[lecture]
    others = False
    for other in range(problem.starts[course], problem.starts[course + 1]):
        if other == lecture or rooms[other] < 0:
            continue
        if not others:
            line += problem.price_stability
            others = True
        seen = False
        for earlier in range(problem.starts[course], other):
            seen |= earlier != lecture and rooms[earlier] == rooms[other]
        if not seen:
            line[rooms[other]] -= problem.price_stability
