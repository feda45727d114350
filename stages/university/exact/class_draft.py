"""A timetable in which classes change their times and rooms."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...tasks.task import Task
from ..cost.evaluation import evaluate
from ..model.solution import Solution
from .option_costs import Places
from .shared_students import SharedStudents
from .troubles import troubled

if TYPE_CHECKING:
    from .class_division import ClassDivision


class ClassDraft:
    """A timetable as `CPSAT` changes it; a `schoolbell.stages.problem.Draft`.

    Parameters
    ----------
    division
        Of which it is.
    places
        Where the classes are.
    enrolments
        Rows ``(student, class)``, sorted.
    flags
        Which classes have no time or break a required rule, if that is known.
    """

    def __init__(
        self,
        division: ClassDivision,
        places: Places,
        enrolments: NDArray[np.int64],
        flags: NDArray[np.bool_] | None = None,
    ) -> None:
        self.division = division
        self.places = places
        self.enrolments = enrolments
        if flags is not None:
            vars(self)["troubled"] = flags

    @property
    def times(self) -> NDArray[np.int64]:
        """Time of each class, as a `Solution` of the reduced instance has it."""
        rows = self.places.rows
        first = self.division.book.tables.time_starts[:-1]
        return np.where(rows >= 0, rows - first, -1)

    @cached_property
    def shared(self) -> SharedStudents:
        """How many students the classes share."""
        return SharedStudents.of(self.division.book.n_classes, self.enrolments)

    @cached_property
    def troubled(self) -> NDArray[np.bool_]:
        """Whether a class has no time or breaks a required rule, (n_classes,)."""
        return troubled(self.division.book, self.places)

    @property
    def missing(self) -> int:
        """Classes without a time, or that break a required rule."""
        return int(self.troubled.sum())

    def differs(self, classes: NDArray[np.intp], placed: NDArray[np.int64]) -> bool:
        """Tell whether some classes have other times or rooms, (n, 2)."""
        return bool((placed != self._placed()[classes]).any())

    def change(self, changes: Sequence[tuple[NDArray[np.intp], NDArray[np.int64]]]) -> Task:
        """Give some classes new times and rooms."""
        book = self.division.book
        rows, rooms = self.places.rows.copy(), self.places.rooms.copy()
        first = book.tables.time_starts
        for classes, placed in changes:
            _check_placed(placed, len(classes), book.n_rooms)
            if (placed[:, 0] >= first[classes + 1] - first[classes]).any():
                raise ValueError("expected times that the classes have")
            rows[classes] = first[classes] + placed[:, 0]
            rooms[classes] = placed[:, 1]
        new = Places(rows, rooms)

        def draft(flags: NDArray[np.bool_]) -> ClassDraft:
            return self._moved(new, flags)

        return Task(troubled, (book, new), draft)

    def evaluate(self) -> tuple[Solution, int, int]:
        """Return the timetable of the whole instance, its violations and its cost."""
        found = evaluate(self.division.restored(self.times, self.places.rooms, self.enrolments))
        return found.solution, found.violations, found.cost

    def state_dict(self) -> dict[str, Any]:
        """Return time and room of each class, and who attends what."""
        return {
            "times": self.times,
            "rooms": self.places.rooms.copy(),
            "enrolments": self.enrolments.copy(),
        }

    def _placed(self) -> NDArray[np.int64]:
        return np.stack([self.times, self.places.rooms], axis=1)

    def _moved(self, places: Places, flags: NDArray[np.bool_]) -> ClassDraft:
        new = ClassDraft(self.division, places, self.enrolments, flags)
        # Nobody has changed classes.
        if "shared" in vars(self):
            vars(new)["shared"] = self.shared
        return new


def _check_placed(placed: NDArray[np.int64], n: int, n_rooms: int) -> None:
    right = placed.shape == (n, 2) and np.issubdtype(placed.dtype, np.integer)
    if not right or (placed < [0, -1]).any() or (placed[:, 1] >= n_rooms).any():
        raise ValueError(f"expected time and room of {n} classes, got {placed.dtype} of shape "
                         f"{placed.shape}")  # fmt: skip
