"""The linear assignment problem."""

from itertools import permutations

import numpy as np
from schoolbell.stages.search.assignment import assign as inner_assign
from schoolbell.stages.search.compiling import kernel_of

assign = kernel_of(inner_assign)


def test_no_assignment_costs_less():
    rng = np.random.default_rng(5)
    for _ in range(200):
        rows = int(rng.integers(1, 6))
        columns = int(rng.integers(rows, 7))
        cost = rng.integers(-5, 12, (rows, columns))
        found = assign(cost)
        assert len(set(found.tolist())) == rows
        least = min(
            cost[np.arange(rows), list(choice)].sum()
            for choice in permutations(range(columns), rows)
        )
        assert cost[np.arange(rows), found].sum() == least
