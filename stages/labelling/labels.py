"""Labellings: as solutions, and as they are made first."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .labelling_problem import LabellingProblem

NOTHING = -1
"""The label of a node that has none, which is a violation."""


class Labels(np.ndarray):
    """The labels of all nodes, (n_nodes,), as a solution that can be written."""

    @classmethod
    def of(cls, labels: NDArray[np.int64]) -> "Labels":
        """Copy an array."""
        return np.array(labels, np.int64).view(cls)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a label a line."""
        np.savetxt(path, self, "%d")


def of_node(
    problem: "LabellingProblem", labels: Sequence[int], node: int, label: int
) -> tuple[int, float]:
    """Return what a node violates and costs with a label, or with none."""
    return (1, 0.0) if label == NOTHING else problem.evaluate_node(labels, node, label)


def first_fit(problem: "LabellingProblem", rng: np.random.Generator) -> NDArray[np.int64]:
    """Label the nodes in a random order, each with the first label that violates nothing."""
    labels = [NOTHING] * problem.n_nodes
    for node in rng.permutation(problem.n_nodes).tolist():
        free = (
            label
            for label in range(problem.n_labels)
            if problem.evaluate_node(labels, node, label)[0] == 0
        )
        labels[node] = next(free, NOTHING)
    return np.array(labels)


def checked(problem: "LabellingProblem", labels: Any) -> NDArray[np.int64]:
    """Return labels of a backup, if the problem can have such."""
    found = np.asarray(labels, np.int64)
    low, high = (found.min(), found.max()) if found.size else (NOTHING, NOTHING)
    if found.shape != (problem.n_nodes,) or low < NOTHING or high >= problem.n_labels:
        raise ValueError("the backup has labels of another problem")
    return found
