"""What changes of a timetable cost: the units in which temperatures are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .search_problem import CONFLICT, SearchProblem

if TYPE_CHECKING:
    from ..model.instance import Instance

# So many of the costs of options and rules may be smaller than a small one.
SMALL = 0.1


def usual_change(problem: SearchProblem, instance: Instance) -> float:
    """Return what a usual change costs: a rule, a conflict, and a time's least penalty."""
    weights = instance.weights
    # Of rules and not of pairs: one rule may have most of them.
    penalties = [one.penalty for one in instance.distributions if one.penalty]
    rule = float(np.median(penalties)) * weights.distribution if penalties else 0.0
    return max(smallest_change(problem), (weights.time + rule + _conflict(problem)) / 2)


def smallest_change(problem: SearchProblem) -> float:
    """Return what a small change costs: the least of what options, rules and conflicts do."""
    costs = [
        float(np.quantile(positive, SMALL))
        for values in (problem.time_cost, problem.room_cost, problem.soft_cost)
        if len(positive := values[values > 0])
    ]
    return max(1.0, min([one for one in (*costs, _conflict(problem)) if one > 0], default=1.0))


def _conflict(problem: SearchProblem) -> float:
    return float(problem.numbers[CONFLICT]) if len(problem.free) else 0.0
