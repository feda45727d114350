"""Which parts can be solved at the same time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def independent_groups(
    neighbours: tuple[NDArray[np.integer], NDArray[np.integer]],
    clusters: Sequence[NDArray[np.intp]],
    most: int,
) -> list[list[int]]:
    """Group clusters so that no two of a group have neighbours among each other.

    The cluster with neighbours in most others chooses its group first.

    Parameters
    ----------
    neighbours
        Where each node's neighbours begin, and all of them, as in `Division`.
    clusters
        Nodes of each cluster; together all nodes, each once.
    most
        Clusters in a group at most.

    Returns
    -------
    list of lists
        Numbers of the clusters in each group.
    """
    starts, others = neighbours
    cluster_of = np.empty(len(starts) - 1, np.int64)
    for cluster, nodes in enumerate(clusters):
        cluster_of[nodes] = cluster
    one = np.repeat(cluster_of, np.diff(starts))
    pairs = np.unique(one * len(clusters) + cluster_of[others])
    joined: list[set[int]] = [set() for _ in clusters]
    for pair in pairs.tolist():
        low, high = divmod(pair, len(clusters))
        joined[low].add(high)
    groups: list[list[int]] = []
    for cluster in sorted(range(len(clusters)), key=lambda c: (-len(joined[c]), c)):
        for group in groups:
            if len(group) < most and joined[cluster].isdisjoint(group):
                group.append(cluster)
                break
        else:
            groups.append([cluster])
    return groups
