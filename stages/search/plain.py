"""Kernels by plain `njit`, where numba's private interfaces do not fit.

Records go to them as named tuples of the same arrays. Nothing is kept on disk:
numba's own cache would not know what else a kernel has taken in.
"""

from collections import namedtuple
from contextlib import AbstractContextManager, nullcontext
from functools import cache, update_wrapper
from typing import Any

import numpy as np
from numba import njit

from .record import Record, field_names


class PlainKernel:
    """What Python calls.

    Parameters
    ----------
    function
        The Python function.
    """

    def __init__(self, function: Any) -> None:
        update_wrapper(self, function)
        self.py_func = function
        self._compiled: Any = njit(nogil=True)(function)

    def __call__(self, *arguments: Any) -> Any:
        """Call the compiled function, records as tuples."""
        return self._compiled(*map(_plain, arguments))


kernel = PlainKernel


def inner(function: Any) -> Any:
    """Decorate what only other kernels call."""
    return njit(nogil=True)(function)


@cache
def _tuple_of(record: type[Record]) -> Any:
    return namedtuple(record.__name__, field_names(record))


def _plain(argument: Any) -> Any:
    if not isinstance(argument, Record):
        return argument
    known = argument.__dict__.get("_plain")
    if known is None:
        names = field_names(type(argument))
        known = _tuple_of(type(argument))(*(_value(getattr(argument, name)) for name in names))
        object.__setattr__(argument, "_plain", known)
    return known


def _value(value: Any) -> Any:
    return int(value) if isinstance(value, np.integer) else value


class CompileListener:
    """Base of what would hear of compilations: nothing is told of them here."""


def listening(listener: CompileListener) -> AbstractContextManager[Any]:
    """Return a context in which nothing is heard."""
    return nullcontext(listener)
