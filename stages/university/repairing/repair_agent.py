"""Agents that choose operators of repair for universities."""

from __future__ import annotations

import os

from ...repair.q_learner import QLearner
from ..errors import FormatError

ACTIONS = ("time", "room", "chain", "students", "exact")
"""Names of the operators."""

OBSERVED = (4, len(ACTIONS) + 1, 3, 4)
"""How many values each number of an observation has."""


def new_repair_agent() -> QLearner:
    """Make an agent that knows nothing yet; it learns while it repairs."""
    return QLearner(OBSERVED, ACTIONS, temperature=0.1)


def load_repair_agent(path: str | os.PathLike[str]) -> QLearner:
    """Read an agent from a file.

    Raises
    ------
    FormatError
        If the file cannot be read, is no agent, or is one for something else than
        repairing timetables of universities.
    """
    agent = QLearner.load(path)
    if agent.sizes != OBSERVED or agent.actions != ACTIONS:
        found = f"an agent of actions {', '.join(agent.actions)} that sees {agent.sizes}"
        expected = f"one of {', '.join(ACTIONS)} that sees {OBSERVED}"
        raise FormatError(path, None, found, expected)
    return agent
