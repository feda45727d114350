"""How many students two classes share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...ragged import starts_of


@dataclass(frozen=True, eq=False)
class SharedStudents:
    """For each class the others that its students attend too.

    Attributes
    ----------
    starts
        First entry of each class, (n_classes + 1,).
    other, count
        The other class of each entry, and how many students attend both.
    """

    starts: NDArray[np.int64]
    other: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def of(cls, n_classes: int, enrolments: NDArray[np.int64]) -> SharedStudents:
        """Count them in rows ``(student, class)``, sorted."""
        students, classes = enrolments[:, 0], enrolments[:, 1]
        _, first, sizes = np.unique(students, return_index=True, return_counts=True)
        keys = [np.zeros(0, np.int64)]
        for size in np.unique(sizes[sizes > 1]):
            attended = classes[first[sizes == size][:, None] + np.arange(size)]
            i, j = np.triu_indices(size, 1)
            keys += [(attended[:, i] * n_classes + attended[:, j]).ravel()]
            keys += [(attended[:, j] * n_classes + attended[:, i]).ravel()]
        found, count = np.unique(np.concatenate(keys), return_counts=True)
        mine, other = np.divmod(found, max(1, n_classes))
        return cls(starts_of(np.bincount(mine, minlength=n_classes)), other, count)

    @classmethod
    def of_matrix(cls, matrix: NDArray[np.integer]) -> SharedStudents:
        """Take them from a table of all pairs of classes, whose diagonal does not count."""
        mine, other = np.nonzero(matrix)
        mine, other = mine[mine != other], other[mine != other]
        count = matrix[mine, other].astype(np.int64)
        return cls(starts_of(np.bincount(mine, minlength=len(matrix))), other, count)

    def row(self, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the other classes of a class, ascending, and how many students they share."""
        here = slice(self.starts[k], self.starts[k + 1])
        return self.other[here], self.count[here]
