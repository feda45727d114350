"""Clusters cut and merged to size."""

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pytest
from schoolbell.stages.clustering.partition import (
    SizeLimits,
    Stopped,
    louvain,
    merge_small_clusters,
    renumber,
    split_cluster,
)
from schoolbell.stages.clustering.weighted_graph import WeightedGraph
from schoolbell.stages.tasks.stop_flag import StopFlag


def graph_of(lectures, weights):
    first, second = zip(*weights, strict=True) if weights else ((), ())
    return WeightedGraph(
        np.array(lectures, np.int32),
        np.array(first, np.int32),
        np.array(second, np.int32),
        np.array(list(weights.values()), np.int64),
    )


def cliques(count, size):
    """Groups of courses that all conflict, each joined to the next by one light edge."""
    weights = {}
    for start in range(0, count * size, size):
        weights |= dict.fromkeys(combinations(range(start, start + size), 2), 5)
        if start:
            weights[start - 1, start] = 1
    return graph_of([2] * (count * size), weights)


def sizes(graph, clusters):
    return np.bincount(clusters, graph.sizes)


def test_louvain_finds_planted_clusters():
    clusters = louvain(cliques(6, 5), 1.0, 3, StopFlag())
    assert clusters.tolist() == np.repeat(np.arange(6), 5).tolist()


def test_louvain_ends_when_the_flag_is_set():
    flag = StopFlag()
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(louvain, cliques(2000, 6), 1.0, 3, flag)
        flag.set()
        with pytest.raises(Stopped):
            task.result(timeout=20)


def test_splitting_keeps_to_the_largest_size_along_weak_edges():
    graph = cliques(6, 5)
    parts = split_cluster(graph, SizeLimits(1, 10), 0.1, 3, StopFlag())
    assert parts.tolist() == np.repeat(np.arange(6), 5).tolist()


def test_splitting_cuts_even_what_louvain_keeps_together():
    graph = cliques(1, 40)
    parts = split_cluster(graph, SizeLimits(1, 15), 1.0, 3, StopFlag())
    assert sizes(graph, parts).max() <= 15


def test_splitting_leaves_a_course_whole():
    graph = graph_of([30, 2, 2], {(0, 1): 2, (1, 2): 2})
    parts = split_cluster(graph, SizeLimits(1, 10), 1.0, 3, StopFlag())
    assert parts[0] not in parts[1:]
    assert sizes(graph, parts).max() == 30


def test_merging_joins_by_weight():
    graph = graph_of([2, 20, 20], {(0, 1): 1, (0, 2): 4})
    merged = merge_small_clusters(graph, np.arange(3, dtype=np.int32), SizeLimits(10, 50))
    assert merged.tolist() == [0, 1, 0]


def test_merging_adds_up_the_weight_of_clusters_that_it_has_joined():
    graph = graph_of([1, 2, 20, 20], {(0, 1): 9, (0, 2): 3, (1, 2): 3, (1, 3): 5})
    merged = merge_small_clusters(graph, np.arange(4, dtype=np.int32), SizeLimits(10, 50))
    assert merged.tolist() == [0, 0, 0, 1]


def test_merging_never_exceeds_the_largest_size():
    graph = graph_of([5, 20, 8], {(0, 1): 9, (0, 2): 1})
    merged = merge_small_clusters(graph, np.arange(3, dtype=np.int32), SizeLimits(10, 22))
    assert merged.tolist() == [0, 1, 0]


def test_merging_joins_clusters_without_neighbours_to_the_smallest():
    graph = graph_of([3, 4, 30], {})
    merged = merge_small_clusters(graph, np.arange(3, dtype=np.int32), SizeLimits(5, 60))
    assert merged.tolist() == [0, 0, 1]


def test_merging_leaves_alone_what_fits_nowhere():
    graph = graph_of([3, 20], {(0, 1): 9})
    merged = merge_small_clusters(graph, np.arange(2, dtype=np.int32), SizeLimits(5, 20))
    assert merged.tolist() == [0, 1]


def test_clusters_are_numbered_by_their_first_course():
    assert renumber(np.array([7, 7, 2, 9, 2])).tolist() == [0, 0, 1, 2, 1]
