"""The graph of courses that must not meet."""

from collections import Counter
from itertools import combinations

import networkx
import numpy as np
import pytest
from community import modularity
from schoolbell.stages.timetable import generate
from schoolbell.stages.timetable.periods.constraint_graph import (
    CourseGroups,
    constraint_graph,
    count_pairs,
    pair_chunks,
)


def build(instance, chunk_size):
    chunks = pair_chunks(CourseGroups.of(instance), chunk_size)
    parts = [count_pairs(*chunk, instance.n_courses) for chunk in chunks]
    return constraint_graph(instance.course_lectures, parts), len(parts)


def edges(graph):
    ends = zip(graph.first.tolist(), graph.second.tolist(), strict=True)
    return dict(zip(ends, graph.weight.tolist(), strict=True))


def edges_by_loops(instance):
    position = {course.id: i for i, course in enumerate(instance.courses)}
    groups = [[position[c] for c in curriculum.courses] for curriculum in instance.curricula]
    for teacher in {course.teacher for course in instance.courses}:
        groups.append([i for i, c in enumerate(instance.courses) if c.teacher == teacher])
    shared = Counter(pair for group in groups for pair in combinations(sorted(group), 2))
    lectures = [course.lectures for course in instance.courses]
    return {(a, b): n * min(lectures[a], lectures[b]) for (a, b), n in shared.items()}


@pytest.mark.parametrize("chunk_size", [1, 7, 10**6])
def test_weighs_what_two_courses_share_by_their_lectures(instance, chunk_size):
    graph, _ = build(instance, chunk_size)
    assert edges(graph) == edges_by_loops(instance)


def test_chunks_share_the_work(instance):
    pairs = int(CourseGroups.of(instance).later_members.sum())
    _, chunks = build(instance, 10)
    assert chunks >= pairs // 20


def test_modularity_is_that_of_python_louvain(instance):
    graph, _ = build(instance, 100)
    network = networkx.Graph()
    network.add_nodes_from(range(instance.n_courses))
    network.add_weighted_edges_from((a, b, w) for (a, b), w in edges(graph).items())
    clusters = np.arange(instance.n_courses, dtype=np.int32) % 4
    expected = modularity(dict(enumerate(clusters.tolist())), network)
    assert graph.modularity(clusters) == pytest.approx(expected)


def test_modularity_is_none_without_edges():
    graph = constraint_graph(np.ones(3, np.int32), [])
    assert graph.modularity(np.zeros(3, np.int32)) is None


def test_builds_a_graph_of_a_large_instance_without_missing_a_conflict():
    instance = generate(5_000, seed=1)
    graph, chunks = build(instance, 1_000)
    assert chunks > 3
    assert 2 * len(graph.first) == len(instance.conflict_courses)


def test_parts_are_the_graphs_within_the_clusters(instance):
    graph, _ = build(instance, 100)
    clusters = np.random.default_rng(3).permutation(np.arange(instance.n_courses) % 5)
    parts = graph.parts(clusters.astype(np.int32))
    assert len(parts) == 5
    for cluster, (members, part) in enumerate(parts):
        assert members.tolist() == np.flatnonzero(clusters == cluster).tolist()
        assert edges(part) == edges(graph.within(members))
        assert part.sizes.tolist() == graph.sizes[members].tolist()
