"""Small universities in which everything may happen."""

import numpy as np
from schoolbell.stages.university import (
    Configuration,
    Course,
    CourseClass,
    Distribution,
    Instance,
    Room,
    Solution,
    Student,
    Subpart,
    Time,
    Weights,
)
from schoolbell.stages.university.model.distribution import KINDS


def random_university(seed: int, courses: int = 5, distributions: int = 40) -> Instance:
    """Draw a university of 5 days of 20 slots and 5 weeks with all kinds of rules."""
    rng = np.random.default_rng(seed)
    days, weeks = 5, 5

    def bits(n: int) -> str:
        drawn = rng.random(n) < 0.4
        drawn[rng.integers(n)] = True
        return "".join("1" if one else "0" for one in drawn)

    def a_time(penalty: int = 0) -> Time:
        return Time(
            bits(days), int(rng.integers(16)), int(rng.integers(1, 6)), bits(weeks), penalty
        )

    rooms = [Room(f"r{k}", 30, tuple(a_time() for _ in range(rng.integers(3)))) for k in range(4)]
    number = 0
    drawn = []
    for c in range(courses):
        configurations = []
        for g in range(int(rng.integers(1, 3))):
            subparts: list[Subpart] = []
            for p in range(int(rng.integers(1, 4))):
                classes = []
                for _ in range(int(rng.integers(1, 4))):
                    times = {
                        (t.days, t.start, t.weeks): t
                        for t in (a_time(int(rng.integers(4))) for _ in range(6))
                    }
                    suits = rng.permutation(4)[: rng.integers(0, 4)]
                    parent = None
                    if subparts and rng.random() < 0.5:
                        parents = subparts[-1].classes
                        parent = parents[int(rng.integers(len(parents)))].id
                    classes.append(
                        CourseClass(
                            f"k{number}",
                            int(rng.integers(0, 6)),
                            tuple(times.values()),
                            tuple((f"r{r}", int(rng.integers(5))) for r in suits),
                            parent,
                        )
                    )
                    number += 1
                subparts.append(Subpart(f"s{p}", tuple(classes)))
            configurations.append(Configuration(f"g{g}", tuple(subparts)))
        drawn.append(Course(f"c{c}", tuple(configurations)))
    rules = []
    for k in range(distributions):
        kind = list(KINDS)[k % len(KINDS)]
        numbers = rng.integers(1, 7, KINDS[kind]).tolist()
        text = f"{kind}({','.join(map(str, numbers))})" if numbers else kind
        there = rng.permutation(number)[: rng.integers(0, min(7, number) + 1)]
        penalty = None if rng.random() < 0.4 else int(rng.integers(0, 9))
        rules.append(Distribution(text, tuple(f"k{one}" for one in there), penalty))
    students = [
        Student(
            f"p{s}", tuple(f"c{c}" for c in rng.permutation(courses)[: rng.integers(courses + 1)])
        )
        for s in range(12)
    ]
    travel = [
        (f"r{a}", f"r{b}", int(rng.integers(4))) for a in range(4) for b in range(a) if a != b
    ]
    weights = Weights(*(int(w) for w in rng.integers(0, 9, 4)))
    return Instance(
        f"random{seed}",
        weeks,
        tuple(rooms),
        tuple(drawn),
        tuple(rules),
        tuple(students),
        weights,
        tuple(travel),
        days,
        20,
    )


def random_solution(instance: Instance, seed: int, broken: float = 0.0) -> Solution:
    """Draw times, rooms and classes of students; a part of all of it is broken."""
    rng = np.random.default_rng(seed)
    times, rooms, enrolments = [], [], []
    for one in instance.classes:
        lost = rng.random() < broken
        times.append(-1 if lost else int(rng.integers(len(one.times))))
        if rng.random() < broken:
            rooms.append(int(rng.integers(-1, len(instance.rooms))))
        elif one.rooms:
            option = one.rooms[int(rng.integers(len(one.rooms)))]
            rooms.append(instance.room_positions[option.room])
        else:
            rooms.append(-1)
    for s, student in enumerate(instance.students):
        for name in student.courses:
            course = instance.courses[instance.course_positions[name]]
            at = int(rng.integers(len(course.configurations)))
            chosen: dict[str, CourseClass] = {}
            for subpart in course.configurations[at].subparts[::-1]:
                wanted = {one.parent for one in chosen.values()}
                named = [one for one in subpart.classes if one.id in wanted]
                one = named[0] if named else subpart.classes[rng.integers(len(subpart.classes))]
                chosen[subpart.id] = one
            enrolments += [
                (s, instance.class_positions[one.id])
                for one in chosen.values()
                if rng.random() >= broken / 2
            ]
        if rng.random() < broken:
            enrolments.append((s, int(rng.integers(len(instance.classes)))))
    return Solution(instance, times, rooms, np.unique(np.array(enrolments).reshape(-1, 2), axis=0))
