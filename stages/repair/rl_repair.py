"""Repair by reinforcement learning."""

import os
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch
from ..budget import Budget
from ..names import did_you_mean
from ..plain_data import as_count
from ..problem import Environment, Repairable, check_methods, missing_methods, prepared_problem
from ..pulse import Pulse
from ..stage import Stage
from ..state import State
from ..tasks.waiting import PULSE
from .q_learner import QLearner

LEARNED, RANDOM = "learned", "random"
# What the stage takes on a solution without violations.
USUAL_SECONDS = 0.3
EXPLORING = 200
"""Most episodes over which epsilon falls."""
EPISODES_PER_CONFLICT, MOST_EPISODES = 3, 200
"""Episodes that are counted for each thing in conflict, and in all."""
MORE_PER_CONFLICT, FEWEST_MORE = 20, 400
"""Without a time limit, those after which the stage ends even if they still help."""


@runtime_checkable
class Agent(Protocol):
    """What `RLRepair` asks of an agent; `QLearner` is one."""

    def act(self, observation: NDArray[np.int64], epsilon: float, rng: np.random.Generator) -> int:
        """Choose an operator."""
        ...

    def learn(
        self,
        observation: NDArray[np.int64],
        action: int,
        reward: float,
        following: NDArray[np.int64],
        ended: bool,
    ) -> None:
        """Learn from one step."""
        ...


