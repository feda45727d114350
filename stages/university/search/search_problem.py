"""An instance as the kernels take it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...search.record import Record
from ..errors import InstanceError
from ..model.distribution import GLOBAL_KINDS, Distribution
from ..model.instance import Instance
from ..model.limits import MAX_SLOTS_PER_DAY
from .bundles import course_bundles
from .pair_tables import FOLLOWING, MASKS, PairTables

GAP, ATTEND, BITS, SPAN, SAME_ROOM, DIFFERENT_ROOM, OVERLAP = range(7)
"""How a rule between two classes is looked up."""

MAX_DAYS, MAX_DAY_LOAD, MAX_BREAKS, MAX_BLOCK = range(4)
"""Rules over all of some classes."""

WEEKS, DAYS, CONFLICT, DISTRIBUTION, TRAVELS = range(5)
"""Positions in `SearchProblem.numbers`."""

_GLOBAL_CODES = {kind: code for code, kind in enumerate(GLOBAL_KINDS)}

MOST_SHARED = 0x7FFF
"""Most students that two classes may have in common."""

MOST_COST = 1e12
"""Beyond it a cost is not told from others any more."""

_FAR = 4 * MAX_SLOTS_PER_DAY
"""More than any gap or span."""


@dataclass(frozen=True, eq=False)
class SearchProblem(Record):
    """The instance as arrays; costs are weighted.

    Attributes
    ----------
    time_starts, time_id, time_cost
        Time options of each class: which of the different times, and its cost.
    room_starts, room, room_cost
        Room options of each class.
    closed_starts, closed
        For each class, time and room option how many closed times they overlap.
    days, weeks, start, end
        The different times.
    gap, span, bits
        Of each two different times, as in `PairTables`.
    travel
        Slots between rooms; the last row and column are those of no room.
    hard_starts, hard_other, hard_kind, hard_parameter, hard_id
        Required rules of each class with others; both sides have the same id.
    soft_starts, soft_other, soft_kind, soft_parameter, soft_cost
        Rules of each class with others that cost.
    global_starts, global_classes, global_kind, global_first, global_second, global_cost
        Rules over all of some classes; a cost of -1 is that of a required one.
    member_starts, members
        The rules over all of some classes in which each class is.
    limit
        Limit of each class.
    bundle_starts, bundle_classes
        Classes of each bundle.
    demand_course, demand_student, student_starts
        Course of each demand, its student, and the first demand of each student.
    course_starts
        First bundle of each course.
    takers_starts, takers
        Demands of each course.
    free
        Demands of courses that have more than one bundle.
    near_starts, near
        Classes that a student may attend besides each class.
    class_course
        Course of each class.
    movable
        Classes that have more than one option.
    numbers
        Weeks, days, weights of a conflict and of distributions, and whether any travel
        takes time.
    """

    time_starts: NDArray[np.int32]
    time_id: NDArray[np.int32]
    time_cost: NDArray[np.int64]
    room_starts: NDArray[np.int32]
    room: NDArray[np.int32]
    room_cost: NDArray[np.int64]
    closed_starts: NDArray[np.int64]
    closed: NDArray[np.uint8]
    days: NDArray[np.int64]
    weeks: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    gap: NDArray[np.int16]
    span: NDArray[np.int16]
    bits: NDArray[np.int16]
    travel: NDArray[np.int16]
    hard_starts: NDArray[np.int32]
    hard_other: NDArray[np.int32]
    hard_kind: NDArray[np.int32]
    hard_parameter: NDArray[np.int32]
    hard_id: NDArray[np.int32]
    soft_starts: NDArray[np.int32]
    soft_other: NDArray[np.int32]
    soft_kind: NDArray[np.int32]
    soft_parameter: NDArray[np.int32]
    soft_cost: NDArray[np.int64]
    global_starts: NDArray[np.int32]
    global_classes: NDArray[np.int32]
    global_kind: NDArray[np.int32]
    global_first: NDArray[np.int64]
    global_second: NDArray[np.int64]
    global_cost: NDArray[np.int64]
    member_starts: NDArray[np.int32]
    members: NDArray[np.int32]
    limit: NDArray[np.int64]
    bundle_starts: NDArray[np.int32]
    bundle_classes: NDArray[np.int32]
    demand_course: NDArray[np.int32]
    demand_student: NDArray[np.int32]
    student_starts: NDArray[np.int32]
    course_starts: NDArray[np.int32]
    takers_starts: NDArray[np.int32]
    takers: NDArray[np.int32]
    free: NDArray[np.int32]
    near_starts: NDArray[np.int32]
    near: NDArray[np.int32]
    class_course: NDArray[np.int32]
    movable: NDArray[np.int32]
    numbers: NDArray[np.int64]


def build_search_problem(instance: Instance) -> SearchProblem:
    """Lay out an instance for the kernels.

    Raises
    ------
    InstanceError
        If there is a course that no student can take, or one that more students ask for
        than two classes may share here.
    """
    tables = instance.tables
    weights = instance.weights
    n = len(instance.classes)
    columns = np.stack([tables.days, tables.weeks, tables.start, tables.end], axis=1)
    times, time_id = np.unique(columns, axis=0, return_inverse=True)
    of_pairs = PairTables.of(times)
    hard, soft = _pair_rules(instance)
    over_all = _global_rules(instance)
    members: list[list[int]] = [[] for _ in range(n)]
    for at, rule in enumerate(over_all):
        for k in rule[0]:
            members[k].append(at)
    bundles = _bundles(instance)
    demands = [
        (instance.course_positions[name], s)
        for s, student in enumerate(instance.students)
        for name in student.courses
    ]
    course_of = np.array([course for course, _ in demands], np.int64)
    order = np.argsort(course_of, kind="stable")
    takers_starts = _counted(course_of, len(bundles))
    _check_shared(instance, np.diff(takers_starts))
    sizes = np.array([len(one) for one in bundles], np.int64)
    near = _near(instance, bundles)
    closed_starts, closed = _closed(instance, times, time_id.ravel())
    options = np.diff(tables.time_starts) * np.maximum(np.diff(tables.room_starts), 1)
    return SearchProblem(
        time_starts=_narrow(tables.time_starts),
        time_id=_narrow(time_id.ravel()),
        time_cost=tables.time_penalty * weights.time,
        room_starts=_narrow(tables.room_starts),
        room=_narrow(tables.room),
        room_cost=tables.room_penalty * weights.room,
        closed_starts=closed_starts,
        closed=closed,
        **{name: times[:, at].copy() for at, name in enumerate(("days", "weeks", "start", "end"))},
        gap=of_pairs.gap,
        span=of_pairs.span,
        bits=of_pairs.bits,
        travel=np.minimum(tables.travel, _FAR).astype(np.int16),
        **_rule_columns("hard", hard, n),
        **_rule_columns("soft", soft, n),
        global_starts=_starts([one[0] for one in over_all]),
        global_classes=_joined([one[0] for one in over_all]),
        global_kind=_narrow([one[1] for one in over_all]),
        global_first=np.array([one[2] for one in over_all], np.int64),
        global_second=np.array([one[3] for one in over_all], np.int64),
        global_cost=np.array([one[4] for one in over_all], np.int64),
        member_starts=_starts(members),
        members=_joined(members),
        limit=tables.limit.copy(),
        bundle_starts=_starts([bundle for course in bundles for bundle in course]),
        bundle_classes=_joined([bundle for course in bundles for bundle in course]),
        demand_course=_narrow(course_of),
        demand_student=_narrow([student for _, student in demands]),
        student_starts=_starts([one.courses for one in instance.students]),
        course_starts=_starts(bundles),
        takers_starts=takers_starts,
        takers=_narrow(order),
        free=_narrow(np.flatnonzero(sizes[course_of] > 1)),
        near_starts=_starts(near),
        near=_narrow(np.concatenate([*near, np.empty(0, np.int64)])),
        class_course=_narrow(tables.course[tables.configuration[tables.subpart]]),
        movable=_narrow(np.flatnonzero(options > 1)),
        numbers=np.array(
            [
                instance.weeks,
                instance.days,
                weights.student,
                weights.distribution,
                int(tables.travel.any()),
            ],
            np.int64,
        ),
    )


def _check_shared(instance: Instance, takers: NDArray[np.int32]) -> None:
    most = int(takers.max(initial=0))
    if most > MOST_SHARED:
        course = instance.courses[int(takers.argmax())].id
        raise InstanceError(
            f"{most:,} students of course {course}", f"at most {MOST_SHARED:,} to search for"
        )


def dearest_change(problem: SearchProblem) -> float:
    """Return what no change of one class's place, or of one student's bundle, can cost more than.

    Of an instance with absurd costs a bound that is still a number to reckon with.
    """
    parts = [float(costs.max(initial=0)) for costs in (problem.time_cost, problem.room_cost)]
    rules = np.add.reduceat(np.append(problem.soft_cost, 0).astype(float), problem.soft_starts[:-1])
    parts.append(float(np.where(np.diff(problem.soft_starts) > 0, rules, 0.0).max(initial=0.0)))
    met = np.diff(problem.student_starts).max(initial=0) * np.diff(problem.bundle_starts).max(
        initial=0
    )
    takers = np.diff(problem.takers_starts).max(initial=0)
    parts.append(float(problem.numbers[CONFLICT]) * float(met) * float(max(1, takers)))
    penalties = float(np.maximum(problem.global_cost, 0).sum())
    days = float(problem.numbers[DAYS] * problem.numbers[WEEKS])
    parts.append(penalties * float(problem.numbers[DISTRIBUTION]) * days)
    return min(sum(parts), MOST_COST)


def _narrow(values: object) -> NDArray[np.int32]:
    return np.ascontiguousarray(np.asarray(values, np.int64).astype(np.int32))


def _starts(groups: Sequence[Sequence[object] | NDArray[np.int64]]) -> NDArray[np.int32]:
    return np.cumsum([0, *(len(group) for group in groups)]).astype(np.int32)


def _counted(values: NDArray[np.int64], size: int) -> NDArray[np.int32]:
    return np.cumsum([0, *np.bincount(values, minlength=size)]).astype(np.int32)


def _joined(groups: Iterable[Sequence[int]]) -> NDArray[np.int32]:
    return np.array([value for group in groups for value in group], np.int32)


def _bundles(instance: Instance) -> list[list[tuple[int, ...]]]:
    bundles = [course_bundles(instance, course) for course in instance.courses]
    for course, found in zip(instance.courses, bundles, strict=True):
        if not found:
            raise InstanceError(
                f"course {course.id}, of which nobody can attend a class of each subpart",
                "parents that go with a class of each other subpart",
            )
    return bundles


Rules = dict[tuple[int, int, int, int], int]
"""How often, or at what cost, a rule of a kind and parameter is between two classes."""


def _pair_rules(instance: Instance) -> tuple[Rules, Rules]:
    """Return the required rules and those that cost, from each of their classes' sides."""
    hard: Rules = {}
    soft: Rules = defaultdict(int)
    no_travel = _without_travel(instance)
    for one in instance.distributions:
        if one.kind in GLOBAL_KINDS or one.penalty == 0:
            continue
        there, back = _looked_up(one)
        cost = (one.penalty or 0) * instance.weights.distribution
        if one.penalty is not None and cost == 0:
            continue
        classes = [instance.class_positions[name] for name in one.classes]
        for at, i in enumerate(classes):
            for j in classes[at + 1 :]:
                for a, b, (kind, parameter) in ((i, j, there), (j, i, back)):
                    if kind == ATTEND and (no_travel[i] or no_travel[j]):
                        kind, parameter = GAP, 0
                    key = (a, b, kind, parameter)
                    if one.penalty is None:
                        hard[key] = 1
                    else:
                        soft[key] += cost
    return hard, soft


