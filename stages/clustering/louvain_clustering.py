"""Group nodes of a problem that constrain one another."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch
from ..budget import Budget
from ..problem import Clusterable, check_methods, prepared_or_none, prepared_problem
from ..pulse import Pulse
from ..stage import Stage
from ..state import State
from ..tasks.stop_flag import StopFlag
from ..tasks.task_group import TaskGroup
from ..tasks.waiting import run_aside, wait_all, within
from .partition import SizeLimits, louvain, merge_small_clusters, split_cluster
from .weighted_graph import WeightedGraph

# Where the phases end, in steps of the stage's 100.
GRAPH_BUILT, LOUVAIN_DONE, SPLIT_DONE, STEPS = 50, 80, 90, 100

# What joining, clustering and merging take for an edge, and the least that they take.
JOINING, FINDING, MERGING = 5e-7, 3e-5, 1e-6
LEAST_SECONDS = 0.1
# What all of it takes for a node.
OF_A_NODE = 4e-4
# From so many seconds on Louvain's method is told of step by step: by the size of the graph,
# so that the same steps are told on every machine.
LONG_SECONDS = 1.0


class LouvainClustering(Stage):
    """Partition the nodes of a problem into clusters that conflict mostly within themselves.

    The problem, a `schoolbell.stages.problem.Clusterable`, gives the graph. That of a
    timetable joins two courses that share a teacher or a curriculum; an edge weighs the
    number of those that they share times the lectures of the course that has fewer, and
    a course is as large as it has lectures. Louvain's method finds the clusters; those
    that are too large it splits at higher resolutions, those that are too small are
    merged with the cluster that most weight joins them to.

    Leaves on the state ``clusters``, the cluster of each node, int32 of shape
    (n_nodes,), and ``cluster_count``. The clusters depend on the seed and not
    on the number of workers.

    Parameters
    ----------
    resolution
        Resolution of the modularity; above 1 for more and smaller clusters.
    min_size
        A smaller cluster (of a timetable, one of fewer lectures) is merged with another
        one, unless every
        merger would exceed `max_size`.
    max_size
        A larger cluster is split; one node is never split. CP-SAT makes much of
        clusters of 60 lectures within half a second.
    chunk_size
        Pairs of nodes that one task looks at when the graph is built.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    TypeError
        In `run`, if there is no such problem.

    References
    ----------
    V. D. Blondel, J.-L. Guillaume, R. Lambiotte, E. Lefebvre, *Fast unfolding of
    communities in large networks*, J. Stat. Mech. P10008, 2008.
    """

    __module__ = "schoolbell.stages"

    name = "clustering"
    needs = ("prepared",)
    leaves = ("clusters", "cluster_count")
    unit = "step"
    share = 3.0
    metrics = ("clusters", "modularity")
    only_improves = True
    tunable = ("resolution", "min_size", "max_size")

    def __init__(
        self,
        resolution: float = 1.0,
        min_size: int = 15,
        max_size: int = 60,
        chunk_size: int = 50_000,
    ) -> None:
        if not 0 < resolution < float("inf"):
            raise ValueError(f"resolution must be above 0, got {resolution}")
        if min_size < 1:
            raise ValueError(f"min_size must be 1 or more, got {min_size}")
        if max_size < min_size:
            raise ValueError(f"max_size must be min_size ({min_size}) or more, got {max_size}")
        if chunk_size < 1:
            raise ValueError(f"chunk_size must be 1 or more, got {chunk_size}")
        self.resolution = resolution
        self.min_size = min_size
        self.max_size = max_size
        self.chunk_size = chunk_size
        self._present: _Present | None = None
        self._loaded: _Present | None = None

    def check_needs(
        self, before: Mapping[str, str], after: Mapping[str, str], problem: Any, initial: Any
    ) -> None:
        """Raise a TypeError where neither a stage before nor `fit` gives a problem for it."""
        if "prepared" not in before:
            check_methods(problem, Clusterable, type(self).__name__)

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        """Build the graph, find the clusters, and bring them to size."""
        tasks = TaskGroup(state.executor)
        flag = StopFlag()
        problem: Clusterable = prepared_problem(state, Clusterable, type(self).__name__)
        yield Pulse(0.0, total=STEPS)
        self._present, self._loaded = self._loaded, None
        try:
            if self._present is None:
                graph = yield from self._build_graph(problem, tasks)
                clusters = yield from self._find_clusters(state, graph, tasks, flag)
                self._present = _Present(clusters, clusters.copy(), 0)
            else:
                graph = yield from _silently(self._build_graph(problem, tasks))
                self._present.check(len(problem.node_sizes))
            clusters = yield from self._split_large(state, graph, self._present, tasks, flag)
            clusters = yield from tasks.wait(
                merge_small_clusters,
                graph,
                clusters,
                self._limits,
                seconds=_seconds(graph, MERGING),
            )
            _leave(state, clusters)
            # After its last unit the stage has nothing to go on with.
            self._present = None
            logs = yield from run_aside(_logs, graph, clusters)
            yield Batch(STEPS, STEPS, logs)
        finally:
            self._present = None
            flag.set()
            tasks.close()

    def expected_seconds(self, state: State, time_limit: float | None) -> float | None:
        """Return what so many nodes take."""
        problem = prepared_or_none(state, Clusterable)
        return None if problem is None else LEAST_SECONDS + OF_A_NODE * len(problem.node_sizes)

    def state_dict(self) -> dict[str, Any]:
        """Return the clusters found so far; nothing before Louvain's method has ended."""
        present = self._present
        if present is None:
            return {}
        return {
            "found": present.found.copy(),
            "clusters": present.clusters.copy(),
            "split": present.split,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back the clusters; the graph is built again."""
        self._loaded = _Present(**state)

    def restore(self, state: State, budget: Budget) -> Iterator[None]:
        """Check the clusters that a backup holds."""
        if "clusters" in vars(state):
            problem: Clusterable = prepared_problem(state, Clusterable, type(self).__name__)
            _check(state.clusters, len(problem.node_sizes))
            _leave(state, state.clusters)
        yield from ()

    @property
    def _limits(self) -> SizeLimits:
        return SizeLimits(self.min_size, self.max_size)

    def _build_graph(
        self, problem: Clusterable, group: TaskGroup
    ) -> Generator[Batch | Pulse | None, None, WeightedGraph]:
        tasks = problem.edge_tasks(self.chunk_size)
        yield from group.runs_elsewhere()
        together = sum(task.seconds or 0.0 for task in tasks)
        listing = [group.start(task.function, *task.arguments, seconds=together) for task in tasks]
        parts = []
        for done, (task, future) in enumerate(zip(tasks, listing, strict=True)):
            # The last step is for joining them.
            steps = _Steps(GRAPH_BUILT - 1, done, len(listing))
            (part,) = yield from within(*steps.part, wait_all([future], LEAST_SECONDS))
            parts.append(task.take(part))
            yield Batch(steps.end, STEPS)
        expected = JOINING * self.chunk_size * len(parts)
        graph = yield from run_aside(problem.join_edges, parts, expected=expected)
        yield Batch(GRAPH_BUILT, STEPS)
        return graph

    def _find_clusters(
        self,
        state: State,
        graph: WeightedGraph,
        tasks: TaskGroup,
        flag: StopFlag,
    ) -> Generator[Batch | Pulse | None, None, NDArray[np.int32]]:
        expected = _seconds(graph, FINDING)
        finding = tasks.wait(
            louvain,
            graph,
            self.resolution,
            _seed(state, 0),
            flag,
            seconds=expected,
            message="Clustering: finding clusters",
        )
        if expected >= LONG_SECONDS:
            finding = _in_steps(finding, GRAPH_BUILT, LOUVAIN_DONE)
        clusters = yield from finding
        logs = yield from run_aside(_logs, graph, clusters)
        yield Batch(LOUVAIN_DONE, STEPS, logs)
        return clusters

    def _split_large(
        self,
        state: State,
        graph: WeightedGraph,
        present: _Present,
        tasks: TaskGroup,
        flag: StopFlag,
    ) -> Generator[Batch | Pulse | None, None, NDArray[np.int32]]:
        large = np.flatnonzero(np.bincount(present.found, graph.sizes) > self.max_size)
        splitting = []
        parts = graph.parts(present.found)
        for cluster in large.tolist()[present.split :]:
            members, part = parts[cluster]
            task = tasks.start(
                split_cluster,
                part,
                self._limits,
                self.resolution,
                _seed(state, 1, cluster),
                flag,
                seconds=_seconds(graph, FINDING),
            )
            splitting.append((members, task))
        clusters = present.clusters
        for done, (members, task) in enumerate(splitting, start=present.split):
            steps = _Steps(SPLIT_DONE - LOUVAIN_DONE, done, len(large))
            (labels,) = yield from within(*steps.part, wait_all([task], LEAST_SECONDS))
            new = clusters.max() + labels
            clusters[members] = np.where(labels > 0, new, clusters[members])
            present.split = done + 1
            yield Batch(LOUVAIN_DONE + steps.end, STEPS, _logs(graph, clusters))
        return clusters


@dataclass(frozen=True, slots=True)
class _Steps:
    """The place of one of a number of tasks in a phase of some steps."""

    steps: int
    done: int
    tasks: int

    @property
    def end(self) -> int:
        """Steps of the phase that are done with the task."""
        return self.steps * (self.done + 1) // self.tasks

    @property
    def part(self) -> tuple[float, float]:
        """From where to where in the step in hand the task leads."""
        whole = self.steps * self.done // self.tasks
        low, high = (self.steps * (self.done + more) / self.tasks - whole for more in (0, 1))
        return low, min(high, 1.0)


@dataclass(slots=True)
class _Present:
    """Where the stage is: Louvain's clusters, and how many of the large ones are split."""

    found: NDArray[np.int32]
    clusters: NDArray[np.int32]
    split: int

    def check(self, n_nodes: int) -> None:
        _check(self.found, n_nodes)
        _check(self.clusters, n_nodes)
        if not isinstance(self.split, int) or self.split < 0:
            raise ValueError(f"split must be a number from 0, got {self.split!r}")


def _check(clusters: Any, n_nodes: int) -> None:
    right = isinstance(clusters, np.ndarray) and clusters.shape == (n_nodes,)
    if not right or clusters.dtype != np.int32 or np.any((clusters < 0) | (clusters >= n_nodes)):
        raise ValueError(f"expected a cluster below {n_nodes} for each of {n_nodes} nodes")


def _silently(
    work: Generator[Batch | Pulse | None, None, WeightedGraph],
) -> Generator[None, None, WeightedGraph]:
    """Do work whose batches were told before."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
        yield None


def _in_steps(
    work: Generator[Pulse | None, None, Any], begin: int, end: int
) -> Generator[Batch | Pulse | None, None, Any]:
    """Count the steps of long work by its pulses, each of them once however long it took.

    Whoever gets the result counts the last one.
    """
    done = begin
    try:
        while True:
            try:
                pulse = next(work)
            except StopIteration as stop:
                yield from (Batch(step, STEPS) for step in range(done + 1, end))
                return stop.value
            if pulse is None or pulse.part is None:
                yield pulse
                continue
            steps = min(begin + (end - begin) * pulse.part, end - 1.0)
            yield from (Batch(step, STEPS) for step in range(done + 1, int(steps) + 1))
            done = max(done, int(steps))
            yield Pulse(min(steps - done, 1.0), pulse.message)
    finally:
        work.close()


def _seconds(graph: WeightedGraph, of_an_edge: float) -> float:
    return max(LEAST_SECONDS, of_an_edge * len(graph.first))


def _seed(state: State, *key: int) -> int:
    return int(state.seed_sequence(LouvainClustering.name, *key).generate_state(1)[0])


def _logs(graph: WeightedGraph, clusters: NDArray[np.int32]) -> dict[str, float | None]:
    return {"clusters": int(clusters.max()) + 1, "modularity": graph.modularity(clusters)}


def _leave(state: State, clusters: NDArray[np.int32]) -> None:
    clusters.setflags(write=False)
    state.clusters = clusters
    state.cluster_count = int(clusters.max()) + 1
