"""What is left of an instance when all that leads nowhere is gone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import TimetableError
from ..model.instance import Instance
from ..model.solution import Solution


@dataclass(frozen=True)
class Reduction:
    """A smaller instance with the same feasible solutions at the same cost.

    Attributes
    ----------
    original
        The instance as it was.
    instance
        The smaller one: the same classes and students, fewer options and distributions.
    removed
        How many there are no more, by what they are: ``times``, ``rooms``, ``pairs`` of
        required distributions and ``distributions`` that cost.
    """

    __module__ = "schoolbell.stages.university"

    original: Instance
    instance: Instance
    removed: dict[str, int]

    def restore(self, solution: Solution) -> Solution:
        """Return a solution of the smaller instance as one of the original.

        Raises
        ------
        TimetableError
            If the solution is of another instance.
        """
        return _moved(solution, self.instance, self.original)

    def shrink(self, solution: Solution) -> Solution:
        """Return a solution of the original as one of the smaller instance.

        A class whose time is there no more has none.

        Raises
        ------
        TimetableError
            If the solution is of another instance.
        """
        return _moved(solution, self.original, self.instance)


def _moved(solution: Solution, source: Instance, target: Instance) -> Solution:
    if solution.instance is not source and solution.instance != source:
        raise TimetableError(f"found a solution of another instance, expected one of {source!r}")
    times = []
    pairs = zip(source.classes, target.classes, solution.times.tolist(), strict=True)
    for old, new, at in pairs:
        times.append(
            new.times.index(old.times[at]) if at >= 0 and old.times[at] in new.times else -1
        )
    return Solution(target, np.array(times), solution.rooms, solution.enrolments, solution.about)
