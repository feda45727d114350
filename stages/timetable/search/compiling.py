"""How the kernels are compiled."""

import numpy as np
from numba import njit

kernel = njit(cache=True, nogil=True)
"""Decorates what Python calls: kept on disk, and free of the interpreter's lock."""

inner = njit(  # pyright: ignore[reportCallIssue] - its stubs lack these options
    nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True
)
"""Decorates what only other kernels call: it becomes part of them and needs no way in."""

# A literal -1 would compile a kernel that takes it a second time, for that value alone.
NOWHERE = np.int64(-1)
ONE_MORE = np.int64(1)
ONE_LESS = np.int64(-1)


@inner
def copy_into(target, source):
    """Copy an array of numbers; quicker to compile than a slice."""
    for i in range(len(source)):
        target[i] = source[i]
