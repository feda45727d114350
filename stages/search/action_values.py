"""What actions are worth in what is observed, as sums over small tables."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .compiling import inner
from .record import Record


@dataclass(frozen=True, eq=False)
class ActionValues(Record):
    """The value of each action as a sum of entries, one of each table.

    A table is indexed by some of the observation's numbers: tables of one
    number learn quickly and roughly, tables of many slowly and exactly. Source:
    R. Sutton, A. Barto, *Reinforcement learning*, 2nd edition, 2018, 9.5 (tile
    coding).

    Attributes
    ----------
    values
        The tables' rows one after another, float64 (n_rows, n_actions).
    offsets
        First row of each table, int64 (n_tables,).
    strides
        Rows between neighbours in each of the observation's numbers, 0 where a
        table does not look at it, int64 (n_tables, n_observed).
    discount
        Worth of a reward a step later.
    temperature
        Difference of values at which the better action is chosen e times as often.
    """

    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    strides: NDArray[np.int64]
    discount: float
    temperature: float


@inner
def action_value(agent, observation, action):
    """Sum the tables' entries for an action."""
    total = 0.0
    for table in range(len(agent.offsets)):
        total += agent.values[_row(agent, table, observation), action]
    return total


@inner
def _row(agent, table, observation):
    row = agent.offsets[table]
    for i in range(len(observation)):
        row += agent.strides[table, i] * observation[i]
    return row


@inner
def _weights(agent, observation):
    """Find the actions' values and how often each is chosen, relative to the best."""
    n_actions = agent.values.shape[1]
    values, weights = np.empty(n_actions), np.empty(n_actions)
    for action in range(n_actions):
        values[action] = action_value(agent, observation, action)
    best = values.max()
    for action in range(n_actions):
        weights[action] = np.exp((values[action] - best) / agent.temperature)
    return values, weights


@inner
def choose_action(agent, observation, epsilon, first, second):
    """Choose an action from two draws of [0, 1).

    With probability `epsilon` any one, else the better the oftener (Boltzmann).
    """
    n_actions = agent.values.shape[1]
    if first < epsilon:
        return int(second * n_actions)
    _, weights = _weights(agent, observation)
    left = second * weights.sum()
    for action in range(n_actions - 1):
        left -= weights[action]
        if left < 0.0:
            return action
    return n_actions - 1


@inner
def learn_step(agent, rate, observation, action, reward, following, ended):
    """Move an action's value towards the reward and what is expected to follow.

    The rate is the part of the error that is corrected.

    Source: H. van Seijen and others, *A theoretical and empirical analysis of
    expected Sarsa*, ADPRL 2009.
    """
    target = reward
    if not ended:
        values, weights = _weights(agent, following)
        target += agent.discount * (values * weights).sum() / weights.sum()
    error = target - action_value(agent, observation, action)
    change = rate * error / len(agent.offsets)
    for table in range(len(agent.offsets)):
        agent.values[_row(agent, table, observation), action] += change
