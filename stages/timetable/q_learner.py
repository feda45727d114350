"""Q-learning over a small table."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class QLearner:
    """Learn what each action is worth in each state, from rewards alone.

    Source: C. Watkins, P. Dayan, *Q-learning*, Machine Learning 8, 1992. Any
    object with `act` and `learn` can stand in its place.

    Parameters
    ----------
    states
        Sizes of the observation's numbers.
    actions
        Number of actions.
    rate
        Learning rate, 0 to 1.
    discount
        Worth of the next state's value, 0 to 1.
    """

    def __init__(
        self, states: tuple[int, ...], actions: int, rate: float = 0.2, discount: float = 0.8
    ) -> None:
        self.rate = rate
        self.discount = discount
        self.values: NDArray[np.float64] = np.zeros((*states, actions))
        self.visits: NDArray[np.int64] = np.zeros((*states, actions), np.int64)

    def act(self, observation: NDArray[np.int64], epsilon: float, rng: np.random.Generator) -> int:
        """Choose an action: a random one with probability `epsilon`, else the best known."""
        n_actions = self.values.shape[-1]
        if rng.random() < epsilon:
            return int(rng.integers(n_actions))
        values = self.values[tuple(observation)]
        best = np.flatnonzero(values == values.max())
        return int(best[rng.integers(len(best))])

    def learn(
        self,
        observation: NDArray[np.int64],
        action: int,
        reward: float,
        following: NDArray[np.int64],
        terminated: bool,
    ) -> None:
        """Move an action's value towards the reward and the value of what follows."""
        place = (*(int(number) for number in observation), action)
        target = reward
        if not terminated:
            target += self.discount * float(self.values[tuple(following)].max())
        self.values[place] += self.rate * (target - self.values[place])
        self.visits[place] += 1

    def state_dict(self) -> dict[str, Any]:
        """Return the table of values and of visits."""
        return {"values": self.values.copy(), "visits": self.visits.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the tables back; a ValueError if their shape does not fit."""
        for name in ("values", "visits"):
            if np.shape(state[name]) != self.values.shape:
                raise ValueError(
                    f"{name} has shape {np.shape(state[name])}, expected {self.values.shape}"
                )
        self.values[...] = state["values"]
        self.visits[...] = state["visits"]
