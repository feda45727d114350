"""The first stage: from a file to arrays and compiled kernels."""

import hashlib
import os
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ...batch import Batch
from ...budget import Budget
from ...pulse import Pulse
from ...stage import Stage
from ...state import State
from ...tasks.stop_flag import StopFlag
from ...tasks.waiting import Beat, run_aside, within
from ..bounds.infeasibility import infeasibility
from ..cost.evaluation import evaluate
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

# What reading an instance, laying out the arrays and evaluating a timetable may take.
STEP_SECONDS = 1.0
# What the whole stage takes on an instance of usual size.
USUAL_SECONDS = 1.5
# Of the last step, the part of the compilation; the rest is the lower bound's.
COMPILATION = 0.8


class Load(Stage):
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

    name = "load"
    unit = "step"
    leaves = ("instance", "formulation", "search", "prepared")
    share = 2.0
    label = "Loading"
    tunable = ()
    brief = True
    # No other stage works without it.
    skippable = False
    goals = ("min",)

    def __init__(self, formulation: str | Formulation = "UD2") -> None:
        Formulation.of(formulation)
        self.formulation = formulation
        # The problem of the run that is about to begin, and what was read of it.
        self._checked: tuple[Any, Instance] | None = None

    def check_problem(self, problem: Any, initial: Any) -> None:
        """Read the instance, and the initial timetable if there is one."""
        instance = _instance(problem)
        check_timeslots(instance)
        if initial is not None:
            _solution(initial, instance)
        self._checked = problem, instance

    @property
    def prepares(self) -> type[TimetableProblem]:
        """A timetabling problem."""
        return TimetableProblem

    def _instance(self, problem: Any) -> Instance:
        if self._checked is not None and self._checked[0] is problem:
            return self._checked[1]
        return _instance(problem)

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        steps = 3 if state.initial is None else 4
        yield Pulse(0.0, total=steps)
        yield from self._prepare(state, budget, steps, state.initial)
        yield from within(COMPILATION, 1.0, _bound(state, budget))
        yield Batch(steps, steps)

    def expected_seconds(self, state: State, time_limit: float | None) -> float | None:
        """Return what it takes where the kernels are compiled."""
        return USUAL_SECONDS if time_limit is None else None

    def identify(self, problem: Any) -> str:
        """Return a digest of the instance."""
        return hashlib.sha256(self._instance(problem).dumps().encode()).hexdigest()

    def describe(self, problem: Any) -> dict[str, Any]:
        """Return the formulation's name, and of an instance's file the path and a digest."""
        told = {"formulation": Formulation.of(self.formulation).name}
        if isinstance(problem, str | os.PathLike):
            path = Path(problem).resolve()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            told |= {"instance": str(path), "instance_sha256": digest}
        return told

    def restore(self, state: State, budget: Budget) -> Iterator[Pulse | None]:
        """Do the same again; a backup holds what became of the initial timetable."""
        for beat in self._prepare(state, budget, 3, None):
            # Its batches were counted before.
            yield beat if isinstance(beat, Pulse) else None
        if state.solution is not None:
            found = yield from run_aside(evaluate, state.solution, state.formulation)
            if (found.violations, found.cost) != (state.violations, state.cost):
                raise ValueError(
                    f"the best timetable has {found.violations} violations and cost {found.cost}, "
                    f"not {state.violations} and {state.cost}"
                )

    def _prepare(
        self, state: State, budget: Budget, steps: int, initial: Any
    ) -> Iterator[Batch | Pulse | None]:
        formulation = state.formulation = Formulation.of(self.formulation)
        state.present = partial(evaluate, formulation=formulation)
        state.instance = yield from run_aside(self._instance, state.problem, expected=STEP_SECONDS)
        self._checked = None
        state.pack_solutions(_packed, partial(_unpacked, state.instance))
        state.rule_out((yield from run_aside(infeasibility, state.instance, formulation)))
        yield Batch(1, steps)

        if initial is not None:
            reading = run_aside(_solution, initial, state.instance, expected=STEP_SECONDS)
            solution = yield from within(0.0, 0.5, reading)
            counting = run_aside(evaluate, solution, formulation, expected=STEP_SECONDS)
            evaluation = yield from within(0.5, 1.0, counting)
            state.offer(solution, evaluation.cost, evaluation.violations)
            yield Batch(2, steps)

        problem = TimetableProblem(state.instance, formulation)
        state.search = yield from run_aside(_search_problem, problem, expected=STEP_SECONDS)
        state.prepared = problem
        yield Batch(steps - 1, steps)
        week = state.instance.periods_per_day, state.instance.days
        yield from within(0.0, COMPILATION, compile_aside(state, budget, formulation, *week))


class _WrongProblemError(TimetableError, TypeError):
    """What `fit` was given is of another type than it must be."""


def _bound(state: State, budget: Budget) -> Generator[Beat, None, None]:
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


def _packed(solution: Solution) -> dict[str, Any]:
    return {name: getattr(solution, name) for name in ("courses", "periods", "rooms")}


def _unpacked(instance: Instance, arrays: dict[str, Any]) -> Solution:
    return Solution(instance, arrays["courses"], arrays["periods"], arrays["rooms"])


def _search_problem(problem: TimetableProblem) -> Any:
    return problem.search


def _instance(problem: Any) -> Instance:
    if isinstance(problem, Instance):
        return problem
    if isinstance(problem, str | os.PathLike):
        return Instance.read(problem)
    raise _WrongProblemError(
        f"the problem must be an Instance or the path of one, got {type(problem).__name__}"
    )


def _solution(initial: Any, instance: Instance) -> Solution:
    if isinstance(initial, str | os.PathLike):
        return Solution.read(initial, instance)
    if not isinstance(initial, Solution):
        raise _WrongProblemError(
            f"initial must be a Solution or the path of one, got {type(initial).__name__}"
        )
    if initial.instance != instance:
        raise TimetableError(
            f"the initial timetable is of instance {initial.instance.name!r}, "
            f"which differs from the problem, {instance.name!r}"
        )
    return initial
