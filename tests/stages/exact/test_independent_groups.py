"""Which parts can be solved at the same time."""

import numpy as np
from schoolbell.stages.exact.independent_groups import independent_groups


def chain():
    """Nodes 0 to 5, each beside the next."""
    return np.array([0, 1, 3, 5, 7, 9, 10]), np.array([1, 0, 2, 1, 3, 2, 4, 3, 5, 4])


def test_no_two_of_a_group_conflict_and_all_have_a_group():
    groups = independent_groups(chain(), [np.array([i]) for i in range(6)], most=8)
    assert sorted(cluster for group in groups for cluster in group) == list(range(6))
    for group in groups:
        assert all(b - a > 1 for a, b in zip(sorted(group), sorted(group)[1:], strict=False))
    assert len(groups) == 2


def test_a_group_is_no_larger_than_asked():
    groups = independent_groups(chain(), [np.array([i]) for i in range(6)], most=2)
    assert max(map(len, groups)) == 2
    assert sum(map(len, groups)) == 6
