"""The first stage: from a file to a reduced instance and compiled kernels."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from ...budget import Budget
from ...pulse import Pulse
from ...state import State
from ...steps.compile_aside import compile_aside
from ...steps.load_step import LoadStep
from ...tasks.waiting import Beat, run_aside, within
from ..cost.evaluation import Evaluation, evaluate
from ..errors import TimetableError
from ..exact.least_cost import infeasibility, least_cost
from ..model.instance import Instance
from ..model.solution import Solution
from ..reduction.reduce import reduce
from ..university_problem import UniversityProblem

# What reducing takes for a class, with what rules and students it has.
REDUCING_A_CLASS = 3e-3

# What importing takes, and reading, checking and reducing: most of it is for room options, times
# and the travel between rooms.
LEAST_SECONDS, SECONDS_OF_A_PACKED_BYTE, SECONDS_OF_A_BYTE = 1.0, 4e-6, 3e-7

# What measuring the search takes.
MEASURING_SECONDS = 0.3


class LoadUniversity(LoadStep):
    """Read a university and prepare what the later stages work on.

    The problem is an `Instance` or the path of an ``.xml`` or ``.xml.gz`` file of ITC-2019.
    A run's ``initial`` timetable, a `Solution` or the path of one, becomes its first
    solution. Leaves ``prepared``, a `UniversityProblem` for the engines, with its
    ``instance``, how to `present` a timetable, a lower ``bound`` of what one without
    violations costs, and where a class or the students cannot be placed, why
    (``infeasible_because``).

    Raises
    ------
    TimetableError
        Before the run, if the problem or the initial timetable is of another type, cannot
        be read, or do not belong together.
    """

    __module__ = "schoolbell.stages"

    leaves = ("instance", "prepared")

    instance_type, solution_type, error = Instance, Solution, TimetableError

    @property
    def prepares(self) -> type[UniversityProblem]:
        """A university's problem."""
        return UniversityProblem

    def expected_seconds(self, state: State, time_limit: float | None) -> float | None:
        """Return what files of this size took."""
        problem = state.problem
        if isinstance(problem, Instance):
            return LEAST_SECONDS + REDUCING_A_CLASS * len(problem.classes)
        try:
            size = Path(problem).stat().st_size
        except (OSError, TypeError):
            return None
        packed = os.fspath(problem).endswith(".gz")
        return LEAST_SECONDS + size * (SECONDS_OF_A_PACKED_BYTE if packed else SECONDS_OF_A_BYTE)

    def check_instance(self, instance: Instance) -> None:
        """Do nothing: an instance has been checked when it was made."""

    def read(self, problem: Any) -> Generator[Beat, None, Instance]:
        """Read the instance aside; its file tells how far that is."""
        known = self._checked is not None and self._checked[0] is problem
        if known or not isinstance(problem, str | os.PathLike):
            return (yield from super().read(problem))
        part = [0.0]
        reading = run_aside(Instance.read, problem, lambda done: part.__setitem__(0, done))
        while True:
            try:
                next(reading)
            except StopIteration as end:
                return end.value
            yield Pulse(0.9 * part[0])

    def evaluator(self) -> Callable[[Solution], Evaluation]:
        """Return what counts by the definitions."""
        return evaluate

    def pack(self, solution: Solution) -> dict[str, Any]:
        """Return a timetable's arrays."""
        return {name: getattr(solution, name) for name in ("times", "rooms", "enrolments")}

    def unpack(self, instance: Instance, data: dict[str, Any]) -> Solution:
        """Make a timetable of its arrays."""
        return Solution(instance, data["times"], data["rooms"], data["enrolments"])

    def infeasibility(self, instance: Instance) -> list[str]:
        """Look for classes and students for whom there is no place."""
        return infeasibility(instance)

    def prepare(self, state: State) -> Generator[Beat, None, None]:
        """Reduce the instance."""
        expected = REDUCING_A_CLASS * len(state.instance.classes)
        message = "Loading: leaving out what no timetable can have"
        reduction = yield from run_aside(reduce, state.instance, expected=expected, message=message)
        state.prepared = UniversityProblem(reduction)

    def compile(self, state: State, budget: Budget) -> Generator[Beat, None, None]:
        """Have the kernels compiled, which no limit counts, and see how fast they are."""
        # Here and not above: importing numba takes longer than all the rest of the package.
        from ..search.warm_up import KERNELS, compile_kernels

        yield from within(0.0, 0.9, compile_aside(state, budget, KERNELS, compile_kernels))
        measuring = run_aside(state.prepared.measure_speed, expected=MEASURING_SECONDS)
        yield from within(0.9, 1.0, measuring)

    def bound(self, state: State, budget: Budget) -> Generator[Beat, None, None]:
        """Add up the cheapest options of all classes."""
        state.prove((yield from run_aside(least_cost, state.prepared.instance)))
