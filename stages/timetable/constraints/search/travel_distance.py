"""TravelDistance in the search: a curriculum's lectures are counted by period and building."""

from ....search.compiling import NOWHERE, inner
from .curricula import has_curriculum
from .weights import units

MOST = 4
"""The most units of each curriculum that moving one lecture can win: two at either end."""


@inner
def change(problem, timetable, q, p1, r1, p2, r2):
    """Change of one curriculum's crossings, if a lecture goes elsewhere."""
    crossings = 0
    if p1 >= 0:
        crossings -= crossings_at(problem, timetable, q, p1, problem.building[r1], NOWHERE)
    if p2 >= 0:
        crossings += crossings_at(problem, timetable, q, p2, problem.building[r2], NOWHERE)
        if p1 >= 0 and abs(p1 - p2) == 1 and problem.day[p1] == problem.day[p2]:
            # The lecture does not meet itself where it was.
            crossings -= problem.building[r1] != problem.building[r2]
    return units(problem.travel_distance) * crossings


@inner
def crossings_at(problem, timetable, q, p, building, apart_from):
    """Count the lectures beside a period, one period left out, that are in other buildings."""
    crossings = 0
    if problem.slot[p] > 0 and p - 1 != apart_from:
        crossings += timetable.count[q, p - 1] - timetable.in_building[q, p - 1, building]
    if p + 1 < len(problem.day) and problem.slot[p + 1] > 0 and p + 1 != apart_from:
        crossings += timetable.count[q, p + 1] - timetable.in_building[q, p + 1, building]
    return crossings


@inner
def chain_change(problem, timetable, size0, size1, p1, p2):
    """Change of all crossings, if a Kempe chain changes sides and rooms as planned."""
    crossings = 0
    for side in range(2):
        old, new = (p1, p2) if side == 0 else (p2, p1)
        for i in range(size0 if side == 0 else size1):
            lecture = timetable.chain[side, i]
            course = problem.course[lecture]
            came = problem.building[timetable.room[lecture]]
            goes = problem.building[timetable.chain_room[side, i]]
            for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
                q = problem.curricula[k]
                met, meets = -1, -1
                if timetable.count[q, new] > 0:
                    if side == 1:
                        continue
                    met, meets = _other_side(problem, timetable, size1, q)
                crossings += problem.multiplicity[q] * (
                    _two_crossings(problem, timetable, q, old, new, meets, goes)
                    - _two_crossings(problem, timetable, q, old, new, came, met)
                )
    return units(problem.travel_distance) * crossings


@inner
def _other_side(problem, timetable, size1, q):
    """Find the old and the new building of a curriculum's lecture on the second side."""
    for i in range(size1):
        lecture = timetable.chain[1, i]
        if has_curriculum(problem, problem.course[lecture], q):
            old = problem.building[timetable.room[lecture]]
            return old, problem.building[timetable.chain_room[1, i]]
    return NOWHERE, NOWHERE


@inner
def _two_crossings(problem, timetable, q, pa, pb, building_a, building_b):
    """Count a curriculum's crossings at two periods, held in the given buildings (-1: none)."""
    crossings = 0
    if building_a >= 0:
        crossings += crossings_at(problem, timetable, q, pa, building_a, pb)
    if building_b >= 0:
        crossings += crossings_at(problem, timetable, q, pb, building_b, pa)
    beside = abs(pa - pb) == 1 and problem.day[pa] == problem.day[pb]
    if beside and building_a >= 0 and building_b >= 0:
        crossings += building_a != building_b
    return crossings


@inner
def price_rooms(problem, rooms, course, near, curriculum_at, line):
    """Charge for each curriculum whose lecture next to this one is in another building."""
    low, high = problem.course_curricula_starts[course : course + 2]
    for curriculum in problem.course_curricula[low:high]:
        other = curriculum_at[curriculum, near]
        if other >= 0 and rooms[other] >= 0:
            building = problem.building[rooms[other]]
            for room in range(len(line)):
                if problem.building[room] != building:
                    line[room] += problem.price_travel
