"""Moves of students among sections, and of classes with their students."""

from ...search.compiling import inner
from ...search.random import below
from .timetable import (
    ANYHOW,
    COST,
    COST_CHANGE,
    HARD,
    HARD_CHANGE,
    conflict,
    holds,
    look,
    look_at_bundle,
    put,
    take_bundle,
)

MOST_SWITCHES = 256
"""Most students that change sections with a class."""

# Ways to take a course, and other students to change with, that are tried for each student.
_WAYS = 12
_OTHERS = 8
# Courses of a student that are taken another way.
_MOST_COURSES = 12


@inner
def try_student(problem, timetable, demand, bundle, bound, violation):
    """Let a student take a course another way if energy grows by no more than a bound."""
    look_at_bundle(problem, timetable, demand, bundle, True)
    hard, cost = timetable.change[HARD_CHANGE], timetable.change[COST_CHANGE]
    if hard * violation + cost > bound:
        return False
    take_bundle(problem, timetable, demand, bundle)
    timetable.total[HARD] += hard
    timetable.total[COST] += cost
    return True


@inner
def try_exchange(problem, timetable, demand, other, bound):
    """Let two students of a course change places if energy grows by no more than a bound."""
    mine, theirs = timetable.bundle[demand], timetable.bundle[other]
    look_at_bundle(problem, timetable, demand, theirs, False)
    cost = timetable.change[COST_CHANGE]
    look_at_bundle(problem, timetable, other, mine, False)
    cost += timetable.change[COST_CHANGE]
    if cost > bound:
        return False
    take_bundle(problem, timetable, demand, theirs)
    take_bundle(problem, timetable, other, mine)
    timetable.total[COST] += cost
    return True


@inner
def try_leave(problem, timetable, k, bound, violation, rng):
    """Let a student of a class take its course the cheapest way that is without it, of some."""
    course = problem.class_course[k]
    takers = problem.takers_starts[course]
    n_takers = problem.takers_starts[course + 1] - takers
    shift = below(rng, n_takers)
    demand = -1
    for turn in range(n_takers):
        place = shift + turn
        one = problem.takers[takers + (place - n_takers if place >= n_takers else place)]
        if holds(problem, timetable.bundle[one], k):
            demand = one
            break
    if demand < 0:
        return False
    first = problem.course_starts[course]
    count = problem.course_starts[course + 1] - first
    shift = below(rng, count)
    best, best_bundle = bound, -1
    hard = cost = 0
    tried = 0
    for turn in range(count):
        at = shift + turn
        bundle = first + (at - count if at >= count else at)
        if holds(problem, bundle, k):
            continue
        look_at_bundle(problem, timetable, demand, bundle, True)
        worth = timetable.change[HARD_CHANGE] * violation + timetable.change[COST_CHANGE]
        if worth <= best:
            best, best_bundle = worth, bundle
            hard, cost = timetable.change[HARD_CHANGE], timetable.change[COST_CHANGE]
        tried += 1
        if tried == _WAYS:
            break
    if best_bundle < 0:
        return False
    take_bundle(problem, timetable, demand, best_bundle)
    timetable.total[HARD] += hard
    timetable.total[COST] += cost
    return True


@inner
def _has_conflict(problem, timetable, demand):
    """Tell whether a student cannot attend all classes of a course beside the others."""
    student = problem.demand_student[demand]
    mine = timetable.bundle[demand]
    for at in range(problem.bundle_starts[mine], problem.bundle_starts[mine + 1]):
        k = problem.bundle_classes[at]
        time, room = timetable.time[k], timetable.room[k]
        for one in range(problem.student_starts[student], problem.student_starts[student + 1]):
            bundle = timetable.bundle[one]
            for there in range(problem.bundle_starts[bundle], problem.bundle_starts[bundle + 1]):
                other = problem.bundle_classes[there]
                if other != k and conflict(
                    problem, time, room, timetable.time[other], timetable.room[other]
                ):
                    return True
    return False


