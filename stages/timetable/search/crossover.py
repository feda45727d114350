"""Children of two timetables."""

import numpy as np
from numpy.typing import NDArray

from ...search.compiling import NOWHERE, kernel
from ..constraints.search.days import day_cost, slots_of
from ..constraints.search.terms import course_total, room_cost
from .placement import place_best
from .search_problem import SearchProblem
from .timetable import Timetable, can_enter, empty_timetable, shift


def cross(
    problem: SearchProblem,
    first: tuple[NDArray[np.int64], NDArray[np.int64]],
    second: tuple[NDArray[np.int64], NDArray[np.int64]],
    from_second: NDArray[np.bool_],
    rng: NDArray[np.uint64],
    violation: float = 100.0,
) -> Timetable:
    """Make a child that has some courses from one timetable and the rest from another.

    The courses taken from the second parent stand exactly as they did there.
    The others stand as in the first unless their cell is taken; what is left
    over goes where it costs least.

    Parameters
    ----------
    first, second
        Periods and rooms of the parents' lectures, int64 (n_lectures,) each.
    from_second
        The courses that the second parent gives, bool (n_courses,).
    rng
        Random state, uint64 (4,).
    violation
        Cost that one violation counts as.
    """
    child = empty_timetable(problem)
    _cross(problem, child, *first, *second, from_second, rng, violation)
    return child


@kernel
def _cross(problem, child, period, room, other_period, other_room, from_other, rng, violation):
    n_lectures = len(period)
    for lecture in range(n_lectures):
        if from_other[problem.course[lecture]] and other_period[lecture] >= 0:
            shift(problem, child, lecture, other_period[lecture], other_room[lecture])
    for lecture in range(n_lectures):
        p, r = period[lecture], room[lecture]
        if from_other[problem.course[lecture]] or p < 0 or child.cell[p, r] >= 0:
            continue
        if can_enter(problem, child, lecture, p):
            shift(problem, child, lecture, p, r)
    for lecture in range(n_lectures):
        if child.period[lecture] < 0:
            place_best(problem, child, lecture, violation, NOWHERE, rng)


@kernel
def cluster_costs(problem, timetable, clusters, n_clusters, violation):
    """Share a timetable's cost out to clusters of courses.

    A conflict counts for each of its courses; a curriculum's day for the
    curriculum's courses in equal parts.

    Parameters
    ----------
    clusters
        Cluster of each course, int64 (n_courses,).

    Returns
    -------
    NDArray[np.float64]
        Cost by cluster, shape (n_clusters,).
    """
    costs = np.zeros(n_clusters)
    sizes = np.zeros(len(problem.multiplicity))
    for k in range(len(problem.curricula)):
        sizes[problem.curricula[k]] += 1.0
    by_curriculum = np.zeros(len(problem.multiplicity))
    for q in range(len(by_curriculum)):
        for day in range(timetable.mask.shape[1]):
            by_curriculum[q] += day_cost(problem, slots_of(timetable, q, day))
        by_curriculum[q] *= problem.multiplicity[q] / sizes[q]
    for course in range(len(problem.students)):
        cost = float(course_total(problem, timetable, course))
        for lecture in range(problem.starts[course], problem.starts[course + 1]):
            p = timetable.period[lecture]
            if p < 0:
                cost += violation
                continue
            cost += violation * timetable.conflicts[p, course]
            cost += room_cost(problem, course, timetable.room[lecture])
        for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
            cost += by_curriculum[problem.curricula[k]]
        costs[clusters[course]] += cost
    return costs
