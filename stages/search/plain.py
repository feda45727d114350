"""Kernels by plain `njit`, where numba's private interfaces do not fit.

Records go to them as numba's structs of the same arrays, by reference: tuples, which go by
value, take more than twice as long to compile. Nothing is kept on disk: numba's own cache would
not know what else a kernel has taken in.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache, update_wrapper
from typing import Any

import numpy as np
from numba import njit, types
from numba.experimental import structref
from numba.extending import typeof_impl

from .record import Record, field_names


class PlainKernel:
    """What Python calls, and other kernels may.

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
        """Call the compiled function, records as structs."""
        return self._compiled(*map(_plain, arguments))


@typeof_impl.register(PlainKernel)
def _typeof_kernel(called: PlainKernel, context: Any) -> Any:
    """Let kernels call other kernels: what these are compiled to."""
    return typeof_impl(called._compiled, context)


kernel = PlainKernel


def inner(function: Any) -> Any:
    """Decorate what only other kernels call."""
    return njit(nogil=True)(function)


@cache
def _struct_of(record: type[Record]) -> Any:
    """Make a class of structs with the fields of a class of records."""
    own_type = type(f"{record.__name__}Type", (types.StructRef,), {"preprocess_fields": _widened})
    struct = type(record.__name__, (structref.StructRefProxy,), {})
    structref.define_proxy(struct, structref.register(own_type), field_names(record))
    return struct


def _widened(struct: Any, fields: Sequence[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """Let no field be of a type for one value alone."""
    return tuple((name, types.unliteral(kind)) for name, kind in fields)


def _plain(argument: Any) -> Any:
    if not isinstance(argument, Record):
        return argument
    known = argument.__dict__.get("_plain")
    if known is None:
        names = field_names(type(argument))
        known = _struct_of(type(argument))(*(_value(getattr(argument, name)) for name in names))
        object.__setattr__(argument, "_plain", known)
    return known


def _value(value: Any) -> Any:
    return int(value) if isinstance(value, np.integer) else value


class CompileListener:
    """Base of what would hear of compilations: nothing is told of them here."""


def listening(listener: CompileListener) -> AbstractContextManager[Any]:
    """Return a context in which nothing is heard."""
    return nullcontext(listener)