class RLRepair(Stage):
    """Let an agent choose which repair operator is applied to which conflict.

    The problem is a `schoolbell.stages.problem.Repairable`. Every episode picks something
    that violates or costs something, hard conflicts first: of a timetable a lecture's
    place. The agent applies operators to it (of a timetable move, swap, Kempe chain, change
    of room, eject and reinsert) in an `Environment` of the problem, and learns from what
    they brought. The best solution is kept; it is never worse than what the stage got.
    Without violations there is little to win after a genetic algorithm: the stage ends when
    nothing helped for `patience` episodes.

    Parameters
    ----------
    episodes
        Most episodes. None for three for each conflict, 200 at most;
        where they have left a violation or the last of them still helped, the
        stage then goes on, and only says so: while there is time, or without a time
        limit for 20 episodes in all for each conflict that there was, and
        at least 400.
    batch_size
        Episodes in a batch.
    steps
        Most operators applied in an episode.
    epsilon, final_epsilon
        Probability of an operator drawn at random in the first episode, and in
        the last one or from the 200th on. A `QLearner` needs none: it
        chooses the better operator the oftener, never always.
    agent
        Who chooses the operators: None for the agent that comes with the
        problem, the path of one that ``schoolbell train-agent`` wrote, or an
        object. One from a file learns on for this run alone; an object of
        yours keeps what it learns.
    policy
        ``"learned"`` for the agent's choice, ``"random"`` for operators drawn
        at random, or the name of the only operator, of a timetable ``"move"``,
        ``"swap"``, ``"kempe"``, ``"room"`` or ``"eject"``. To measure what the agent is
        worth.
    patience
        Episodes in a row without success after which the stage ends when no
        violation is left.
    violation
        Cost that one violation counts as when an operator compares changes.

    Raises
    ------
    ValueError
        If a parameter is impossible; before the run, if the problem has no operator of
        the policy's name.
    FormatError
        Before the run, if the agent's file cannot be read or is none of such an agent.
    TypeError
        In `run`, if there is no such problem.
    """

    __module__ = "schoolbell.stages"

    name = "rl"
    needs = ("prepared",)
    leaves = ("solution",)
    unit = "episode"
    share = 7.0
    time_share = 1.0
    label = "Repairing"
    metrics = ("epsilon", "reward")
    tunable = ("batch_size", "epsilon", "final_epsilon", "patience")
    only_improves = True
    goals = ("min",)

    def __init__(
        self,
        episodes: int | None = None,
        batch_size: int = 20,
        steps: int = 8,
        epsilon: float = 0.0,
        final_epsilon: float = 0.0,
        agent: "Agent | str | os.PathLike[str] | None" = None,
        policy: str = LEARNED,
        patience: int = 200,
        violation: float = 100.0,
    ) -> None:
        if episodes is not None and episodes < 0:
            raise ValueError(f"episodes must be 0 or more, got {episodes}")
        for name, value in (("batch_size", batch_size), ("steps", steps), ("patience", patience)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0.0 <= final_epsilon <= epsilon <= 1.0:
            raise ValueError(f"epsilon must fall within 0 to 1, got {epsilon} to {final_epsilon}")
        if not isinstance(agent, str | os.PathLike | Agent | None):
            raise ValueError(f"agent must be a path, an agent or None, got {agent!r}")
        if not isinstance(policy, str):
            raise ValueError(f"policy must be the name of one, got {policy!r}")
        self.episodes = episodes
        self.batch_size = batch_size
        self.steps = steps
        self.epsilon = epsilon
        self.final_epsilon = final_epsilon
        self.agent = agent
        self.policy = policy
        self.patience = patience
        self.violation = violation
        self._repairing: _Repairing | None = None
        self._loaded: dict[str, Any] | None = None

    def check(self) -> None:
        """Raise a FormatError if the agent's file is none that can be used."""
        if isinstance(self.agent, str | os.PathLike):
            QLearner.load(self.agent)

    def check_problem(self, problem: Any, initial: Any) -> None:
        """Raise a ValueError or FormatError if policy or agent are none of the problem."""
        if not missing_methods(problem, Repairable):
            self._check_for(problem)

    def check_beside(self, stages: Sequence[Stage]) -> None:
        """As `check_problem`, where another stage will prepare the problem."""
        kinds = [kind for stage in stages if (kind := stage.prepares) is not None]
        if kinds and not missing_methods(kinds[-1], Repairable):
            self._check_for(kinds[-1])

    def _check_for(self, problem: Any) -> None:
        known = (LEARNED, RANDOM, *problem.actions)
        if self.policy not in known:
            close = did_you_mean(self.policy, known)
            allowed = ", ".join(known)
            raise ValueError(f"policy must be one of {allowed}, got {self.policy!r}{close}")
        if isinstance(self.agent, str | os.PathLike):
            problem.repair_agent(self.agent)

    def check_needs(
        self, before: Mapping[str, str], after: Mapping[str, str], problem: Any, initial: Any
    ) -> None:
        """Raise a TypeError where neither a stage before nor `fit` gives a problem for it."""
        if "prepared" not in before:
            check_methods(problem, Repairable, type(self).__name__)

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        """Repair; each batch is a few episodes."""
        if state.solution is None:
            return
        loaded, self._loaded = self._loaded, None
        problem: Repairable = prepared_problem(state, Repairable, type(self).__name__)
        self._check_for(problem)
        self._repairing = _Repairing(self, problem, state, budget)
        try:
            if loaded is not None:
                self._repairing.go_on(loaded)
            yield from self._repairing.run()
        finally:
            self._repairing = None

    def expected_seconds(self, state: State, time_limit: float | None) -> float | None:
        """Return what its patience takes; with violations left it goes on to its time's end."""
        return None if time_limit is not None and state.violations else USUAL_SECONDS

    @property
    def keeps_state(self) -> bool:
        """Whether the agent tells what it has learned; a `QLearner` does."""
        agent = self.agent
        return agent is None or isinstance(agent, str | os.PathLike) or hasattr(agent, "state_dict")

    def state_dict(self) -> dict[str, Any]:
        """Return the environment, the agent if it offers its state, and the random state."""
        return {} if self._repairing is None else self._repairing.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take it back; `run` checks it."""
        self._loaded = state


class _Repairing:
    """One run of the stage."""

    def __init__(self, stage: RLRepair, problem: Repairable, state: State, budget: Budget) -> None:
        self.stage = stage
        self.problem = problem
        self.state = state
        self.budget = budget
        self.environment: Any = problem.repair_environment(
            state.solution, stage.violation, stage.steps
        )
        seed = state.seed_sequence(stage.name)
        self.environment.restart(seed)
        self.rng = np.random.default_rng(seed)
        self.agent = self._agent()
        conflicts = self.environment.count_conflicts()
        self.total = min(MOST_EPISODES, EPISODES_PER_CONFLICT * conflicts)
        self.most: int | None = max(FEWEST_MORE, MORE_PER_CONFLICT * conflicts)
        if stage.episodes is not None:
            self.total = self.most = stage.episodes
        elif budget.seconds is not None:
            self.most = None
        self.done = 0
        # Seconds that an episode took of late.
        self.pace = PULSE

    def state_dict(self) -> dict[str, Any]:
        """Return where the stage is; nothing if the agent keeps what it has learned to itself."""
        if not hasattr(self.agent, "state_dict"):
            return {}
        return {
            "environment": self.environment.state_dict(),
            "agent": self.agent.state_dict(),
            "rng": self.rng.bit_generator.state,
            "total": self.total,
            "episodes": self.most,
            "done": self.done,
        }

    def go_on(self, state: dict[str, Any]) -> None:
        """Be where the stage was; a ValueError if that is no place to be."""
        self.environment.load_state_dict(state["environment"])
        self.agent.load_state_dict(state["agent"])
        self.rng.bit_generator.state = state["rng"]
        self.total = as_count(state["total"])
        self.most = None if state["episodes"] is None else as_count(state["episodes"])
        self.done = as_count(state["done"])

    def run(self) -> Iterator[Batch | Pulse]:
        """Yield after every batch, and what it does when all that it counts are done."""
        stage = self.stage
        yield Pulse(0.0, total=self.total)
        while self.done < self.total and not self._is_over():
            wanted = min(stage.batch_size, self.total - self.done)
            epsilon = self._epsilon()
            played, succeeded = yield from self._play(wanted, epsilon)
            self.done += played
            logs = {"epsilon": epsilon, "reward": succeeded / played}
            yield Batch(self.done, self.total, logs)
        while not self._is_over():
            wanted = stage.batch_size
            if self.most is not None:
                wanted = min(wanted, self.most - self.done)
            played, _ = yield from self._play(wanted, self._epsilon())
            self.done += played
            violations = int(self.environment.best_total[0])
            left = f"{violations} violations left" if violations else "it still helps"
            yield Pulse(None, f"Repairing on, {left}: {self.done} episodes")

    def _is_over(self) -> bool:
        environment = self.environment
        if self.budget.should_end or not environment.best_total.any():
            return True
        if self.most is not None and self.done >= self.most:
            return True
        is_feasible = environment.best_total[0] == 0
        return bool(is_feasible) and environment.without_success >= self.stage.patience

    def _epsilon(self) -> float:
        stage, last = self.stage, EXPLORING
        if self.most is not None:
            last = min(last, max(self.most - stage.batch_size, 1))
        part = min(self.done / last, 1.0)
        return stage.epsilon + part * (stage.final_epsilon - stage.epsilon)

    def _agent(self) -> Any:
        agent = self.stage.agent
        if agent is None or isinstance(agent, str | os.PathLike):
            return self.problem.repair_agent(agent)
        if isinstance(agent, QLearner) and agent.sizes != self.environment.sizes:
            raise ValueError(f"{agent} is made for another environment")
        return agent

    def _play(self, episodes: int, epsilon: float) -> Generator[Pulse, None, tuple[int, int]]:
        """Play episodes, as many at a time as a pulse lasts; return played and succeeded."""
        played = succeeded = 0
        while played < episodes:
            count = max(1, min(int(PULSE / self.pace), episodes - played))
            began = time.monotonic()
            more, won = self._play_some(count, epsilon)
            self._offer()
            played, succeeded = played + more, succeeded + won
            if more < count:
                # Nothing is left to repair.
                break
            self.pace = max((time.monotonic() - began) / more, 1e-6)
            if played < episodes:
                yield Pulse(played / episodes)
        return played, succeeded

    def _play_some(self, episodes: int, epsilon: float) -> tuple[int, int]:
        learned = self.stage.policy == LEARNED
        operator = -1
        if self.stage.policy in self.problem.actions:
            operator = self.problem.actions.index(self.stage.policy)
        if hasattr(self.environment, "play") and (not learned or isinstance(self.agent, QLearner)):
            agent = self.agent if learned else self._bystander
            return self.environment.play(
                agent, episodes, epsilon if learned else 1.0, operator, learning=learned
            )
        agent = self.agent if learned else _NoAgent(len(self.problem.actions), operator)
        played = succeeded = 0
        while played < episodes and self.environment.best_total.any():
            succeeded += play_episode(self.environment, agent, epsilon, self.rng) > 0
            played += 1
        return played, succeeded

    @cached_property
    def _bystander(self) -> Any:
        """An agent whom compiled episodes do not ask, for policies without one."""
        is_one = isinstance(self.agent, QLearner)
        return self.agent if is_one else self.problem.repair_agent(None)

    def _offer(self) -> None:
        state, environment = self.state, self.environment
        violations, cost = environment.best_total.tolist()
        if (violations, cost) < (state.violations, state.cost):
            state.offer(environment.best_solution(), cost, int(violations))


class _NoAgent:
    """Always the same operator, or one drawn at random, where -1 stands for it."""

    def __init__(self, actions: int, operator: int) -> None:
        self.actions = actions
        self.operator = operator

    def act(self, observation: NDArray[np.int64], epsilon: float, rng: np.random.Generator) -> int:
        return int(rng.integers(self.actions)) if self.operator < 0 else self.operator

    def learn(
        self,
        observation: NDArray[np.int64],
        action: int,
        reward: float,
        following: NDArray[np.int64],
        ended: bool,
    ) -> None:
        """Learn nothing."""


def play_episode(
    environment: Environment, agent: Agent, epsilon: float, rng: np.random.Generator
) -> float:
    """Play one episode and let the agent learn from it; return the sum of rewards."""
    observation, _ = environment.reset()
    total = 0.0
    while True:
        action = agent.act(observation, epsilon, rng)
        following, reward, terminated, truncated, _ = environment.step(action)
        agent.learn(observation, action, reward, following, terminated or truncated)
        total += reward
        observation = following
        if terminated or truncated:
            return total
