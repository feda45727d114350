"""The hard constraints in the search: which courses clash, and the violations that a move adds."""

from numba import int64, uint64

from ....search.compiling import inner
from .weights import enabled


@inner
def courses_have_bits(problem):
    """Tell whether each course has a bit of its own in the matrix of conflicts."""
    return len(problem.students) <= problem.conflict_bits.shape[1] << 6


@inner
def in_conflict(problem, course, other):
    """Tell whether two courses share a teacher or a curriculum."""
    columns = problem.conflict_bits.shape[1] << 6
    column = other & (columns - 1)
    bits = problem.conflict_bits[course, column >> 6] >> uint64(column & 63)
    if bits & uint64(1) == 0:
        return 0
    if courses_have_bits(problem):
        return 1
    low, high = problem.conflict_starts[course], problem.conflict_starts[course + 1]
    while low < high:
        middle = (low + high) >> 1
        if problem.conflict_courses[middle] < other:
            low = middle + 1
        else:
            high = middle
    found = low < problem.conflict_starts[course + 1] and problem.conflict_courses[low] == other
    return int64(found)


@inner
def shift_violations(problem, timetable, lecture, p2, r2):
    """Count the violations that a lecture's move to a free cell adds."""
    course = problem.course[lecture]
    p1, r1 = timetable.period[lecture], timetable.room[lecture]
    change = 0
    if p1 != p2:
        change += timetable.conflicts[p2, course] if p2 >= 0 else 1
        change -= timetable.conflicts[p1, course] if p1 >= 0 else 1
    if enabled(problem.hard_suitability):
        change += p2 >= 0 and problem.unsuitable[course, r2]
        change -= p1 >= 0 and problem.unsuitable[course, r1]
    return change


@inner
def pair_violations(problem, timetable, first, second):
    """Count the violations that two lectures' exchange of cells adds."""
    c, d = problem.course[first], problem.course[second]
    p1, r1 = timetable.period[first], timetable.room[first]
    p2, r2 = timetable.period[second], timetable.room[second]
    change = 0
    if p1 != p2:
        conflicts = timetable.conflicts
        change += conflicts[p2, c] - conflicts[p1, c] + conflicts[p1, d] - conflicts[p2, d]
        change -= 2 * in_conflict(problem, c, d)
    if enabled(problem.hard_suitability):
        change += problem.unsuitable[c, r2] - problem.unsuitable[c, r1]
        change += problem.unsuitable[d, r1] - problem.unsuitable[d, r2]
    return change
