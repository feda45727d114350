"""How the kernels are compiled."""

from typing import Any

import numpy as np

from .machinery import inner, kernel


def kernel_of(function: Any) -> Any:
    """Make a kernel of an inner function, where Python is to call it too.

    The kernels that call the function go on taking in the inner one, so that this
    one is compiled only if it is called.
    """
    return kernel(function.py_func)


# A literal would compile a function that takes it a second time, for that value alone.
NOWHERE = np.int64(-1)
ONE_MORE = np.int64(1)
ONE_LESS = np.int64(-1)


@inner
def copy_into(target, source):
    """Copy an array of numbers; quicker to compile than a slice."""
    for i in range(len(source)):
        target[i] = source[i]
