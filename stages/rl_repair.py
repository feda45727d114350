"""Repair by reinforcement learning."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from .batch import Batch
from .budget import Budget
from .stage import Stage
from .state import State

if TYPE_CHECKING:
    from .timetable.repair_environment import RepairEnvironment


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
        terminated: bool,
    ) -> None:
        """Learn from one step."""
        ...


class RLRepair(Stage):
    """Let an agent learn which repair operator helps which conflict.

    Every episode picks a lecture whose place violates or costs something, hard
    conflicts first, and the agent applies operators to it (move, swap, Kempe
    chain, change of room, eject and reinsert) in a `RepairEnvironment`. The
    best timetable is kept; it is never worse than what the stage got.

    Parameters
    ----------
    episodes
        Most episodes; None for 200 or three for each lecture in conflict,
        whichever is less.
    batch_size
        Episodes in a batch.
    steps
        Most operators applied in an episode.
    epsilon, final_epsilon
        Probability of a random operator in the first and in the last episode.
    agent
        Who chooses the operators; None for a new `QLearner`.
    violation
        Cost that one violation counts as when an operator compares changes.
    """

    name = "rl"
    unit = "episode"
    share = 7.0
    metrics = ("epsilon", "reward")

    def __init__(
        self,
        episodes: int | None = None,
        batch_size: int = 5,
        steps: int = 8,
        epsilon: float = 0.4,
        final_epsilon: float = 0.05,
        agent: Agent | None = None,
        violation: float = 100.0,
    ) -> None:
        if episodes is not None and episodes < 0:
            raise ValueError(f"episodes must be 0 or more, got {episodes}")
        for name, value in (("batch_size", batch_size), ("steps", steps)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0.0 <= final_epsilon <= epsilon <= 1.0:
            raise ValueError(f"epsilon must fall within 0 to 1, got {epsilon} to {final_epsilon}")
        self.episodes = episodes
        self.batch_size = batch_size
        self.steps = steps
        self.epsilon = epsilon
        self.final_epsilon = final_epsilon
        self.agent = agent
        self.violation = violation

    def run(self, state: State, budget: Budget) -> Iterator[Batch | None]:
        """Repair; each batch is a few episodes."""
        from .timetable.q_learner import QLearner
        from .timetable.repair_environment import RepairEnvironment
        from .timetable.search.repair import OPERATORS

        if state.solution is None:
            return
        environment = RepairEnvironment(
            state.search,
            *state.solution.lecture_arrays(),
            violation=self.violation,
            steps=self.steps,
        )
        episodes = self.episodes
        if episodes is None:
            episodes = min(200, 3 * environment.count_conflicts())
        agent = self.agent or QLearner(environment.sizes, len(OPERATORS))
        seed = state.seed_sequence(self.name)
        rng = np.random.default_rng(seed)
        environment.reset(seed=int(seed.generate_state(1)[0]))
        done = 0
        while done < episodes and not budget.should_end and environment.best_total.any():
            upto = min(done + self.batch_size, episodes)
            rewards = []
            for episode in range(done, upto):
                epsilon = self._epsilon(episode, episodes)
                rewards.append(play_episode(environment, agent, epsilon, rng))
            done = upto
            self._offer(state, environment)
            logs = {"epsilon": self._epsilon(done - 1, episodes), "reward": float(np.mean(rewards))}
            yield Batch(done, episodes, logs)

    def _epsilon(self, episode: int, episodes: int) -> float:
        part = episode / max(episodes - 1, 1)
        return self.epsilon + part * (self.final_epsilon - self.epsilon)

    def _offer(self, state: State, environment: "RepairEnvironment") -> None:
        from .timetable import Solution

        violations, cost = (int(value) for value in environment.best_total)
        if (violations, cost) < (state.violations, state.cost):
            period, room = environment.best_period.copy(), environment.best_room.copy()
            state.offer(Solution.of_lectures(state.instance, period, room), cost, violations)


def play_episode(
    environment: "RepairEnvironment", agent: Agent, epsilon: float, rng: np.random.Generator
) -> float:
    """Play one episode and let the agent learn from it; return the sum of rewards."""
    observation, _ = environment.reset()
    total = 0.0
    while True:
        action = agent.act(observation, epsilon, rng)
        following, reward, terminated, truncated, _ = environment.step(action)
        agent.learn(observation, action, reward, following, terminated)
        total += reward
        observation = following
        if terminated or truncated:
            return total
