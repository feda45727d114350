"""The classes of a university, to be freed and solved by CP-SAT."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...problem import SolveLimits
from ...ragged import starts_of
from ...tasks.stop_flag import StopFlag
from ...tasks.task import Task
from ..errors import TimetableError
from ..model.solution import Solution
from .class_draft import ClassDraft
from .neighbourhood import neighbourhood, place_all
from .option_costs import Places
from .rule_book import RuleBook

if TYPE_CHECKING:
    from ..reduction.reduction import Reduction
    from ..search.places import Places as KernelPlaces
    from ..search.places import Translation
    from ..search.search_problem import SearchProblem

# What the first timetable takes for each class, in seconds.
SECONDS_OF_A_CLASS = 2e-3

# What counting a class's rules takes, and what a student's course does.
SECONDS_OF_A_PLACE, SECONDS_OF_A_DEMAND = 2e-5, 8e-6

# A violation counts as so many units of the heaviest weight.
VIOLATION = 1000

# Variables and constraints of two classes that have a rule or may have one room.
SIZE_OF_A_PAIR = 40


class ClassDivision:
    """The classes of an instance; a `schoolbell.stages.problem.Division`.

    Parameters
    ----------
    reduction
        The instance, and what is left of it to choose from.
    search
        What is left, as the kernels take it.
    """

    nouns = ("classes", "classes")

    def __init__(self, reduction: Reduction, search: SearchProblem) -> None:
        self.reduction = reduction
        self._search = search
        self.book = RuleBook.of(reduction.instance)

    @cached_property
    def _translation(self) -> Translation:
        from ..search.places import Translation

        return Translation(self.reduction, self._search)

    @property
    def violation(self) -> int:
        """Cost of breaking a required rule."""
        weights = self.book.weights
        return VIOLATION * max(1, weights.time, weights.room, weights.distribution, weights.student)

    @cached_property
    def neighbours(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Classes that each class has a rule with.

        Those that may have its rooms are none: with them nearly all would be, and what two
        parts put into one room at a time is not taken.
        """
        book = self.book
        n = book.n_classes
        owner = np.repeat(np.arange(n), np.diff(book.starts))
        keys = [owner * n + book.other]
        for rule in book.global_rules:
            keys.append((rule.classes[:, None] * n + rule.classes).ravel())
        mine, others = np.divmod(np.unique(np.concatenate(keys)), n)
        mine, others = mine[mine != others], others[mine != others]
        return starts_of(np.bincount(mine, minlength=n)), others

    @property
    def evaluation_seconds(self) -> float:
        """What evaluating a timetable takes, most of it for who attends what."""
        demands = len(self._search.demand_course)
        return SECONDS_OF_A_PLACE * self.book.n_classes + SECONDS_OF_A_DEMAND * demands

    def restored(
        self, times: NDArray[np.int64], rooms: NDArray[np.int64], enrolments: NDArray[np.int64]
    ) -> Solution:
        """Return a solution of the whole instance."""
        smaller = Solution(self.reduction.instance, times, rooms, enrolments)
        return self.reduction.restore(smaller)

    def draft(self, solution: Solution | None = None) -> ClassDraft | None:
        """Take a timetable of the whole instance; None for one that is no good to start from."""
        n = self.book.n_classes
        if solution is None:
            nothing = np.full(n, -1)
            return ClassDraft(self, Places(nothing, nothing), np.zeros((0, 2), np.int64))
        try:
            smaller = self.reduction.shrink(solution)
        except TimetableError:
            return None
        return ClassDraft(
            self, Places(smaller.time_rows, np.array(smaller.rooms)), np.array(smaller.enrolments)
        )

    def construct(self, rng: np.random.Generator, limits: SolveLimits, flag: StopFlag) -> Task:
        """Search for times, rooms and sections that break no required rule."""
        from ..search.settling import WARM, settle
        from ..search.temperatures import usual_change

        translation = self._translation
        warm = WARM * usual_change(self._search, self.reduction.instance)

        def draft(found: KernelPlaces) -> ClassDraft:
            rooms = np.append(translation.problem.room, -1)[found.option]
            enrolments = translation.enrolments(found.bundle)
            order = np.lexsort((enrolments[:, 1], enrolments[:, 0]))
            return ClassDraft(self, Places(found.row, rooms.astype(np.int64)), enrolments[order])

        seconds = SECONDS_OF_A_CLASS * self.book.n_classes
        n = self.book.n_classes
        # Looked at while it is filled.
        placed = np.zeros(1, np.int64)

        found: list[KernelPlaces] = []

        def counts() -> tuple[int, int]:
            return int(placed[0]), n

        def so_far() -> KernelPlaces | None:
            return found[0] if found else None

        arguments = translation, warm, rng, limits, flag, placed, found
        return Task(settle, arguments, draft, seconds, counts, so_far)

    def incomplete(self, draft: ClassDraft) -> NDArray[np.intp]:
        """List the classes without a time and those that break a required rule."""
        return np.flatnonzero(draft.troubled)

    def model_size(self, classes: NDArray[np.intp]) -> int:
        """Count the options of the classes and of their pairs."""
        tables = self.book.tables
        options = np.diff(tables.time_starts) + np.diff(tables.room_starts)
        pairs = len(classes) * (len(classes) - 1) // 2
        return int(options[classes].sum()) + SIZE_OF_A_PAIR * pairs

    def feasible(
        self,
        classes: NDArray[np.intp],
        draft: ClassDraft,
        limits: SolveLimits,
        seed: int,
        flag: StopFlag,
    ) -> Task:
        """Look for times and rooms that break no required rule."""
        return Task(place_all, (self.book, classes, draft.places, limits, seed, flag))

    def improve(
        self,
        classes: NDArray[np.intp],
        draft: ClassDraft,
        limits: SolveLimits,
        seed: int,
        flag: StopFlag,
        parts: int,
        index: int,
    ) -> Task:
        """Look for times and rooms at less cost; what is broken may stay so, at a price."""
        violation = self.violation if draft.troubled[classes].any() else None
        arguments = self.book, classes, draft.places, draft.shared, limits, seed, flag, violation
        return Task(neighbourhood, arguments)

    def learn(self, draft: ClassDraft) -> None:
        """Do nothing: the models hold all rules that a draft is looked through for."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: nothing is learned."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> ClassDraft:
        """Take back a timetable."""
        instance = self.reduction.instance
        smaller = Solution(instance, state["times"], state["rooms"], state["enrolments"])
        return ClassDraft(
            self, Places(smaller.time_rows, np.array(smaller.rooms)), np.array(smaller.enrolments)
        )
