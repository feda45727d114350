"""What moving one lecture changes, constraint by constraint.

All functions take a lecture that is at (p1, r1) and goes to (p2, r2); a period
of -1 stands for "no place", so that the same code serves for placing and for
removing. None of them writes.
"""

from numba import int64, uint64

from ....search.bits import popcount
from ....search.compiling import NOWHERE, inner
from .days import day_cost, slot_bit, slots_of, turned, turned_at_bits
from .weights import VIOLATIONS, enabled, units


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
def shift_cost(problem, timetable, lecture, p2, r2):
    """Sum the weighted cost that a lecture's move to a free cell adds."""
    course = problem.course[lecture]
    p1, r1 = timetable.period[lecture], timetable.room[lecture]
    change = 0
    if p2 >= 0:
        change += room_cost(problem, course, r2)
    if p1 >= 0:
        change -= room_cost(problem, course, r1)
    change += course_cost(problem, timetable, lecture, p1, r1, p2, r2)
    return change + curricula_cost(problem, timetable, course, p1, r1, p2, r2, NOWHERE)


@inner
def room_cost(problem, course, room):
    """RoomCapacity, soft RoomSuitability and the tables of rooms, of a lecture in a room."""
    cost = 0
    if enabled(problem.room_capacity):
        beyond = problem.students[course] - problem.capacity[room]
        cost += units(problem.room_capacity) * max(beyond, 0)
    if enabled(problem.room_suitability):
        cost += units(problem.room_suitability) * problem.unsuitable[course, room]
    if enabled(problem.by_room):
        cost += problem.in_rooms[course, room]
    return cost


@inner
def period_cost(problem, course, p1, p2):
    """Change of the tables of periods."""
    change = int64(0)
    if p2 >= 0:
        change += problem.in_periods[course, p2]
    if p1 >= 0:
        change -= problem.in_periods[course, p1]
    return change


@inner
def course_cost(problem, timetable, lecture, p1, r1, p2, r2):
    """Change of what depends on the lecture's course."""
    change = 0
    if enabled(problem.min_working_days) and p1 != p2:
        change += working_days(problem, timetable, lecture, p1, p2)
    if enabled(problem.room_stability) and r1 != r2:
        change += room_stability(problem, timetable, lecture, r1, r2)
    if enabled(problem.double_lectures):
        course = problem.course[lecture]
        if problem.double[course]:
            weight = units(problem.double_lectures)
            before = lone_doubles(problem, timetable, course, lecture, p1, r1)
            after = lone_doubles(problem, timetable, course, lecture, p2, r2)
            change += weight * (after - before)
    if enabled(problem.by_period):
        change += period_cost(problem, problem.course[lecture], p1, p2)
    return change


@inner
def course_total(problem, timetable, course):
    """Weighted cost of what depends on one course and not on its rooms' sizes.

    From its lectures' places alone, whatever the counters say.
    """
    days, n_days, total, n_rooms = 0, 0, 0, 0
    for one in range(problem.starts[course], problem.starts[course + 1]):
        if timetable.period[one] < 0:
            continue
        if enabled(problem.by_period):
            total += period_cost(problem, course, NOWHERE, timetable.period[one])
        if enabled(problem.by_bits):
            n_days += _is_first_on_its_day(problem, timetable, one)
        else:
            days |= 1 << problem.day[timetable.period[one]]
        first = True
        for two in range(problem.starts[course], one):
            first = first and timetable.room[two] != timetable.room[one]
        n_rooms += first
    if enabled(problem.min_working_days):
        if not enabled(problem.by_bits):
            n_days = popcount(days)
        missing = max(problem.min_days[course] - n_days, 0)
        total += units(problem.min_working_days) * missing
    if enabled(problem.room_stability):
        total += units(problem.room_stability) * max(n_rooms - 1, 0)
    if enabled(problem.double_lectures) and problem.double[course]:
        alone = lone_doubles(problem, timetable, course, NOWHERE, NOWHERE, NOWHERE)
        total += units(problem.double_lectures) * alone
    return total


@inner
def _is_first_on_its_day(problem, timetable, lecture):
    """Tell whether no earlier lecture of the course is on the same day; for any number of days."""
    day = problem.day[timetable.period[lecture]]
    for other in range(problem.starts[problem.course[lecture]], lecture):
        period = timetable.period[other]
        if period >= 0 and problem.day[period] == day:
            return False
    return True


