"""Which clusters can be solved at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..model.instance import Instance


def independent_groups(
    instance: Instance, clusters: Sequence[NDArray[np.intp]], most: int
) -> list[list[int]]:
    """Group clusters so that no two of a group have a conflict between them.

    The cluster that conflicts with most others chooses its group first.

    Parameters
    ----------
    instance
        Whose courses are clustered.
    clusters
        Courses of each cluster; together all courses, each once.
    most
        Clusters in a group at most.

    Returns
    -------
    list of lists
        Numbers of the clusters in each group.
    """
    cluster_of = np.empty(instance.n_courses, np.int64)
    for cluster, courses in enumerate(clusters):
        cluster_of[courses] = cluster
    one = np.repeat(cluster_of, np.diff(instance.conflict_starts))
    pairs = np.unique(one * len(clusters) + cluster_of[instance.conflict_courses])
    neighbours: list[set[int]] = [set() for _ in clusters]
    for pair in pairs.tolist():
        low, high = divmod(pair, len(clusters))
        neighbours[low].add(high)
    groups: list[list[int]] = []
    for cluster in sorted(range(len(clusters)), key=lambda c: (-len(neighbours[c]), c)):
        for group in groups:
            if len(group) < most and neighbours[cluster].isdisjoint(group):
                group.append(cluster)
                break
        else:
            groups.append([cluster])
    return groups
