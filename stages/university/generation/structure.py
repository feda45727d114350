"""Courses, and the students who take them."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class ClassDraft:
    """A class on its way: where it stands, and where the hidden timetable puts it.

    Attributes
    ----------
    course, configuration, subpart
        Where it stands, each numbered within the one before.
    parent
        Position of its parent; -1 for none.
    students
        Those who attend it in the hidden timetable.
    days, start, length, weeks
        Its hidden time: sets of bits, and slots.
    room
        Its hidden room; -1 for none.
    """

    course: int
    configuration: int
    subpart: int
    parent: int
    students: list[int] = field(default_factory=list)
    days: int = 0
    start: int = 0
    length: int = 0
    weeks: int = 0
    room: int = -1


def draw_classes(n_classes: int, rng: np.random.Generator) -> list[ClassDraft]:
    """Draw courses until there are as many classes as wanted.

    Most courses have one configuration of a lecture, or of lectures with seminars, which
    are the lectures' children in half of the courses.
    """
    drafts: list[ClassDraft] = []
    course = 0
    while len(drafts) < n_classes:
        for configuration in range(1 + (rng.random() < 0.06)):
            above: list[int] = []
            for subpart in range(int(rng.choice([1, 2, 3], p=[0.55, 0.35, 0.1]))):
                left = n_classes - len(drafts)
                wanted = max(len(above), 1) * int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
                # A subpart that is cut short would leave parents without children.
                if left < wanted:
                    if subpart or configuration:
                        break
                    wanted = left
                family = bool(above) and rng.random() < 0.5
                here = range(len(drafts), len(drafts) + wanted)
                for k in range(wanted):
                    parent = above[k % len(above)] if family else -1
                    drafts.append(ClassDraft(course, configuration, subpart, parent))
                above = list(here)
            if len(drafts) >= n_classes:
                break
        course += 1
    return drafts


def draw_students(
    drafts: list[ClassDraft], n_students: int, rng: np.random.Generator
) -> list[list[int]]:
    """Draw which courses each student asks for, and let them attend classes in the drafts.

    Students of one programme choose among the same courses.
    """
    n_courses = drafts[-1].course + 1
    by_place: dict[tuple[int, int], list[list[int]]] = {}
    for k, draft in enumerate(drafts):
        subparts = by_place.setdefault((draft.course, draft.configuration), [])
        if draft.subpart == len(subparts):
            subparts.append([])
        subparts[draft.subpart].append(k)
    n_programmes = max(1, n_courses // 12)
    offers = [
        rng.permutation(n_courses)[: min(n_courses, int(rng.integers(8, 16)))]
        for _ in range(n_programmes)
    ]
    demands = []
    for student in range(n_students):
        offer = offers[int(rng.integers(n_programmes))]
        wanted = sorted(rng.permutation(offer)[: 2 + int(rng.integers(6))].tolist())
        demands.append(wanted)
        for course in wanted:
            configuration = int(rng.random() < 0.5) if (course, 1) in by_place else 0
            for k in _sections(drafts, by_place[course, configuration], rng):
                drafts[k].students.append(student)
    return demands


def _sections(
    drafts: list[ClassDraft], subparts: list[list[int]], rng: np.random.Generator
) -> list[int]:
    """Choose a class of each subpart from the last one to the first, parents included."""
    chosen: list[int] = []
    for classes in reversed(subparts):
        parents = {drafts[k].parent for k in chosen}
        named = [k for k in classes if k in parents]
        chosen.append(named[0] if named else classes[int(rng.integers(len(classes)))])
    return chosen
