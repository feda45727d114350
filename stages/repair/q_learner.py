"""Learning what actions are worth, over small tables."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files.array_file import read_arrays, write_arrays
from ..search.action_values import ActionValues, action_value, choose_action, learn_step
from ..search.compiling import kernel_of
from ..timetable.errors import FormatError

_action_value, _choose_action = kernel_of(action_value), kernel_of(choose_action)
_learn_step = kernel_of(learn_step)

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
        offsets, strides, n_rows = _lay_out(self.sizes, self.tables)
        self.kernel_form = ActionValues(
            np.zeros((n_rows, len(self.actions))),
            offsets,
            strides,
            float(discount),
            float(temperature),
        )

    @property
    def discount(self) -> float:
        """Worth of the next state's value."""
        return self.kernel_form.discount

    @property
    def temperature(self) -> float:
        """How different values must be to matter."""
        return self.kernel_form.temperature

    def act(self, observation: NDArray[np.int64], epsilon: float, rng: np.random.Generator) -> int:
        """Choose an action: any one with probability `epsilon`, else the better the oftener."""
        return int(
            _choose_action(self.kernel_form, observation, epsilon, rng.random(), rng.random())
        )

    def learn(
        self,
        observation: NDArray[np.int64],
        action: int,
        reward: float,
        following: NDArray[np.int64],
        ended: bool,
    ) -> None:
        """Move an action's value towards the reward and the value of what follows."""
        _learn_step(
            self.kernel_form, self.rate, observation, action, float(reward), following, ended
        )

    def value(self, observation: NDArray[np.int64], action: int) -> float:
        """Return what an action is worth."""
        return float(_action_value(self.kernel_form, observation, action))

    def copy(self) -> "QLearner":
        """Return a learner that knows the same and learns apart."""
        other = QLearner(
            self.sizes, self.actions, self.tables, self.rate, self.discount, self.temperature
        )
        other.load_state_dict(self.state_dict())
        return other

    def state_dict(self) -> dict[str, Any]:
        """Return the tables' entries, float64 (n_rows, n_actions)."""
        return {"values": self.kernel_form.values.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the entries back; a ValueError if their shape does not fit."""
        values = self.kernel_form.values
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
            "values": self.kernel_form.values,
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
        if not np.isfinite(agent.kernel_form.values).all():
            raise FormatError(path, None, "values that are no numbers", KIND)
        return agent

    def __repr__(self) -> str:
        n_rows, n_actions = self.kernel_form.values.shape
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
