"""Why no timetable of an instance can be without violations.

What is looked for are plain reasons of counting: lectures for which there are too
few periods, places or rooms. Whatever is said is true; where nothing is said, there
may be no feasible timetable all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...needing import needing

if TYPE_CHECKING:
    from ..model.formulation import Formulation
    from ..model.instance import Instance

MOST_REASONS = 10
"""Most reasons that are told; the last then says how many more there are."""

# Beyond these sizes something is left out, so that the largest instances take a second at most.
MOST_CLIQUES = 2_000
MOST_CLIQUE_COURSES = 3_000
MOST_CELLS = 2_000_000_000
MOST_ARCS = 400_000

_MOST_NAMES = 5

_Courses = NDArray[np.intp]


def infeasibility(instance: Instance, formulation: Formulation) -> tuple[str, ...]:
    """Tell why no timetable can keep all hard constraints, as far as counting shows it.

    Looked at are the periods of each course, of each teacher, curriculum and other
    group of courses of which no two may meet, and the places in rooms: of all
    lectures, and, where unsuitable rooms are forbidden, of those that need the same
    few rooms; each time with the periods in which courses are unavailable left out.
    By P. Hall's theorem and its like for flows, lectures find their periods unless
    some of them have too few.

    Parameters
    ----------
    instance, formulation
        What is to be timetabled.

    Returns
    -------
    tuple of str
        The reasons in words, the plainest first; empty where none was found.
    """
    reasons: dict[tuple[str, frozenset[int]], str] = {}
    for shortage in _Search(instance, formulation).shortages():
        # What a teacher lacks, a curriculum of the same courses lacks too.
        reasons.setdefault((shortage.of, frozenset(shortage.courses.tolist())), shortage.words)
    texts = list(reasons.values())
    if len(texts) > MOST_REASONS:
        texts[MOST_REASONS - 1 :] = [f"and {len(texts) - MOST_REASONS + 1:,} more such reasons"]
    return tuple(texts)


@dataclass(frozen=True, slots=True)
class _Shortage:
    """Courses whose lectures cannot all be held, of what there is too little, and why."""

    of: Literal["periods", "rooms"]
    courses: _Courses
    words: str


@dataclass(frozen=True, slots=True)
class _Overflow:
    """Courses with more lectures than their periods take.

    Attributes
    ----------
    courses
        The courses.
    periods
        Periods, shape (n_periods,), which bool tells.
    outside
        Lectures that the other periods could take at most.
    """

    courses: _Courses
    periods: NDArray[np.bool_]
    outside: int


class _Search:
    """Looks for shortages of one instance."""

    def __init__(self, instance: Instance, formulation: Formulation) -> None:
        self.instance = instance
        self.rooms_count = "RoomSuitability" in formulation.hard
        self.available = instance.available
        self.lectures = instance.course_lectures.astype(np.int64)
        self.free = self.available.sum(axis=1)
        # Beyond its own periods a course is short of them whatever the others do.
        self.placeable = np.minimum(self.lectures, self.free)

    def shortages(self) -> Iterator[_Shortage]:
        """Go through all shortages, the plainest first."""
        yield from self._of_places()
        yield from self._of_courses()
        yield from self._of_teachers()
        yield from self._of_curricula()
        if self.rooms_count:
            yield from self._of_suitable_rooms()
        yield from self._of_cliques()

    def _of_courses(self) -> Iterator[_Shortage]:
        for c in np.flatnonzero(self.lectures > self.free).tolist():
            yield _Shortage(
                "periods",
                np.array([c]),
                f"course {self._id(c)} has {_count(self.lectures[c], 'lecture')} and "
                f"{_count(self.free[c], 'free period')}",
            )

    def _of_teachers(self) -> Iterator[_Shortage]:
        order = np.argsort(self.instance.course_teacher, kind="stable")
        ends = np.cumsum(np.bincount(self.instance.course_teacher))
        for courses in self._crowded(order, np.concatenate([[0], ends])):
            name = self.instance.courses[courses[0]].teacher
            yield from self._of_clique(courses, f"teacher {name}")

    def _of_curricula(self) -> Iterator[_Shortage]:
        starts = self.instance.curriculum_starts
        courses = self.instance.curriculum_courses.astype(np.intp)
        groups = list(self._crowded_positions(courses, starts))
        for q in groups:
            own = courses[starts[q] : starts[q + 1]]
            yield from self._of_clique(own, f"curriculum {self.instance.curricula[q].id}")

    def _crowded(self, courses: _Courses, starts: NDArray[Any]) -> Iterator[_Courses]:
        """Return those groups of courses that may have too few periods for one at a time."""
        for k in self._crowded_positions(courses, starts):
            yield courses[starts[k] : starts[k + 1]]

    def _crowded_positions(self, courses: _Courses, starts: NDArray[Any]) -> list[int]:
        if len(starts) < 2 or not len(courses):
            return []
        group = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        order = np.lexsort((self.free[courses], group))
        courses = courses[order]
        # Where those with the fewest periods come first, each finds enough that are not taken.
        taken = np.cumsum(self.placeable[courses])
        before = np.concatenate([[0], taken])[starts[:-1]]
        crowded = taken - before[group] > self.free[courses]
        return np.unique(group[crowded]).tolist()

    def _of_clique(self, courses: _Courses, owner: str | None) -> Iterator[_Shortage]:
        """Look at courses of which no two may meet."""
        found = self._overflow(courses, 1)
        if found is None:
            return
        short = found.courses
        lectures = _count(self.lectures[short].sum(), "lecture")
        # With one lecture a period, a period that is left out only helps its one course.
        free = _count(np.count_nonzero(self.available[short].any(axis=0)), "free period")
        if owner is None:
            whose = f"no two of the courses {self._names(short)} may meet: they have"
        elif len(short) == len(courses):
            whose = f"{owner} has"
        else:
            whose = f"courses {self._names(short)} of {owner} have"
        yield _Shortage("periods", short, f"{whose} {lectures} and {free}")

    def _of_places(self) -> Iterator[_Shortage]:
        instance = self.instance
        rooms = _count(instance.n_rooms, "room")
        lectures, places = int(self.lectures.sum()), instance.n_rooms * instance.n_periods
        everyone = np.arange(instance.n_courses)
        if lectures > places:
            yield _Shortage(
                "rooms",
                everyone,
                f"{_count(lectures, 'lecture')} for {_count(places, 'place')} "
                f"({rooms}, {_count(instance.n_periods, 'period')})",
            )
        elif found := self._overflow(everyone, instance.n_rooms):
            words = self._crowd_words(found, instance.n_rooms, f"in the {rooms}")
            yield _Shortage("rooms", found.courses, words)

    def _crowd_words(self, found: _Overflow, n_rooms: int, where: str) -> str:
        lectures = int(self.lectures[found.courses].sum())
        n_periods = int(np.count_nonzero(found.periods))
        who = f"course{'' if len(found.courses) == 1 else 's'} {self._names(found.courses)}"
        have = "has" if len(found.courses) == 1 else "have"
        places = _count(n_rooms * n_periods, "place")
        periods = _count(n_periods, "period")
        if n_periods < self.instance.n_periods:
            periods += f" ({self._when(found.periods)})"
        if not found.outside:
            free = periods.replace(" period", " free period", 1)
            return (
                f"{who} {have} {_count(lectures, 'lecture')} for {places} {where} in their {free}"
            )
        return (
            f"{who} {have} {_count(lectures, 'lecture')}, of which the periods that are left "
            f"take {found.outside:,}: {lectures - found.outside:,} for {places} {where} in "
            f"{periods}"
        )

    def _of_suitable_rooms(self) -> Iterator[_Shortage]:
        """Look at courses that need the same few rooms."""
        suitable = self.instance.suitable
        none = np.flatnonzero(~suitable.any(axis=1))
        for c in none.tolist():
            yield _Shortage("rooms", np.array([c]), f"no room suits course {self._id(c)}")
        for rooms, courses in self._room_sets():
            found = self._overflow(courses, len(rooms))
            if found is None:
                continue
            names = _listed([self.instance.rooms[r].id for r in rooms])
            if found.outside or not found.periods.all():
                where = f"in the {_count(len(rooms), 'room')} that can suit them ({names})"
                words = self._crowd_words(found, len(rooms), where)
            else:
                words = self._room_words(found.courses, len(rooms), names)
            yield _Shortage("rooms", found.courses, words)

    def _room_words(self, courses: _Courses, n_rooms: int, names: str) -> str:
        one = len(courses) == 1
        who = f"course {self._names(courses)} needs" if one else self._names(courses)
        if not one:
            who = f"courses {who} {'all need' if n_rooms == 1 else 'need'}"
        lectures = _count(self.lectures[courses].sum(), "lecture")
        periods = _count(self.instance.n_periods, "period")
        if n_rooms == 1:
            return f"{who} the only room that suits ({names}): {lectures}, {periods}"
        places = _count(n_rooms * self.instance.n_periods, "place")
        return (
            f"{who} the {n_rooms} rooms that can suit ({names}): {lectures} for {places} "
            f"in {periods}"
        )

    def _room_sets(self) -> Iterator[tuple[list[int], _Courses]]:
        """Yield sets of rooms, and the courses that no other room suits, where it may be tight."""
        suitable = self.instance.suitable
        able = np.flatnonzero(suitable.any(axis=1))
        if not len(able):
            return
        first, kind = _distinct(suitable[able])
        sets = suitable[able[first]]
        chosen = self._tight_sets(sets, np.bincount(kind, self.placeable[able]))
        # A course of some kind needs a set when it has no room out of it.
        needs = ~(sets.astype(np.float32) @ (~sets[chosen].T).astype(np.float32)).astype(bool)
        for k, members in zip(chosen.tolist(), needs.T, strict=True):
            if not sets[k].all():
                courses = able[members[kind]]
                if self._may_overflow(courses, int(sets[k].sum())):
                    yield np.flatnonzero(sets[k]).tolist(), courses
        yield from self._union_of_rooms(sets, able, kind)

    def _tight_sets(self, sets: NDArray[np.bool_], lectures: NDArray[Any]) -> NDArray[np.intp]:
        """Choose the sets of rooms to look at: all that can be tight, unless they are many."""
        sizes = sets.sum(axis=1)
        # No more than the lectures that need no more rooms can need just these.
        order = np.argsort(sizes, kind="stable")
        most = np.cumsum(lectures[order])[np.searchsorted(sizes[order], sizes, side="right") - 1]
        tightness = most / sizes
        chosen = np.argsort(-tightness, kind="stable")[: max(1, MOST_CELLS // sets.size)]
        return np.sort(chosen[tightness[chosen] > self.free.min()])

    def _union_of_rooms(
        self, sets: NDArray[np.bool_], able: _Courses, kind: NDArray[np.intp]
    ) -> Iterator[tuple[list[int], _Courses]]:
        """Find a set of rooms that is too small whatever the periods, as several kinds need it."""
        if np.count_nonzero(sets) > MOST_ARCS:
            return
        supply = np.bincount(kind, self.placeable[able], len(sets)).astype(np.int64)
        kinds, rooms = np.nonzero(sets)
        capacity = np.full(sets.shape[1], self.instance.n_periods)
        side = _short_side(supply, capacity, kinds, rooms, supply[kinds])
        if side is not None:
            needed = sets[side].any(axis=0)
            yield np.flatnonzero(needed).tolist(), able[side[kind]]

    def _of_cliques(self) -> Iterator[_Shortage]:
        """Look at other groups of which no two courses may meet."""
        core = self._core()
        if len(core) < 3:
            return
        with needing("the reasons why no timetable is feasible"):
            import networkx as nx

        instance = self.instance
        starts, others = instance.conflict_starts, instance.conflict_courses
        member = np.zeros(instance.n_courses, bool)
        member[core] = True
        left = np.repeat(np.arange(instance.n_courses), np.diff(starts))
        inside = member[left] & member[others] & (left < others)
        graph = nx.Graph()
        graph.add_nodes_from(core.tolist())
        graph.add_edges_from(zip(left[inside].tolist(), others[inside].tolist(), strict=True))
        for clique in islice(nx.find_cliques(graph), MOST_CLIQUES):
            courses = np.array(sorted(clique))
            if self._may_overflow(courses, 1):
                yield from self._of_clique(courses, None)

    def _core(self) -> _Courses:
        """Return the courses that may be part of a group with too few periods.

        Such a group has more lectures than any of its courses has periods; so has a
        course with all that it conflicts with. The others are left out, over and over.
        """
        starts, others = self.instance.conflict_starts, self.instance.conflict_courses
        left = np.repeat(np.arange(self.instance.n_courses), np.diff(starts))
        alive = np.ones(self.instance.n_courses, bool)
        while True:
            inside = alive[left] & alive[others]
            around = np.bincount(
                left[inside], self.placeable[others[inside]], self.instance.n_courses
            )
            still = alive & (self.placeable + around > self.free)
            if still.sum() == alive.sum():
                break
            alive = still
        core = np.flatnonzero(alive)
        if len(core) > MOST_CLIQUE_COURSES:
            crowded = np.argsort(self.free[core] - self.placeable[core] - around[core])
            core = np.sort(core[crowded[:MOST_CLIQUE_COURSES]])
        return core

    def _may_overflow(self, courses: _Courses, width: int) -> bool:
        """Tell, in a hurry, whether courses may have too few periods, of so many lectures each."""
        if not len(courses):
            return False
        lectures, free = self.placeable[courses], self.free[courses]
        if lectures.sum() <= width * free.min():
            return False
        order = np.argsort(free, kind="stable")
        lectures = lectures[order]
        # Where those with the fewest periods come first, so many are full before each at most.
        full = (np.cumsum(lectures) - lectures) // width
        return bool((full + lectures > free[order]).any())

    def _overflow(self, courses: _Courses, width: int) -> _Overflow | None:
        """Find courses that have too few periods, of so many lectures each."""
        if not self._may_overflow(courses, width):
            return None
        open_periods = np.logical_or.reduce(self.available[courses])
        if self.placeable[courses].sum() > width * np.count_nonzero(open_periods):
            return _Overflow(courses, open_periods, 0)
        rows, kind, sizes = self._kinds(courses)
        supply = np.bincount(kind, self.placeable[courses], len(rows)).astype(np.int64)
        capacity = np.full(self.instance.n_periods, width)
        kinds, periods = np.nonzero(rows)
        side = _short_side(supply, capacity, kinds, periods, np.minimum(sizes[kinds], width))
        if side is None:
            return None
        short = courses[side[kind]]
        # Each period either counts as full, or takes a lecture of each course that it is open to.
        takes = self.available[short].sum(axis=0)
        full: NDArray[np.bool_] = np.greater(takes, width)
        if width == 1:
            full = np.greater(takes, 0)
        outside = int(takes[~full].sum())
        if self.lectures[short].sum() <= width * np.count_nonzero(full) + outside:
            return None
        return _Overflow(short, full, outside)

    def _kinds(self, courses: _Courses) -> tuple[NDArray[np.bool_], NDArray[Any], NDArray[Any]]:
        """Return rows of availability, which one each course has, and how many courses have it.

        Courses with the same row are one where there are too many to look at each:
        some shortages are then not seen.
        """
        rows = self.available[courses]
        if rows.size <= MOST_ARCS:
            return rows, np.arange(len(courses)), np.ones(len(courses), np.int64)
        first, kind = _distinct(rows)
        return rows[first], kind, np.bincount(kind)

    def _id(self, course: int) -> str:
        return self.instance.courses[course].id

    def _names(self, courses: _Courses) -> str:
        return _listed([self._id(c) for c in courses.tolist()])

    def _when(self, periods: NDArray[np.bool_]) -> str:
        slots = self.instance.periods_per_day
        where = (divmod(p, slots) for p in np.flatnonzero(periods).tolist())
        return _listed([f"day {day} timeslot {slot}" for day, slot in where])


def _short_side(
    supply: NDArray[np.int64],
    capacity: NDArray[Any],
    tails: NDArray[Any],
    heads: NDArray[Any],
    widths: NDArray[Any],
) -> NDArray[np.bool_] | None:
    """Send what each left node has to right nodes; tell which left nodes cannot get rid of it.

    Returns
    -------
    array of bool or None
        The left nodes on the source's side of a least cut; None where all can be sent.
    """
    with needing("the reasons why no timetable is feasible"):
        from ortools.graph.python.max_flow import SimpleMaxFlow

    n_left, n_right = len(supply), len(capacity)
    source, sink = n_left + n_right, n_left + n_right + 1
    # Untyped: the stubs of OR-Tools know only the oldest way to write an array's type.
    flow: Any = SimpleMaxFlow()
    add: Callable[..., Any] = flow.add_arcs_with_capacity
    add(np.full(n_left, source), np.arange(n_left), supply)
    add(tails, heads + n_left, widths.astype(np.int64))
    add(np.arange(n_left, source), np.full(n_right, sink), capacity.astype(np.int64))
    if flow.solve(source, sink) != flow.OPTIMAL or flow.optimal_flow() >= supply.sum():
        return None
    side = np.zeros(sink + 1, bool)
    side[flow.get_source_side_min_cut()] = True
    return side[:n_left]


def _distinct(rows: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where each distinct row comes first, and which of them each row is."""
    numbers: dict[bytes, int] = {}
    # Far quicker than to sort long rows.
    kind = [numbers.setdefault(row.tobytes(), len(numbers)) for row in np.packbits(rows, axis=1)]
    return np.unique(kind, return_index=True)[1], np.array(kind)


def _listed(names: list[str]) -> str:
    if len(names) > _MOST_NAMES:
        return f"{', '.join(names[: _MOST_NAMES - 1])} and {len(names) - _MOST_NAMES + 1:,} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _count(number: Any, what: str) -> str:
    return f"{int(number):,} {what}{'' if number == 1 else 's'}"
