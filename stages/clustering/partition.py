"""Clusters of a graph: found by Louvain, cut and merged to size."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..needing import needing
from ..tasks.stop_flag import StopFlag
from .weighted_graph import WeightedGraph

# Above this resolution Louvain has left hardly a pair of nodes together.
HIGHEST_RESOLUTION = 256.0


class Stopped(Exception):
    """The task was asked to stop; nobody waits for its result."""


class _StoppableRandom(np.random.RandomState):
    """Random numbers for python-louvain, which shuffles at every node it visits.

    It takes no callback, and a thread cannot be killed: so its source of random
    numbers is where it hears that it should stop.
    """

    flag: StopFlag

    def shuffle(self, x):
        if self.flag.is_set:
            raise Stopped
        super().shuffle(x)


def louvain(
    graph: WeightedGraph, resolution: float, seed: int, flag: StopFlag
) -> NDArray[np.int32]:
    """Partition a graph by python-louvain.

    Parameters
    ----------
    graph
        What to partition.
    resolution
        Above 1 for more and smaller clusters.
    seed
        Seed of the order in which nodes are visited.
    flag
        When set, the call ends with `Stopped`.

    Returns
    -------
    array
        Cluster of each node, numbered by first appearance, shape (n_nodes,).

    References
    ----------
    V. D. Blondel, J.-L. Guillaume, R. Lambiotte, E. Lefebvre, *Fast unfolding of
    communities in large networks*, J. Stat. Mech. P10008, 2008.
    """
    with needing("LouvainClustering"):
        import networkx
        from community import best_partition

    n_nodes = len(graph.sizes)
    edges = graph.first.tolist(), graph.second.tolist(), graph.weight.tolist()
    network = networkx.Graph()
    network.add_nodes_from(range(n_nodes))
    network.add_weighted_edges_from(zip(*edges, strict=True))
    random = _StoppableRandom(seed)
    random.flag = flag
    partition = best_partition(network, resolution=resolution, random_state=random)
    return renumber(np.array([partition[node] for node in range(n_nodes)], np.int64))


def renumber(labels: NDArray[np.int64]) -> NDArray[np.int32]:
    """Number clusters from 0 in the order of their first members."""
    _, at, place = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(at), np.int32)
    rank[np.argsort(at)] = np.arange(len(at), dtype=np.int32)
    return rank[place]


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Sizes that a cluster should have at least, and at most: sums of its nodes' sizes."""

    smallest: int
    largest: int


def split_cluster(
    graph: WeightedGraph, limits: SizeLimits, resolution: float, seed: int, flag: StopFlag
) -> NDArray[np.int32]:
    """Cut a cluster until no part is larger than allowed.

    Louvain cuts it again at twice the resolution, and its parts in turn; what
    Louvain never cuts is cut in the order of its nodes. A node is not cut,
    however large it is.

    Parameters
    ----------
    graph
        The cluster's nodes and the edges between them.
    limits
        Sizes of clusters.
    resolution
        At which Louvain found the cluster.
    seed, flag
        As for `louvain`.

    Returns
    -------
    array
        Part of each node, numbered by first appearance, shape (n,).
    """
    labels = np.zeros(len(graph.sizes), np.int64)
    count = 1
    pending = [(0, 2 * resolution)]
    while pending:
        label, resolution = pending.pop()
        members = np.flatnonzero(labels == label)
        if len(members) == 1 or graph.sizes[members].sum() <= limits.largest:
            continue
        if resolution > HIGHEST_RESOLUTION:
            parts = _cut_in_order(graph.sizes[members], limits.largest)
        else:
            parts = louvain(graph.within(members), resolution, seed, flag)
        # A part that comes back whole is tried at a higher resolution, so this ends.
        labels[members] = np.where(parts > 0, parts + count - 1, label)
        new = int(parts.max())
        higher = resolution if new else 2 * resolution
        pending += [(part, higher) for part in (label, *range(count, count + new))]
        count += new
    return renumber(labels)


def _cut_in_order(sizes: NDArray[np.int32], largest: int) -> NDArray[np.int32]:
    """Fill one part after the other with nodes as they come."""
    parts = np.zeros(len(sizes), np.int32)
    part, size = 0, 0
    for node, more in enumerate(sizes.tolist()):
        if size and size + more > largest:
            part, size = part + 1, 0
        parts[node] = part
        size += more
    return parts


def merge_small_clusters(
    graph: WeightedGraph, clusters: NDArray[np.int32], limits: SizeLimits
) -> NDArray[np.int32]:
    """Merge clusters that are too small into others.

    The smallest goes first: to the cluster that most weight joins it to, or
    where none is joined to it, to the smallest other one. It stays alone where
    every merger would be too large.

    Parameters
    ----------
    graph
        What is clustered.
    clusters
        Cluster of each node, shape (n_nodes,).
    limits
        Sizes of clusters.

    Returns
    -------
    array
        Cluster of each node, numbered by first appearance, shape (n_nodes,).
    """
    sizes = np.bincount(clusters, graph.sizes).astype(np.int64).tolist()
    links = _links(graph, clusters, len(sizes))
    by_size = [(size, cluster) for cluster, size in enumerate(sizes)]
    heapq.heapify(by_size)
    parent = list(range(len(sizes)))
    while by_size:
        size, cluster = heapq.heappop(by_size)
        if parent[cluster] != cluster or size != sizes[cluster]:
            continue
        if size >= limits.smallest:
            break
        room = limits.largest - size
        joined = [other for other in links[cluster] if sizes[other] <= room]
        if joined:
            target = max(joined, key=lambda o: (links[cluster][o], -sizes[o], -o))
        else:
            target = _smallest(by_size, parent, sizes)
            if target is None or sizes[target] > room:
                continue
        parent[cluster] = target
        sizes[target] += size
        _move_links(links, cluster, target)
        heapq.heappush(by_size, (sizes[target], target))
    for cluster in range(len(parent)):
        root = cluster
        while parent[root] != root:
            root = parent[root]
        parent[cluster] = root
    return renumber(np.array(parent, np.int64)[clusters])


def _links(graph: WeightedGraph, clusters: NDArray[np.int32], count: int) -> list[dict[int, int]]:
    """Sum the weight between clusters: for each one, by the other."""
    one, other = clusters[graph.first].astype(np.int64), clusters[graph.second].astype(np.int64)
    apart = one != other
    keys = np.minimum(one, other)[apart] * count + np.maximum(one, other)[apart]
    unique, place = np.unique(keys, return_inverse=True)
    sums = np.bincount(place, graph.weight[apart], len(unique)).astype(np.int64)
    links: list[dict[int, int]] = [{} for _ in range(count)]
    for key, total in zip(unique.tolist(), sums.tolist(), strict=True):
        low, high = divmod(key, count)
        links[low][high] = links[high][low] = total
    return links


def _smallest(by_size: list[tuple[int, int]], parent: list[int], sizes: list[int]) -> int | None:
    """Find the smallest cluster left, dropping entries that are out of date."""
    while by_size:
        size, cluster = by_size[0]
        if parent[cluster] == cluster and size == sizes[cluster]:
            return cluster
        heapq.heappop(by_size)
    return None


def _move_links(links: list[dict[int, int]], cluster: int, target: int) -> None:
    """Let `target` take over what joins `cluster` to others."""
    links[target].pop(cluster, None)
    for other, total in links[cluster].items():
        links[other].pop(cluster, None)
        if other != target:
            links[target][other] = links[target].get(other, 0) + total
            links[other][target] = links[target][other]
    links[cluster] = {}
