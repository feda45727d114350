"""Training of the agent that chooses repair operators."""

import os
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...batch import Batch
from ...budget import Budget
from ...pulse import Pulse
from ...stage import Stage
from ...state import State
from ...tasks.waiting import Beat, run_aside, within
from ..generation.crowding import crowd, scatter
from ..generation.generator import generate_with_timetable
from ..model.formulation import Formulation
from ..model.instance import Instance
from ..model.solution import Solution
from .compile_aside import compile_aside

if TYPE_CHECKING:
    from ..search import SearchProblem
    from ..search.repairing.repair_environment import RepairEnvironment

COURSES = (60, 130)
OCCUPANCY = (0.8, 0.9, 1.0)
BARRED = (0.2, 0.6)
LINKED = (0.1, 0.25)
"""Ranges that the generated instances are drawn from: from easy to hardly solvable."""
RATES = (0.1, 0.01)
"""Learning rates at the beginning and at the end."""
THROWN = (0.2, 1.0)
"""Range of the part of a timetable's lectures that is thrown to where they conflict."""

COMPILATION = 0.3
"""Of the first batch, the part that compiling takes; most of the rest is for the instances."""
SECONDS_OF_A_LESSON = 0.3


class Lesson(NamedTuple):
    """An instance to learn from, and a timetable of it to spoil."""

    instance: Instance
    solution: Solution
    search: "SearchProblem"


class TrainAgent(Stage):
    """Train a repair agent on many instances.

    The problem is a sequence of instances or paths of them, or None for
    crowded instances that are generated from the run's seed. In each visit to
    an instance, part of a timetable's lectures is thrown to where they
    conflict, and the agent repairs it in a `RepairEnvironment`, as in
    `RLRepair`. The same seed, instances and episodes give the same agent.
    Leaves ``agent``, a `QLearner`, on the state, from the start; its `save`
    writes a file that ``RLRepair(agent=...)`` takes.

    Parameters
    ----------
    episodes
        Episodes in all; with a time limit the time may end it before.
    visit
        Most episodes in a visit to an instance.
    instances
        Instances that are generated if none are given.
    batch_size
        Episodes in a batch.
    epsilon
        Probability of a random operator, so that nothing stays untried.
    formulation
        The constraints that count, by name or as an object.
    agent
        Path of an agent to go on with; None for one that knows nothing.

    Raises
    ------
    ValueError
        If a parameter is impossible; in `run`, for no instances.
    TimetableError
        In `run`, if an instance or the agent's file cannot be read.
    """

    __module__ = "schoolbell.stages"

    name = "train"
    unit = "episode"
    metrics = ("reward", "left")
    label = "Training"
    tunable = ("batch_size", "epsilon", "visit")

    def __init__(
        self,
        episodes: int = 200_000,
        visit: int = 400,
        instances: int = 60,
        batch_size: int = 50,
        epsilon: float = 0.05,
        formulation: str | Formulation = "UD2",
        agent: str | os.PathLike[str] | None = None,
    ) -> None:
        for name, value in (
            ("episodes", episodes),
            ("visit", visit),
            ("instances", instances),
            ("batch_size", batch_size),
        ):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0.0 <= epsilon <= 1.0:
            raise ValueError(f"epsilon must be from 0 to 1, got {epsilon}")
        Formulation.of(formulation)
        self.episodes = episodes
        self.visit = visit
        self.instances = instances
        self.batch_size = batch_size
        self.epsilon = epsilon
        self.formulation = formulation
        self.agent = agent

    def check_problem(self, problem: Any, initial: Any) -> None:
        """Read the instances."""
        for one in problem or ():
            if not isinstance(one, Instance):
                Instance.read(one)

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        """Train; each batch is a few episodes of a visit."""
        from ..search.repairing.repair_agent import load_repair_agent, new_repair_agent

        agent = new_repair_agent() if self.agent is None else load_repair_agent(self.agent)
        state.agent = agent
        lessons = yield from self._lessons(state, budget)
        done = visits = 0
        while done < self.episodes and not budget.should_end:
            environment = self._environment(state, lessons[visits % len(lessons)], visits)
            until = min(done + self.visit, self.episodes)
            while done < until and environment.rank[0] and not budget.should_end:
                batch = min(self.batch_size, until - done)
                agent.rate = _rate(done / self.episodes)
                played, succeeded = environment.play(agent, batch, self.epsilon)
                done += played
                left = int(environment.best_total[0])
                yield Batch(done, self.episodes, {"reward": succeeded / played, "left": left})
            visits += 1

    def _lessons(self, state: State, budget: Budget) -> Generator[Beat, None, list[Lesson]]:
        """Read or generate the instances, and have the kernels compiled."""
        formulation = Formulation.of(self.formulation)
        given: Sequence[Any] | None = state.problem
        if given is not None and not given:
            raise ValueError("there are no instances to train on")
        # All this is part of the first batch.
        yield from within(0.0, COMPILATION, compile_aside(state, budget, formulation))
        lessons = []
        count = self.instances if given is None else len(given)
        for index in range(count):
            seed = state.seed_sequence(self.name, 0, index)
            problem = None if given is None else given[index]
            making = run_aside(
                _make_lesson, problem, formulation, seed, expected=SECONDS_OF_A_LESSON
            )
            low, high = (
                COMPILATION + (0.9 - COMPILATION) * (index + more) / count for more in (0, 1)
            )
            lessons.append((yield from within(low, high, making)))
            yield Pulse(high, f"Making the instances: {index + 1}/{count}")
        long = next((one.instance for one in lessons if one.search.by_bits), None)
        if long is not None:
            week = long.periods_per_day, long.days
            compiling = compile_aside(state, budget, formulation, *week)
            yield from within(0.9, 1.0, compiling)
        return lessons

    def _environment(self, state: State, lesson: Lesson, visit: int) -> "RepairEnvironment":
        """Spoil a timetable anew."""
        from ..search.repairing.repair_environment import RepairEnvironment

        seed = state.seed_sequence(self.name, 1, visit)
        rng = np.random.default_rng(seed)
        places = scatter(lesson.instance, lesson.solution, rng.uniform(*THROWN), rng)
        environment = RepairEnvironment(lesson.search, *places)
        environment.restart(seed)
        return environment


def _rate(part: float) -> float:
    return RATES[0] * (RATES[1] / RATES[0]) ** part


def _make_lesson(problem: Any, formulation: Formulation, seed: np.random.SeedSequence) -> Lesson:
    from ..search import build_search_problem
    from ..search.building.greedy import greedy_timetable

    rng = np.random.default_rng(seed)
    if problem is None:
        instance, solution = crowded_instance(rng)
    else:
        instance = problem if isinstance(problem, Instance) else Instance.read(problem)
        solution = Solution.of_lectures(instance, *greedy_timetable(instance, rng))
    return Lesson(instance, solution, build_search_problem(instance, formulation))


def crowded_instance(rng: np.random.Generator) -> tuple[Instance, Solution]:
    """Generate an instance with little room to move, and the timetable hidden in it."""
    instance, solution = generate_with_timetable(
        int(rng.integers(*COURSES, endpoint=True)),
        int(rng.integers(2**32)),
        float(rng.choice(OCCUPANCY)),
    )
    crowded = crowd(instance, solution, rng.uniform(*BARRED), rng.uniform(*LINKED), rng)
    return crowded, Solution(crowded, solution.courses, solution.periods, solution.rooms)
