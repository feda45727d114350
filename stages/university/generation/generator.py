"""Draw a university at random, with a timetable that is feasible."""

from dataclasses import replace

import numpy as np

from ...timetable.model.checks import whole_number
from ..cost.evaluation import evaluate
from ..model.configuration import Configuration
from ..model.course import Course
from ..model.course_class import CourseClass
from ..model.instance import Instance
from ..model.room import Room
from ..model.room_option import RoomOption
from ..model.solution import Solution
from ..model.student import Student
from ..model.subpart import Subpart
from ..model.time import Time
from ..model.weights import Weights
from .placing import FIRST, LAST, STEP, draw_time, place
from .rules import draw_rules
from .structure import ClassDraft, draw_classes, draw_students

MAX_GENERATED = 50_000
"""Most classes that are generated."""

N_WEEKS = 15


def generate(classes: int = 200, students: int | None = None, seed: int = 0) -> Instance:
    """Draw a university of which a feasible timetable exists.

    Sizes of courses, options of classes, kinds of rules and what students ask for have
    about the proportions of the instances of ITC-2019.

    Parameters
    ----------
    classes
        Number of classes, 1 or more.
    students
        Number of students; three a class by default.
    seed
        The same seed gives the same university.

    Raises
    ------
    InstanceError
        If a number is impossible.
    """
    return generate_with_solution(classes, students, seed)[0]


def generate_with_solution(
    classes: int = 200, students: int | None = None, seed: int = 0
) -> tuple[Instance, Solution]:
    """Draw a university as `generate` does, and return its feasible timetable too.

    Raises
    ------
    InstanceError
        If a number is impossible.
    """
    classes = whole_number(classes, 1, MAX_GENERATED, "classes")
    if students is None:
        students = 3 * classes
    students = whole_number(students, 0, 1_000_000, "students")
    rng = np.random.default_rng(whole_number(seed, 0, 2**63, "seed"))
    drafts = draw_classes(classes, rng)
    demands = draw_students(drafts, students, rng)
    seats, buildings = place(drafts, N_WEEKS, rng)
    rules = draw_rules(drafts, rng)
    instance = Instance(
        name=f"generated-{classes}-{students}-{seed}",
        weeks=N_WEEKS,
        rooms=_rooms(drafts, seats, rng),
        courses=_courses(drafts, seats, rng),
        distributions=tuple(rule for rule, _ in rules),
        students=tuple(
            Student(str(s + 1), tuple(str(course + 1) for course in wanted))
            for s, wanted in enumerate(demands)
        ),
        weights=Weights(3, 1, 10, 5),
        travel=_travel(buildings),
    )
    found = evaluate(_hidden(instance, drafts)).distributions
    kept = [
        replace(rule, penalty=None) if required else rule
        for (rule, required), cost in zip(rules, found, strict=True)
        if not (required and cost.units)
    ]
    instance = replace(instance, distributions=tuple(dict.fromkeys(kept)))
    return instance, _hidden(instance, drafts)


def _bits(mask: int, size: int) -> str:
    return "".join("1" if mask >> k & 1 else "0" for k in range(size))


def _time(draft: ClassDraft, days: int, start: int, penalty: int) -> Time:
    return Time(_bits(days, 7), start, draft.length, _bits(draft.weeks, N_WEEKS), penalty)


def _class(k: int, draft: ClassDraft, seats: list[int], rng: np.random.Generator) -> CourseClass:
    places = {(draft.days, draft.start)}
    places |= {draw_time(draft, rng) for _ in range(int(rng.integers(4, 40)))}
    times = [_time(draft, *where, int(rng.choice([0, 0, 1, 2, 4]))) for where in sorted(places)]
    rooms: tuple[RoomOption, ...] = ()
    if draft.room >= 0:
        large = [r for r, here in enumerate(seats) if here >= len(draft.students)]
        some = set(rng.permutation(large)[: int(rng.integers(1, 12))].tolist()) | {draft.room}
        rooms = tuple(RoomOption(str(r + 1), int(rng.choice([0, 0, 1, 4]))) for r in sorted(some))
    crowd = len(draft.students)
    parent = None if draft.parent < 0 else str(draft.parent + 1)
    return CourseClass(str(k + 1), crowd + crowd // 8, tuple(times), rooms, parent)


def _courses(
    drafts: list[ClassDraft], seats: list[int], rng: np.random.Generator
) -> tuple[Course, ...]:
    tree: list[list[list[list[CourseClass]]]] = []
    for k, draft in enumerate(drafts):
        if draft.course == len(tree):
            tree.append([])
        course = tree[draft.course]
        if draft.configuration == len(course):
            course.append([])
        configuration = course[draft.configuration]
        if draft.subpart == len(configuration):
            configuration.append([])
        configuration[draft.subpart].append(_class(k, draft, seats, rng))
    numbers = {"configuration": 0, "subpart": 0}

    def name(what: str) -> str:
        numbers[what] += 1
        return str(numbers[what])

    return tuple(
        Course(
            str(c + 1),
            tuple(
                Configuration(
                    name("configuration"),
                    tuple(Subpart(name("subpart"), tuple(classes)) for classes in subparts),
                )
                for subparts in configurations
            ),
        )
        for c, configurations in enumerate(tree)
    )


def _rooms(
    drafts: list[ClassDraft], seats: list[int], rng: np.random.Generator
) -> tuple[Room, ...]:
    used: list[list[ClassDraft]] = [[] for _ in seats]
    for draft in drafts:
        if draft.room >= 0:
            used[draft.room].append(draft)
    rooms = []
    for r, here in enumerate(seats):
        closed = []
        for _ in range(int(rng.integers(4))):
            day, start = int(rng.integers(5)), FIRST + STEP * int(rng.integers(20))
            weeks = ((1 << N_WEEKS) - 1) if rng.random() < 0.5 else 1 << int(rng.integers(N_WEEKS))
            end = min(LAST, start + STEP * int(rng.integers(2, 8)))
            free = not any(
                one.days >> day & 1
                and one.weeks & weeks
                and one.start < end
                and start < one.start + one.length
                for one in used[r]
            )
            if free:
                closed.append(Time(_bits(1 << day, 7), start, end - start, _bits(weeks, N_WEEKS)))
        rooms.append(Room(str(r + 1), here, tuple(closed)))
    return tuple(rooms)


def _travel(buildings: list[int]) -> tuple[tuple[str, str, int], ...]:
    return tuple(
        (str(a + 1), str(b + 1), 1 + abs(one - other) % 4)
        for a, one in enumerate(buildings)
        for b, other in enumerate(buildings[:a])
        if one != other
    )


def _hidden(instance: Instance, drafts: list[ClassDraft]) -> Solution:
    times = [
        [(time.days, time.start) for time in one.times].index((_bits(draft.days, 7), draft.start))
        for one, draft in zip(instance.classes, drafts, strict=True)
    ]
    rooms = [draft.room for draft in drafts]
    enrolments = [(s, k) for k, draft in enumerate(drafts) for s in draft.students]
    return Solution(instance, times, rooms, enrolments)