@inner
def working_days(problem, timetable, lecture, p1, p2):
    """Change of MinWorkingDays."""
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
def room_stability(problem, timetable, lecture, r1, r2):
    """Change of RoomStability."""
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
def lone_doubles(problem, timetable, course, lecture, p, r):
    """Units of DoubleLectures of a course if one of its lectures were at (p, r)."""
    alone = 0
    for one in range(problem.starts[course], problem.starts[course + 1]):
        p_one = p if one == lecture else timetable.period[one]
        r_one = r if one == lecture else timetable.room[one]
        same_day, paired = False, False
        for two in range(problem.starts[course], problem.starts[course + 1]):
            p_two = p if two == lecture else timetable.period[two]
            if one == two or p_one < 0 or p_two < 0 or problem.day[p_one] != problem.day[p_two]:
                continue
            same_day = True
            r_two = r if two == lecture else timetable.room[two]
            paired |= r_one == r_two and abs(p_one - p_two) == 1
        alone += same_day and not paired
    return alone


@inner
def curricula_cost(problem, timetable, course, p1, r1, p2, r2, partner):
    """Change of what depends on the course's curricula.

    A partner is a course that takes the lecture's place, or -1: a curriculum of
    both is in the same periods and buildings as before.
    """
    change, clean = 0, False
    if p1 >= 0 and p2 >= 0:
        clean = timetable.total[VIOLATIONS] == 0
        clean = clean and timetable.conflicts[p2, course] == (partner >= 0)
    if clean:
        if p1 != p2:
            change = clean_days(problem, timetable, course, p1, p2)
        if not enabled(problem.travel_distance):
            return change
    for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
        q = problem.curricula[k]
        if partner >= 0 and has_curriculum(problem, partner, q):
            continue
        cost = 0
        if p1 != p2 and not clean:
            cost += day_shift(problem, timetable, q, p1, p2)
        if enabled(problem.travel_distance):
            cost += travel_distance(problem, timetable, q, p1, r1, p2, r2)
        change += problem.multiplicity[q] * cost
    return change


@inner
def turned_at(problem, timetable, course, period):
    """Change of the days of a course's curricula with a lecture more or less in a period.

    One less if the course has a lecture there, else one more; nothing may clash.
    """
    if enabled(problem.by_bits):
        return turned_at_bits(problem, timetable, course, period)
    value = timetable.turning[uint64(course), problem.column[uint64(period)]]
    return int64(value) - int64(problem.zero[0])


@inner
def clean_days(problem, timetable, course, p1, p2):
    """Change of the days of a course's curricula where nothing clashes.

    Curricula with a lecture in both periods are left out: they exchange them.
    """
    day1, day2 = problem.day[p1], problem.day[p2]
    alone = timetable.conflicts[p2, course] == 0 and timetable.lecture[course, p2] < 0
    if day1 != day2 and alone:
        return turned_at(problem, timetable, course, p1) + turned_at(problem, timetable, course, p2)
    # Of what follows nothing can be foreseen, so nothing branches.
    change = int64(0)
    slot1, slot2 = uint64(problem.slot[p1]), uint64(problem.slot[p2])
    first, end = problem.curricula_starts[course], problem.curricula_starts[course + 1]
    if day1 != day2:
        for k in range(first, end):
            q = problem.curricula[k]
            new = slots_of(timetable, q, day2)
            cost = turned(problem, new, slot2)
            cost += turned(problem, slots_of(timetable, q, day1), slot1)
            there = int64((new >> slot2) & uint64(1))
            change += problem.multiplicity[q] * cost * (1 - there)
        return change
    left = uint64(1) << slot1
    for k in range(first, end):
        q = problem.curricula[k]
        old = slots_of(timetable, q, day1)
        cost = turned(problem, old, slot1) + turned(problem, old ^ left, slot2)
        there = int64((old >> slot2) & uint64(1))
        change += problem.multiplicity[q] * cost * (1 - there)
    return change


@inner
def has_curriculum(problem, course, q):
    """Tell whether a course belongs to a merged curriculum."""
    for k in range(problem.curricula_starts[course], problem.curricula_starts[course + 1]):
        if problem.curricula[k] >= q:
            return problem.curricula[k] == q
    return False


