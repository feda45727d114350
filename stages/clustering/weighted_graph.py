"""An undirected graph with sizes and weights, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WeightedGraph:
    """An undirected graph whose nodes have sizes and whose edges have weights.

    Attributes
    ----------
    sizes
        Size of each node, in units that clusters are limited in, int32 of shape
        (n_nodes,).
    first, second
        Ends of each edge, ``first < second``, sorted, int32 of shape (n_edges,).
    weight
        Weight of each edge, int64 of shape (n_edges,).
    """

    sizes: NDArray[np.int32]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    weight: NDArray[np.int64]

    def within(self, nodes: NDArray[np.intp]) -> WeightedGraph:
        """Return the graph of some nodes, numbered anew from 0 in their order."""
        place = np.full(len(self.sizes), -1, np.int32)
        place[nodes] = np.arange(len(nodes), dtype=np.int32)
        first, second = place[self.first], place[self.second]
        inside = (first >= 0) & (second >= 0)
        return WeightedGraph(self.sizes[nodes], first[inside], second[inside], self.weight[inside])

    def parts(self, clusters: NDArray[np.int32]) -> list[tuple[NDArray[np.intp], WeightedGraph]]:
        """Cut the graph along a partition, in one pass however many clusters there are.

        Parameters
        ----------
        clusters
            Cluster of each node, numbered from 0, shape (n_nodes,).

        Returns
        -------
        list of tuples
            For each cluster its nodes, ascending, and their graph, numbered as
            by `within`.
        """
        count = int(clusters.max()) + 1
        order = np.argsort(clusters, kind="stable")
        cuts = np.searchsorted(clusters[order], np.arange(1, count))
        members = np.split(order, cuts)
        place = np.empty(len(clusters), np.int32)
        place[order] = np.concatenate([np.arange(len(own)) for own in members])
        inside = np.flatnonzero(clusters[self.first] == clusters[self.second])
        cluster_of = clusters[self.first[inside]]
        edges = inside[np.argsort(cluster_of, kind="stable")]
        edge_cuts = np.searchsorted(np.sort(cluster_of), np.arange(1, count))
        return [
            (
                own,
                WeightedGraph(
                    self.sizes[own],
                    place[self.first[within]],
                    place[self.second[within]],
                    self.weight[within],
                ),
            )
            for own, within in zip(members, np.split(edges, edge_cuts), strict=True)
        ]

    def modularity(self, clusters: NDArray[np.int32]) -> float | None:
        """Newman's modularity of a partition; None for a graph without edges.

        Parameters
        ----------
        clusters
            Cluster of each node, shape (n_nodes,).

        References
        ----------
        M. E. J. Newman, M. Girvan, *Finding and evaluating community structure
        in networks*, Physical Review E 69, 026113, 2004.
        """
        total = float(self.weight.sum())
        if total == 0:
            return None
        one, other = clusters[self.first], clusters[self.second]
        inside = float(self.weight[one == other].sum())
        count = int(clusters.max()) + 1
        degree = np.bincount(one, self.weight, count) + np.bincount(other, self.weight, count)
        return inside / total - float(((degree / (2 * total)) ** 2).sum())
