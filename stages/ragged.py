"""Ragged arrays: groups of several sizes, one after the other in one array."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def starts_of(sizes: ArrayLike) -> NDArray[np.int64]:
    """Return where groups of these sizes begin, and where the last one ends: one number more."""
    return np.concatenate([[0], np.cumsum(np.asarray(sizes, np.int64))])


def ranks(sizes: ArrayLike) -> NDArray[np.int64]:
    """Return the position of each member in its own group: ``[0, 1, 0, 1, 2]`` for 2 and 3."""
    return ranges(0, sizes)


def ranges(firsts: ArrayLike, sizes: ArrayLike) -> NDArray[np.int64]:
    """Return the numbers that follow each of some first ones, as many as `sizes` tell.

    For the members of groups that are chosen out of order: ``ranges(starts[chosen], sizes)``.
    """
    counts = np.asarray(sizes, np.int64)
    before = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) + np.repeat(np.asarray(firsts) - before, counts)