@inner
def day_shift(problem, timetable, q, p1, p2):
    """Change of IsolatedLectures, Windows and StudentMinMaxLoad of one curriculum."""
    if timetable.clash[q] > 0 or (p2 >= 0 and timetable.count[q, p2] > 0):
        return _clashing_day_shift(problem, timetable, q, p1, p2)
    if p1 >= 0 and p2 >= 0:
        return clean_day_shift(problem, timetable, q, p1, p2)
    if p1 < 0:
        new = slots_of(timetable, q, problem.day[p2])
        return day_cost(problem, new | slot_bit(problem, p2)) - day_cost(problem, new)
    old = slots_of(timetable, q, problem.day[p1])
    return day_cost(problem, old & ~slot_bit(problem, p1)) - day_cost(problem, old)


@inner
def clean_day_shift(problem, timetable, q, p1, p2):
    """Do the same where the curriculum has no clash and no lecture in the second period."""
    old = slots_of(timetable, q, problem.day[p1])
    without = old & ~slot_bit(problem, p1)
    if problem.day[p1] == problem.day[p2]:
        return day_cost(problem, without | slot_bit(problem, p2)) - day_cost(problem, old)
    new = slots_of(timetable, q, problem.day[p2])
    change = day_cost(problem, without) - day_cost(problem, old)
    return change + day_cost(problem, new | slot_bit(problem, p2)) - day_cost(problem, new)


@inner
def _clashing_day_shift(problem, timetable, q, p1, p2):
    change = 0
    d1 = problem.day[p1] if p1 >= 0 else NOWHERE
    d2 = problem.day[p2] if p2 >= 0 else NOWHERE
    if d1 >= 0:
        change -= clashing_day_cost(problem, timetable, q, d1, NOWHERE, NOWHERE)
        change += clashing_day_cost(problem, timetable, q, d1, p1, p2 if d2 == d1 else NOWHERE)
    if d2 >= 0 and d2 != d1:
        change -= clashing_day_cost(problem, timetable, q, d2, NOWHERE, NOWHERE)
        change += clashing_day_cost(problem, timetable, q, d2, NOWHERE, p2)
    return change


@inner
def clashing_day_cost(problem, timetable, q, day, less, more):
    """Cost of a curriculum's day by its counts, with a lecture less and one more."""
    slots = len(problem.day) // timetable.mask.shape[1]
    first_period = day * slots
    lectures, alone, occupied, first, last = 0, 0, 0, -1, -1
    left, mask = 0, 0
    here = _lectures_at(timetable, q, first_period, less, more)
    for slot in range(slots):
        right = 0
        if slot + 1 < slots:
            right = _lectures_at(timetable, q, first_period + slot + 1, less, more)
        if here > 0:
            lectures += here
            occupied += 1
            mask |= 1 << slot
            last = slot
            if first < 0:
                first = slot
            if left == 0 and right == 0:
                alone += here
        left, here = here, right
    if lectures == 0:
        return 0
    windows = last - first + 1 - occupied
    off_load = max(problem.min_load - lectures, 0) + max(lectures - problem.max_load, 0)
    cost = problem.isolated * alone + problem.windows * windows + problem.load * off_load
    if enabled(problem.by_day):
        cost += problem.of_days[mask]
    return cost


@inner
def _lectures_at(timetable, q, period, less, more):
    return timetable.count[q, period] - (period == less) + (period == more)


@inner
def travel_distance(problem, timetable, q, p1, r1, p2, r2):
    """Change of TravelDistance of one curriculum."""
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


@inner
def pair_room_cost(problem, first_course, r1, second_course, r2):
    """Change of the room costs when two lectures exchange rooms r1 and r2."""
    change = room_cost(problem, first_course, r2) - room_cost(problem, first_course, r1)
    return change + room_cost(problem, second_course, r1) - room_cost(problem, second_course, r2)


@inner
def pair_cost(problem, timetable, first, second):
    """Sum the cost beyond the rooms' own that two lectures' exchange of cells adds.

    The lectures belong to different courses.
    """
    c, d = problem.course[first], problem.course[second]
    p1, r1 = timetable.period[first], timetable.room[first]
    p2, r2 = timetable.period[second], timetable.room[second]
    change = course_cost(problem, timetable, first, p1, r1, p2, r2)
    change += course_cost(problem, timetable, second, p2, r2, p1, r1)
    related = in_conflict(problem, c, d) != 0
    change += curricula_cost(problem, timetable, c, p1, r1, p2, r2, d if related else NOWHERE)
    return change + curricula_cost(problem, timetable, d, p2, r2, p1, r1, c if related else NOWHERE)
