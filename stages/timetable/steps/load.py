"""The first stage: from a file to arrays and compiled kernels."""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from ...budget import Budget
from ...state import State
from ...steps.load_step import STEP_SECONDS, LoadStep
from ...tasks.stop_flag import StopFlag
from ...tasks.waiting import Beat, run_aside, within
from ..bounds.infeasibility import infeasibility
from ..cost.evaluation import Evaluation, evaluate
from ..errors import TimetableError
from ..model.formulation import Formulation
from ..model.instance import Instance
from ..model.limits import check_timeslots
from ..model.solution import Solution
from ..timetable_problem import TimetableProblem
from .compile_aside import compile_aside

BOUND_EFFORT = 1.0
"""CP-SAT's deterministic time for the lower bound."""

LEAST_SECONDS, MOST_SECONDS = 0.1, 1.0
"""What the lower bound may take of a run with a time limit."""

# What measuring how fast the search is takes.
MEASURING_SECONDS = 0.2

# What the whole stage takes on an instance of usual size.
USUAL_SECONDS = 1.5


class Load(LoadStep):
    """Read the problem and prepare what the later stages work on.

    The problem is an `Instance` or the path of a ``.ctt`` or ``.ectt`` file.
    A run's ``initial`` timetable, a `Solution` or the path of one, becomes its
    first solution. Leaves ``prepared``, a `TimetableProblem` for the engines, with its
    ``instance``, ``formulation`` and ``search``, how to `present` a timetable, a lower
    ``bound`` of what one without violations costs, and where counting shows that there
    is none, why (``infeasible_because``).

    Parameters
    ----------
    formulation
        The constraints that count and their weights, by name or as an object.

    Raises
    ------
    TimetableError
        If the formulation is unknown; before the run, if the problem or the initial
        timetable is of another type, cannot be read, or do not belong together.
    """

    __module__ = "schoolbell.stages"

    leaves = ("instance", "formulation", "search", "prepared")

    instance_type, solution_type, error = Instance, Solution, TimetableError

    def __init__(self, formulation: str | Formulation = "UD2") -> None:
        Formulation.of(formulation)
        self.formulation = formulation

    @property
    def prepares(self) -> type[TimetableProblem]:
        """A timetabling problem."""
        return TimetableProblem

    def expected_seconds(self, state: State, time_limit: float | None) -> float | None:
        """Return what it takes where the kernels are compiled."""
        return USUAL_SECONDS

    def check_instance(self, instance: Instance) -> None:
        """See that a day has no more timeslots than the search can hold."""
        check_timeslots(instance)

    def evaluator(self) -> Callable[[Solution], Evaluation]:
        """Return what counts by the formulation."""
        return partial(evaluate, formulation=Formulation.of(self.formulation))

    def describe(self, problem: Any) -> dict[str, Any]:
        """Return the formulation's name, and of an instance's file the path and a digest."""
        return {"formulation": Formulation.of(self.formulation).name, **super().describe(problem)}

    def pack(self, solution: Solution) -> dict[str, Any]:
        """Return a timetable's arrays."""
        return _packed(solution)

    def unpack(self, instance: Instance, data: dict[str, Any]) -> Solution:
        """Make a timetable of its arrays."""
        return _unpacked(instance, data)

    def infeasibility(self, instance: Instance) -> list[str]:
        """Count places and lectures."""
        return list(infeasibility(instance, Formulation.of(self.formulation)))

    def prepare(self, state: State) -> Generator[Beat, None, None]:
        """Lay out the arrays."""
        formulation = state.formulation = Formulation.of(self.formulation)
        problem = TimetableProblem(state.instance, formulation)
        state.search = yield from run_aside(_search_problem, problem, expected=STEP_SECONDS)
        state.prepared = problem

    def compile(self, state: State, budget: Budget) -> Generator[Beat, None, None]:
        """Have the kernels compiled for the formulation and the week, and see how fast they are."""
        week = state.instance.periods_per_day, state.instance.days
        yield from within(0.0, 0.9, compile_aside(state, budget, state.formulation, *week))
        if budget.seconds is None:
            # With a limit the time is known.
            measuring = run_aside(state.prepared.measure_speed, expected=MEASURING_SECONDS)
            yield from within(0.9, 1.0, measuring)

    def bound(self, state: State, budget: Budget) -> Generator[Beat, None, None]:
        """Prove what every timetable costs at least, in the time that is left of the stage's."""
        # Here and not above: OR-Tools takes long to import.
        from ..bounds.lower_bound import lower_bound

        state.prove(0)
        seconds = None
        if budget.seconds is not None:
            left = budget.seconds - budget.elapsed + state.overtime
            seconds = min(max(left, LEAST_SECONDS), MOST_SECONDS)
        flag = StopFlag()
        try:
            bound = yield from run_aside(
                lower_bound,
                state.instance,
                state.formulation,
                BOUND_EFFORT,
                seconds,
                flag,
                expected=BOUND_EFFORT if seconds is None else seconds,
            )
        finally:
            flag.set()
        state.prove(bound)


def _search_problem(problem: TimetableProblem) -> Any:
    return problem.search


# Pickles of runs know these two by their names.
def _packed(solution: Solution) -> dict[str, Any]:
    return {name: getattr(solution, name) for name in ("courses", "periods", "rooms")}


def _unpacked(instance: Instance, data: dict[str, Any]) -> Solution:
    return Solution(instance, data["courses"], data["periods"], data["rooms"])