@inner
def _switch(problem, timetable, demand, bundle, log, size):
    """Let a student take a course another way, and write down how it was."""
    log[size, 0], log[size, 1] = demand, timetable.bundle[demand]
    take_bundle(problem, timetable, demand, bundle)
    return size + 1


@inner
def _better_way(problem, timetable, demand, log, size, rng):
    """Let a student take a course the best way of some, alone or in another one's place."""
    course = problem.demand_course[demand]
    first = problem.course_starts[course]
    count = problem.course_starts[course + 1] - first
    if count < 2:
        return size
    best = 0
    freed = 0
    best_bundle = timetable.bundle[demand]
    shift = below(rng, count)
    for turn in range(min(count, _WAYS)):
        at = shift + turn
        bundle = first + (at - count if at >= count else at)
        if bundle != timetable.bundle[demand]:
            look_at_bundle(problem, timetable, demand, bundle, True)
            if timetable.change[HARD_CHANGE] <= 0 and timetable.change[COST_CHANGE] < best:
                best, best_bundle = timetable.change[COST_CHANGE], bundle
                freed = timetable.change[HARD_CHANGE]
    if best < 0:
        size = _switch(problem, timetable, demand, best_bundle, log, size)
        timetable.total[HARD] += freed
        timetable.total[COST] += best
        return size
    takers = problem.takers_starts[course]
    n_takers = problem.takers_starts[course + 1] - takers
    for _ in range(_OTHERS):
        other = problem.takers[takers + below(rng, n_takers)]
        mine, theirs = timetable.bundle[demand], timetable.bundle[other]
        if mine == theirs:
            continue
        look_at_bundle(problem, timetable, demand, theirs, False)
        cost = timetable.change[COST_CHANGE]
        if cost >= 0:
            continue
        look_at_bundle(problem, timetable, other, mine, False)
        cost += timetable.change[COST_CHANGE]
        if cost < 0:
            size = _switch(problem, timetable, demand, theirs, log, size)
            size = _switch(problem, timetable, other, mine, log, size)
            timetable.total[COST] += cost
            return size
    return size


@inner
def try_with_students(problem, timetable, k, course, row, option, bound, violation, log, rng):
    """Move a class, and let its students who then cannot attend change sections.

    All of it is done, or undone if energy grows by more than a bound.
    """
    before_hard, before_cost = timetable.total[HARD], timetable.total[COST]
    old_row, old_option = timetable.row[k], timetable.option[k]
    # Whatever its students cost: but nothing that is required may break.
    if not look(problem, timetable, k, row, option, 0.5 * violation, violation):
        return False
    if timetable.change[HARD_CHANGE] * violation + timetable.change[COST_CHANGE] <= bound:
        put(problem, timetable, k, row, option)
        return True
    put(problem, timetable, k, row, option)
    size = 0
    for at in range(problem.takers_starts[course], problem.takers_starts[course + 1]):
        demand = problem.takers[at]
        if size + 2 * _MOST_COURSES >= MOST_SWITCHES:
            break
        if not holds(problem, timetable.bundle[demand], k):
            continue
        student = problem.demand_student[demand]
        if not _has_conflict(problem, timetable, demand):
            continue
        first = problem.student_starts[student]
        count = problem.student_starts[student + 1] - first
        shift = below(rng, count)
        for turn in range(min(count, _MOST_COURSES)):
            place = shift + turn
            one = first + (place - count if place >= count else place)
            if _has_conflict(problem, timetable, one):
                size = _better_way(problem, timetable, one, log, size, rng)
    change = (timetable.total[HARD] - before_hard) * violation
    change += timetable.total[COST] - before_cost
    if change <= bound:
        return True
    while size > 0:
        size -= 1
        take_bundle(problem, timetable, log[size, 0], log[size, 1])
    # What the students cost is counted by the place that is left, as it was before.
    look(problem, timetable, k, old_row, old_option, ANYHOW, violation)
    put(problem, timetable, k, old_row, old_option)
    timetable.total[HARD], timetable.total[COST] = before_hard, before_cost
    return False
