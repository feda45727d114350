"""Solutions that are reported by their cost."""

import copy
from contextlib import suppress
from typing import Any

from ..offered import NOT_GIVEN
from ..state import State


def offer(state: State, cost: Any, solution: Any, violations: Any) -> None:
    """Offer what was reported of a solution, if its cost was.

    Of a new best a deep copy is kept, since who has reported it may go on changing it;
    where it cannot be copied, the solution itself.

    Raises
    ------
    TypeError
        For a solution or violations without a cost.
    """
    if cost is None:
        for name, value in (("solution", solution), ("violations", violations)):
            if value is not None:
                raise TypeError(f"a report of {name} needs the solution's cost too")
    elif state.offer(solution, cost, NOT_GIVEN if violations is None else violations):
        with suppress(Exception):
            state.solution = copy.deepcopy(solution)