def _without_travel(instance: Instance) -> NDArray[np.bool_]:
    """Tell of which classes no room is away from any other."""
    tables = instance.tables
    far: Any = tables.travel.any(axis=1)
    return np.array(
        [
            not far[tables.room[first:last]].any()
            for first, last in zip(tables.room_starts[:-1], tables.room_starts[1:], strict=True)
        ],
        np.bool_,
    )


def _looked_up(rule: Distribution) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return a rule's kind and parameter for the kernels, and those of it from the other side."""
    kind = rule.kind
    if kind == "Precedence":
        return (BITS, MASKS["Precedence"]), (BITS, FOLLOWING)
    first = min((*rule.parameters, 0)[0], _FAR)
    both = {
        "NotOverlap": (GAP, 0),
        "MinGap": (GAP, first),
        "SameAttendees": (ATTEND, 0),
        "WorkDay": (SPAN, first),
        "SameRoom": (SAME_ROOM, 0),
        "DifferentRoom": (DIFFERENT_ROOM, 0),
        "Overlap": (OVERLAP, 0),
    }.get(kind) or (BITS, MASKS[kind])
    return both, both


def _rule_columns(name: str, rules: Rules, n: int) -> dict[str, NDArray[Any]]:
    rows = np.array([(*key, value) for key, value in rules.items()], np.int64).reshape(-1, 5)
    # By class, and by kind within, so that the kernels' branches are foreseen.
    rows = rows[np.lexsort((rows[:, 1], rows[:, 3], rows[:, 2], rows[:, 0]))]
    columns: dict[str, NDArray[Any]] = {
        f"{name}_starts": _counted(rows[:, 0], n),
        f"{name}_other": _narrow(rows[:, 1]),
        f"{name}_kind": _narrow(rows[:, 2]),
        f"{name}_parameter": _narrow(rows[:, 3]),
    }
    if name == "soft":
        columns["soft_cost"] = rows[:, 4].copy()
    else:
        columns["hard_id"] = _narrow(_both_sides(rows))
    return columns


