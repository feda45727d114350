"""The first step of a pipeline: from a file to what the engines work on."""

from __future__ import annotations

import hashlib
import os
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, ClassVar

from ..batch import Batch
from ..budget import Budget
from ..pulse import Pulse
from ..stage import Stage
from ..state import State
from ..tasks.waiting import Beat, run_aside, within

# What reading an instance and evaluating a solution may take.
STEP_SECONDS = 1.0
# Of the last step, the part of the compilation; the rest is the lower bound's.
COMPILATION = 0.8


class LoadStep(Stage):
    """Reads an instance, prepares it, takes the initial solution and bounds the cost.

    What is of one problem alone is told by the methods that are abstract here.
    """

    name = "load"
    unit = "step"
    share = 2.0
    # Importing and reading take what they take, much of a short run.
    time_share = 12.0
    label = "Loading"
    tunable = ()
    brief = True
    # No other stage works without it.
    skippable = False
    goals = ("min",)

    #: Types of what is solved and of what solves it; both have ``read``.
    instance_type: ClassVar[type[Any]]
    solution_type: ClassVar[type[Any]]
    #: What is raised for a wrong problem or initial solution.
    error: ClassVar[type[Exception]]
    #: What a solution is called.
    noun: ClassVar[str] = "timetable"

    # The problem of the run that is about to begin, and what was read of it.
    _checked: tuple[Any, Any] | None = None

    @abstractmethod
    def check_instance(self, instance: Any) -> None:
        """Raise the problem's error for an instance that no run can take."""

    @abstractmethod
    def evaluator(self) -> Callable[[Any], Any]:
        """Return what counts violations and cost of a solution."""

    @abstractmethod
    def pack(self, solution: Any) -> dict[str, Any]:
        """Make plain data of a solution."""

    @abstractmethod
    def unpack(self, instance: Any, data: dict[str, Any]) -> Any:
        """Make a solution of plain data."""

    @abstractmethod
    def infeasibility(self, instance: Any) -> list[str]:
        """Tell in words why no solution can be feasible; nothing where that is not known."""

    @abstractmethod
    def prepare(self, state: State) -> Generator[Beat, None, None]:
        """Leave ``prepared`` on the state."""

    @abstractmethod
    def compile(self, state: State, budget: Budget) -> Generator[Beat, None, None]:
        """Have the kernels compiled that later stages need."""

    @abstractmethod
    def bound(self, state: State, budget: Budget) -> Generator[Beat, None, None]:
        """Prove what every solution costs at least."""

    def read(self, problem: Any) -> Generator[Beat, None, Any]:
        """Read the instance aside."""
        return run_aside(self._instance, problem, expected=STEP_SECONDS)

    def check_problem(self, problem: Any, initial: Any) -> None:
        """Read the instance, and the initial solution if there is one."""
        instance = self._read(problem)
        self.check_instance(instance)
        if initial is not None:
            self._solution(initial, instance)
        self._checked = problem, instance

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        steps = 3 if state.initial is None else 4
        yield Pulse(0.0, total=steps)
        yield from self._prepare(state, budget, steps, state.initial)
        yield from within(COMPILATION, 1.0, self.bound(state, budget))
        yield Batch(steps, steps)

    def describe(self, problem: Any) -> dict[str, Any]:
        """Return of an instance's file the path and a digest."""
        if not isinstance(problem, str | os.PathLike):
            return {}
        path = Path(problem).resolve()
        return {
            "instance": str(path),
            "instance_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }

    def identify(self, problem: Any) -> str:
        """Return a digest of the instance."""
        return hashlib.sha256(self._instance(problem).dumps().encode()).hexdigest()

    def restore(self, state: State, budget: Budget) -> Iterator[Pulse | None]:
        """Do the same again; a backup holds what became of the initial solution."""
        for beat in self._prepare(state, budget, 3, None):
            # Its batches were counted before.
            yield beat if isinstance(beat, Pulse) else None
        if state.solution is not None:
            found = yield from run_aside(self.evaluator(), state.solution)
            if (found.violations, found.cost) != (state.violations, state.cost):
                raise ValueError(
                    f"the best {self.noun} has {found.violations} violations and cost "
                    f"{found.cost}, not {state.violations} and {state.cost}"
                )

    def _prepare(
        self, state: State, budget: Budget, steps: int, initial: Any
    ) -> Iterator[Batch | Pulse | None]:
        evaluate = state.present = self.evaluator()
        instance = state.instance = yield from self.read(state.problem)
        self._checked = None
        state.pack_solutions(self.pack, lambda data: self.unpack(instance, data))
        state.rule_out((yield from run_aside(self.infeasibility, instance)))
        yield Batch(1, steps)

        if initial is not None:
            reading = run_aside(self._solution, initial, instance, expected=STEP_SECONDS)
            solution = yield from within(0.0, 0.5, reading)
            counting = run_aside(evaluate, solution, expected=STEP_SECONDS)
            evaluation = yield from within(0.5, 1.0, counting)
            state.offer(solution, evaluation.cost, evaluation.violations)
            yield Batch(2, steps)

        yield from self.prepare(state)
        yield Batch(steps - 1, steps)
        yield from within(0.0, COMPILATION, self.compile(state, budget))

    def _instance(self, problem: Any) -> Any:
        if self._checked is not None and self._checked[0] is problem:
            return self._checked[1]
        return self._read(problem)

    def _read(self, problem: Any) -> Any:
        if isinstance(problem, self.instance_type):
            return problem
        if isinstance(problem, str | os.PathLike):
            return self.instance_type.read(problem)
        found = _kind_of(problem, self.instance_type)
        raise self._wrong_type(f"the problem must be an Instance or the path of one, got {found}")

    def _solution(self, initial: Any, instance: Any) -> Any:
        if isinstance(initial, str | os.PathLike):
            return self.solution_type.read(initial, instance)
        if not isinstance(initial, self.solution_type):
            found = _kind_of(initial, self.solution_type)
            raise self._wrong_type(f"initial must be a Solution or the path of one, got {found}")
        if initial.instance != instance:
            raise self.error(
                f"the initial {self.noun} is of instance {initial.instance.name!r}, "
                f"which differs from the problem, {instance.name!r}"
            )
        return initial

    def _wrong_type(self, message: str) -> Exception:
        """Return the problem's error, as a TypeError too."""
        kind: Any = type
        return kind("WrongProblemError", (self.error, TypeError), {})(message)


def _kind_of(value: Any, expected: type) -> str:
    """Name a value's type, and where it is of another problem the type of the same name."""
    name = type(value).__name__
    if name != expected.__name__:
        return name
    return f"one of {type(value).__module__}, expected one of {expected.__module__}"
