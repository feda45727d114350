"""Agents that choose repair operators: the one of the package, and those in files."""

import os
from pathlib import Path

from ....repair.q_learner import QLearner
from ...errors import FormatError, reading
from ...repair_operators import OPERATORS
from .episodes import OBSERVED, TABLES


def new_repair_agent() -> QLearner:
    """Make an agent that knows nothing."""
    return QLearner(OBSERVED, OPERATORS, TABLES)


def shipped_repair_agent() -> QLearner:
    """Read the agent that comes with the package, trained on generated instances."""
    return load_repair_agent(Path(__file__).with_name("repair_agent.npz"))


def load_repair_agent(path: str | os.PathLike[str]) -> QLearner:
    """Read an agent from a file.

    Raises
    ------
    FormatError
        If the file cannot be read, is no agent, or is one for something else
        than repairing timetables.
    """
    with reading():
        agent = QLearner.load(path)
    if agent.sizes != OBSERVED or agent.actions != OPERATORS:
        found = f"an agent of actions {', '.join(agent.actions)} that sees {agent.sizes}"
        expected = f"one of {', '.join(OPERATORS)} that sees {OBSERVED}"
        raise FormatError(path, None, found, expected)
    return agent
