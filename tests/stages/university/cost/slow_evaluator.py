"""The definitions of ITC-2019 again, meeting by meeting and slot by slot, in plain Python."""

from itertools import combinations

from schoolbell.stages.university import Solution


class Placed:
    def __init__(self, solution, k):
        instance = solution.instance
        time = instance.classes[k].times[solution.times[k]]
        self.id = instance.classes[k].id
        self.days = {d for d in range(instance.days) if time.days[d] == "1"}
        self.weeks = {w for w in range(instance.weeks) if time.weeks[w] == "1"}
        self.s, self.e = time.start, time.start + time.length
        self.slots = set(range(self.s, self.e))
        room = solution.rooms[k]
        self.room = None if room < 0 else instance.rooms[room].id

    def meetings(self):
        return {(w, d) for w in self.weeks for d in self.days}


def travel(instance, a, b):
    for x, y, slots in instance.travel:
        if {x, y} == {a, b} and a != b:
            return slots
    return 0


def holds(instance, kind, p, a, b):
    meet = bool(a.meetings() & b.meetings())
    if kind == "SameStart":
        return a.s == b.s
    if kind == "SameTime":
        return a.slots <= b.slots or b.slots <= a.slots
    if kind == "DifferentTime":
        return not a.slots & b.slots
    if kind == "SameDays":
        return a.days <= b.days or b.days <= a.days
    if kind == "DifferentDays":
        return a.days.isdisjoint(b.days)
    if kind == "SameWeeks":
        return a.weeks <= b.weeks or b.weeks <= a.weeks
    if kind == "DifferentWeeks":
        return a.weeks.isdisjoint(b.weeks)
    if kind == "SameRoom":
        return a.room == b.room
    if kind == "DifferentRoom":
        return a.room != b.room
    if kind == "Overlap":
        return meet and bool(a.slots & b.slots)
    if kind == "NotOverlap":
        return not (meet and a.slots & b.slots)
    if kind == "SameAttendees":
        way = travel(instance, a.room, b.room)
        return not meet or a.e + way <= b.s or b.e + way <= a.s
    if kind == "Precedence":
        first = (min(a.weeks), min(a.days)), (min(b.weeks), min(b.days))
        return first[0] < first[1] or (first[0] == first[1] and a.e <= b.s)
    if kind == "WorkDay":
        return not meet or max(a.slots | b.slots) + 1 - min(a.slots | b.slots) <= p[0]
    assert kind == "MinGap"
    return not meet or a.e + p[0] <= b.s or b.e + p[0] <= a.s


def blocks(classes, gap):
    """Merge neighbours until nothing merges."""
    found = [[one] for one in classes]
    merged = True
    while merged:
        merged = False
        for x, y in combinations(found, 2):
            s1, e1 = min(c.s for c in x), max(c.e for c in x)
            s2, e2 = min(c.s for c in y), max(c.e for c in y)
            if s2 - e1 <= gap and s1 - e2 <= gap:
                found.remove(x)
                found.remove(y)
                found.append(x + y)
                merged = True
                break
    return found


def excess(instance, kind, p, classes):
    if kind == "MaxDays":
        return max(0, len(set().union(*(c.days for c in classes))) - p[0])
    total = 0
    for meeting in {m for c in classes for m in c.meetings()}:
        there = [c for c in classes if meeting in c.meetings()]
        if kind == "MaxDayLoad":
            total += max(0, sum(c.e - c.s for c in there) - p[0])
        elif kind == "MaxBreaks":
            total += max(0, len(blocks(there, p[1])) - p[0] - 1)
        else:
            total += sum(
                len(b) > 1 and max(c.e for c in b) - min(c.s for c in b) > p[0]
                for b in blocks(there, p[1])
            )
    return total


GLOBAL = ("MaxDays", "MaxDayLoad", "MaxBreaks", "MaxBlock")


def slow_evaluation(solution: Solution):
    """Return violations by rule, and units by part."""
    instance = solution.instance
    classes = instance.classes
    placed = {k: Placed(solution, k) for k in range(len(classes)) if solution.times[k] >= 0}
    hard = dict.fromkeys(
        ("Times", "Rooms", "ClosedRooms", "RoomConflicts", "Distributions", "Students", "Limits"),
        0,
    )
    units = dict.fromkeys(("time", "room", "distribution", "student"), 0)
    for k, one in enumerate(classes):
        options = {option.room: option.penalty for option in one.rooms}
        room = None if solution.rooms[k] < 0 else instance.rooms[solution.rooms[k]].id
        if k in placed:
            units["time"] += one.times[solution.times[k]].penalty
        else:
            hard["Times"] += 1
        if room in options:
            units["room"] += options[room]
        elif room is not None or options:
            hard["Rooms"] += 1
        if k in placed and room is not None:
            here = placed[k]
            for closed in instance.rooms[solution.rooms[k]].unavailable:
                hard["ClosedRooms"] += any(
                    closed.weeks[w] == "1"
                    and closed.days[d] == "1"
                    and here.slots & set(range(closed.start, closed.start + closed.length))
                    for w, d in here.meetings()
                )
    for i, j in combinations(placed, 2):
        a, b = placed[i], placed[j]
        if a.room is not None and a.room == b.room:
            hard["RoomConflicts"] += bool(a.meetings() & b.meetings() and a.slots & b.slots)
    for distribution in instance.distributions:
        there = [instance.class_positions[one] for one in distribution.classes]
        there = [placed[k] for k in there if k in placed]
        kind, p = distribution.kind, distribution.parameters
        if kind in GLOBAL:
            count = excess(instance, kind, p, there)
        else:
            count = sum(not holds(instance, kind, p, a, b) for a, b in combinations(there, 2))
        if distribution.penalty is None:
            hard["Distributions"] += count
        elif kind in GLOBAL[1:]:
            units["distribution"] += distribution.penalty * count // instance.weeks
        else:
            units["distribution"] += distribution.penalty * count
    for s, student in enumerate(instance.students):
        attended = {k for who, k in solution.enrolments.tolist() if who == s}
        hard["Students"] += _wrong_courses(instance, student, attended)
        for i, j in combinations(sorted(attended & set(placed)), 2):
            units["student"] += not holds(instance, "SameAttendees", (), placed[i], placed[j])
    for k, one in enumerate(classes):
        students = sum(1 for _, attended in solution.enrolments.tolist() if attended == k)
        hard["Limits"] += max(0, students - one.limit)
    return hard, units


def _wrong_courses(instance, student, attended):
    wrong = 0
    for course in instance.courses:
        of_course = {
            instance.class_positions[one.id]
            for configuration in course.configurations
            for subpart in configuration.subparts
            for one in subpart.classes
        }
        mine = attended & of_course
        if course.id not in student.courses:
            wrong += len(mine)
            continue
        good = False
        for configuration in course.configurations:
            groups = [
                {instance.class_positions[one.id] for one in subpart.classes}
                for subpart in configuration.subparts
            ]
            if mine <= set().union(*groups) and all(len(mine & group) == 1 for group in groups):
                parents = {instance.classes[k].parent for k in mine} - {None}
                good = {instance.class_positions[one] for one in parents} <= mine
        wrong += not good
    return wrong