def _both_sides(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give both sides of a rule the same number."""
    parameter = np.where(
        (rows[:, 2] == BITS) & (rows[:, 3] == FOLLOWING), MASKS["Precedence"], rows[:, 3]
    )
    follows = (rows[:, 2] == BITS) & (rows[:, 3] == FOLLOWING)
    ordered = (rows[:, 2] == BITS) & (rows[:, 3] == MASKS["Precedence"])
    low = np.where(follows, rows[:, 1], np.where(ordered, rows[:, 0], rows[:, :2].min(axis=1)))
    high = np.where(follows, rows[:, 0], np.where(ordered, rows[:, 1], rows[:, :2].max(axis=1)))
    keys = np.stack([low, high, rows[:, 2], parameter], axis=1)
    return np.unique(keys, axis=0, return_inverse=True)[1].ravel()


def _global_rules(instance: Instance) -> list[tuple[list[int], int, int, int, int]]:
    found = []
    for one in instance.distributions:
        if one.kind in GLOBAL_KINDS and one.penalty != 0:
            classes = [instance.class_positions[name] for name in one.classes]
            first, second = (*one.parameters, 0, 0)[:2]
            # The weight is applied after the division, so that it is kept apart.
            penalty = -1 if one.penalty is None else one.penalty
            found.append((classes, _GLOBAL_CODES[one.kind], first, second, penalty))
    return found


def _closed(
    instance: Instance, times: NDArray[np.int64], time_id: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Count for each time and room option of each class the closed times that they overlap."""
    tables = instance.tables
    days, weeks, start, end = times.T
    counts: dict[int, NDArray[np.uint8]] = {}
    for room in range(len(instance.rooms)):
        first, last = tables.closed_starts[room : room + 2].tolist()
        if first == last:
            continue
        total = np.zeros(len(times), np.int64)
        for at in range(first, last):
            overlap = (days & tables.closed_days[at]) != 0
            overlap &= (weeks & tables.closed_weeks[at]) != 0
            overlap &= start < tables.closed_end[at]
            total += overlap & (tables.closed_start[at] < end)
        counts[room] = np.minimum(total, 255).astype(np.uint8)
    parts = [np.empty(0, np.uint8)]
    for k in range(len(instance.classes)):
        own = time_id[slice(*tables.time_starts[k : k + 2])]
        rooms = tables.room[slice(*tables.room_starts[k : k + 2])].tolist()
        none = np.zeros(len(own), np.uint8)
        table = [counts[room][own] if room in counts else none for room in rooms]
        parts.append(np.array(table, np.uint8).T.ravel())
    starts = np.cumsum([0, *(len(part) for part in parts[1:])]).astype(np.int64)
    return starts, np.concatenate(parts)


def _near(instance: Instance, bundles: list[list[tuple[int, ...]]]) -> list[NDArray[np.int64]]:
    """List for each class those of all courses that somebody asks for besides its own."""
    asked: dict[int, set[int]] = defaultdict(set)
    for student in instance.students:
        courses = [instance.course_positions[name] for name in student.courses]
        for course in courses:
            asked[course].update(courses)
    classes = [np.unique([k for bundle in course for k in bundle]) for course in bundles]
    near: list[NDArray[np.int64]] = [np.empty(0, np.int64) for _ in instance.classes]
    for course, others in asked.items():
        found = np.unique(np.concatenate([classes[other] for other in sorted(others)]))
        for k in classes[course].tolist():
            near[k] = found[found != k]
    return near
