"""Learning what actions are worth, over small tables."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FormatError
from ..files.array_file import read_arrays, write_arrays

if TYPE_CHECKING:
    from ..search.action_values import ActionValues

KIND, VERSION = "schoolbell agent", 1


class QLearner:
    """Learn what each action is worth in each state, from rewards alone.

    An action's value is the sum of an entry from each of several tables, and
    the better an action is, the oftener it is chosen (Boltzmann exploration);
    values are learned for just this behaviour (expected Sarsa). Any object with
    `act` and `learn` can stand in its place.

    Parameters
    ----------
    sizes
        How many values each of the observation's numbers has.
    actions
        Names of the actions.
    tables
        Positions of the numbers that each table looks at; None for one table of
        all of them.
    rate
        Learning rate, 0 to 1.
    discount
        Worth of the next state's value, 0 to 1.
    temperature
        Difference of values at which the better action is chosen e times as
        often.
    """

    __module__ = "schoolbell.stages"

    def __init__(
        self,
        sizes: Sequence[int],
        actions: Sequence[str],
        tables: Sequence[Sequence[int]] | None = None,
        rate: float = 0.1,
        discount: float = 0.97,
        temperature: float = 0.03,
    ) -> None:
        self.sizes = tuple(int(size) for size in sizes)
        self.actions = tuple(actions)
        looks = tables if tables is not None else (range(len(self.sizes)),)
        self.tables = tuple(tuple(int(position) for position in table) for table in looks)
        for name, value, least in (
            ("rate", rate, 0.0),
            ("discount", discount, 0.0),
            ("temperature", temperature, 1e-6),
        ):
            if not least <= value <= 1.0:
                raise ValueError(f"{name} must be from {least:g} to 1, got {value}")
        #: The learning rate; may be changed at any time.
        self.rate = float(rate)
        self._discount, self._temperature = float(discount), float(temperature)
        self._offsets, self._strides, n_rows = _lay_out(self.sizes, self.tables)
        self._values = np.zeros((n_rows, len(self.actions)))

    @property
    def discount(self) -> float:
        """Worth of the next state's value."""
        return self._discount

    @property
    def temperature(self) -> float:
        """How different values must be to matter."""
        return self._temperature

    @cached_property
    def kernel_form(self) -> "ActionValues":
        """The same entries and settings, for kernels; what they learn is learned here."""
        # Here and not above: importing numba takes longer than all the rest of the package.
        from ..search.action_values import ActionValues

        return ActionValues(
            self._values, self._offsets, self._strides, self.discount, self.temperature
        )

    def _rows(self, observation: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._offsets + self._strides @ np.asarray(observation, np.int64)

    def _weighted(self, observation: NDArray[np.int64]) -> tuple[Any, Any]:
        """Find the actions' values and how often each is chosen, relative to the best."""
        values = self._values[self._rows(observation)].sum(axis=0)
        return values, np.exp((values - values.max()) / self.temperature)

    def act(self, observation: NDArray[np.int64], epsilon: float, rng: np.random.Generator) -> int:
        """Choose an action: any one with probability `epsilon`, else the better the oftener."""
        first, second = rng.random(), rng.random()
        if first < epsilon:
            return int(second * len(self.actions))
        _, weights = self._weighted(observation)
        left = second * weights.sum() - np.cumsum(weights[:-1])
        return int(np.argmax(left < 0.0)) if (left < 0.0).any() else len(self.actions) - 1

    def learn(
        self,
        observation: NDArray[np.int64],
        action: int,
        reward: float,
        following: NDArray[np.int64],
        ended: bool,
    ) -> None:
        """Move an action's value towards the reward and the value of what follows."""
        target = float(reward)
        if not ended:
            values, weights = self._weighted(following)
            target += self.discount * float((values * weights).sum() / weights.sum())
        rows = self._rows(observation)
        error = target - float(self._values[rows, action].sum())
        # The tables' rows are apart, so none of them is there twice.
        self._values[rows, action] += self.rate * error / len(rows)

    def value(self, observation: NDArray[np.int64], action: int) -> float:
        """Return what an action is worth."""
        return float(self._values[self._rows(observation), action].sum())

    def copy(self) -> "QLearner":
        """Return a learner that knows the same and learns apart."""
        other = QLearner(
            self.sizes, self.actions, self.tables, self.rate, self.discount, self.temperature
        )
        other.load_state_dict(self.state_dict())
        return other

    def state_dict(self) -> dict[str, Any]:
        """Return the tables' entries, float64 (n_rows, n_actions)."""
        return {"values": self._values.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the entries back; a ValueError if their shape does not fit."""
        values = self._values
        if np.shape(state["values"]) != values.shape:
            raise ValueError(f"values has shape {np.shape(state['values'])}, not {values.shape}")
        values[...] = state["values"]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the agent as an ``.npz`` file of arrays.

        Raises
        ------
        OSError
            If the file cannot be written; an older one is left as it was.
        """
        looks = np.zeros((len(self.tables), len(self.sizes)), np.bool_)
        for row, table in zip(looks, self.tables, strict=True):
            row[list(table)] = True
        arrays = {
            "sizes": np.array(self.sizes, np.int64),
            "actions": np.array(self.actions),
            "tables": looks,
            "settings": np.array([self.rate, self.discount, self.temperature]),
            "values": self._values,
        }
        write_arrays(path, KIND, VERSION, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "QLearner":
        """Read an agent that `save` wrote.

        Raises
        ------
        FormatError
            If the file cannot be read, is no agent, was damaged or is of
            another version.
        """
        arrays = read_arrays(path, KIND, VERSION)
        try:
            agent = cls(
                arrays["sizes"].tolist(),
                arrays["actions"].tolist(),
                [np.flatnonzero(row).tolist() for row in arrays["tables"]],
                *arrays["settings"].tolist(),
            )
            agent.load_state_dict(arrays)
        except (KeyError, ValueError, TypeError, MemoryError) as error:
            raise FormatError(path, None, f"parts that do not fit: {error}", KIND) from error
        if not np.isfinite(agent._values).all():
            raise FormatError(path, None, "values that are no numbers", KIND)
        return agent

    def __repr__(self) -> str:
        n_rows, n_actions = self._values.shape
        return f"<QLearner of {n_actions} actions, {len(self.tables)} tables, {n_rows} rows>"


def _lay_out(
    sizes: tuple[int, ...], tables: tuple[tuple[int, ...], ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Put the tables one after another: first rows, strides, rows in all."""
    offsets = np.zeros(len(tables), np.int64)
    strides = np.zeros((len(tables), len(sizes)), np.int64)
    n_rows = 0
    for k, table in enumerate(tables):
        offsets[k] = n_rows
        rows = 1
        for position in reversed(table):
            strides[k, position] = rows
            rows *= sizes[position]
        n_rows += rows
    return offsets, strides, n_rows
