"""A problem for all engines, of two methods."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..clustering.weighted_graph import WeightedGraph
from ..repair.q_learner import QLearner
from ..tasks.task import Task
from .breeding import LabelBreeding
from .division import LabelDivision
from .environment import LabelEnvironment
from .labels import NOTHING, Labels, first_fit


class LabellingProblem(ABC):
    """Each node gets one of a few labels: as many violations as few, then at least cost.

    What it has makes a problem of it for `LouvainClustering`, `CPSAT`, `GeneticAlgorithm` and
    `RLRepair`, in plain Python: graphs to be coloured, tasks to be given to machines, pieces to
    be put in boxes, some thousands of them. A subclass says what a labelling costs, and may say
    the same in the words of CP-SAT. One that is to be fast implements the protocols of
    `schoolbell.stages.problem` by kernels of its own instead; the room ``stages/labelling`` is
    an example of each.

    A solution is an array of labels, (n_nodes,), in which -1 stands for none; `write` makes a
    file of it, where a `SolutionCheckpoint` wants one.

    Parameters
    ----------
    n_nodes
        How many there are.
    n_labels
        Labels are 0 to ``n_labels - 1``.
    edges
        Pairs of nodes that are in each other's way, (n_edges, 2).

    Attributes
    ----------
    edges
        Each of them once, ascending.
    near
        The nodes next to each node.
    """

    __module__ = "schoolbell.stages"

    #: Operators of repair: a node gets its best label; a random one, and those next to it that
    #: have this one already its former label; a random one.
    actions: ClassVar[tuple[str, ...]] = ("cheapest", "chain", "random")
    #: Moves that an anneal makes in a second, in Python.
    moves_per_second: float = 200_000.0

    def __init__(self, n_nodes: int, n_labels: int, edges: ArrayLike) -> None:
        if n_nodes < 1 or n_labels < 1:
            raise ValueError(
                f"n_nodes and n_labels must be 1 or more, got {n_nodes!r} and {n_labels!r}"
            )
        pairs = np.asarray(edges, np.int64).reshape(-1, 2)
        if len(pairs) and not (pairs.min() >= 0 and pairs.max() < n_nodes):
            raise ValueError(f"edges must be of nodes from 0 to {n_nodes - 1}")
        if np.any(pairs[:, 0] == pairs[:, 1]):
            raise ValueError("an edge must join two nodes, got one of a node with itself")
        self.n_nodes, self.n_labels = n_nodes, n_labels
        self.edges: NDArray[np.int32] = np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int32)
        both = np.concatenate([self.edges, self.edges[:, ::-1]])
        both = both[np.lexsort(both.T[::-1])]
        starts = np.searchsorted(both[:, 0], np.arange(n_nodes + 1))
        #: Where each node's neighbours begin, and all of them one after another.
        self.neighbours: tuple[NDArray[Any], NDArray[Any]] = starts, both[:, 1]
        self.near: list[list[int]] = [
            both[low:high, 1].tolist() for low, high in pairwise(starts.tolist())
        ]

    @abstractmethod
    def evaluate(self, labels: NDArray[np.int64]) -> tuple[int, float]:
        """Return the violations and the cost of a labelling; a node without a label violates."""

    @abstractmethod
    def evaluate_node(self, labels: Sequence[int], node: int, label: int) -> tuple[int, float]:
        """Return what a node would add to both with a label, all others as they are.

        Parameters
        ----------
        labels
            Of all nodes; a list, where this is called a million times.
        node, label
            The node, and a label for it, 0 or more; others may have none, -1.
        """

    def constrain(
        self, model: Any, chosen: Mapping[tuple[int, int], Any], nodes: Iterable[int]
    ) -> Any:
        """Add to CP-SAT's model what must hold, and return what it is to make least.

        By default no two nodes that are next to each other have one label, and a label costs
        what `evaluate_node` says of it where no other node has any, rounded. Labels that violate
        something beside the nodes that stay are not among those to choose from.

        Parameters
        ----------
        model
            A ``CpModel``, in which each node has one label.
        chosen
            For a node and a label whether the node has it: a variable. Of -1 too, where nodes
            may be left without a label.
        nodes
            Those that get labels here; all others stay as they are.
        """
        alone, free = [NOTHING] * self.n_nodes, set(nodes)
        for node in free:
            for other in self.near[node]:
                if other > node and other in free:
                    for label in range(self.n_labels):
                        if (node, label) in chosen and (other, label) in chosen:
                            model.add_at_most_one(chosen[node, label], chosen[other, label])
        return sum(
            round(self.evaluate_node(alone, node, label)[1]) * one
            for (node, label), one in chosen.items()
            if label != NOTHING
        )

    def solution(self, labels: NDArray[np.int64]) -> Any:
        """Return a labelling as `State.offer` takes it; an array that can be written by default."""
        return Labels.of(labels)

    @property
    def n_items(self) -> int:
        """What the engine's moves are counted for: the nodes."""
        return self.n_nodes

    @property
    def node_sizes(self) -> NDArray[np.int32]:
        """Each node is of size 1."""
        return np.ones(self.n_nodes, np.int32)

    def edge_tasks(self, chunk_size: int) -> list[Task]:
        """Hand the edges out in parts."""
        lows = range(0, len(self.edges), chunk_size)
        return [Task(np.array, (self.edges[low : low + chunk_size],)) for low in lows]

    def join_edges(self, parts: Sequence[NDArray[np.int32]]) -> WeightedGraph:
        """Make the graph of the edges, of weight 1 each."""
        edges = np.concatenate([self.edges[:0], *parts])
        first, second = np.ascontiguousarray(edges.T, np.int32)
        return WeightedGraph(self.node_sizes, first, second, np.ones(len(edges), np.int64))

    def construct(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Label the nodes in a random order, each with the first label that violates nothing."""
        return first_fit(self, rng)

    def divide(self) -> LabelDivision:
        """Prepare for `CPSAT`."""
        return LabelDivision(self)

    def breed(self) -> LabelBreeding:
        """Prepare for `GeneticAlgorithm`."""
        return LabelBreeding(self)

    def repair_environment(self, solution: Any, violation: float, steps: int) -> LabelEnvironment:
        """Begin to repair a labelling."""
        return LabelEnvironment(self, np.asarray(solution), violation, steps)

    def repair_agent(self, path: str | os.PathLike[str] | None) -> QLearner:
        """Return an agent that knows nothing yet, or the one that a file holds."""
        if path is not None:
            return QLearner.load(path)
        return QLearner((4, len(self.actions) + 1), self.actions)
