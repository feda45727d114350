"""Kernels that are kept on disk, and inner functions that become part of them."""

from functools import partial
from typing import Any

from numba import njit

from ..sources import source_digest
from .caching import KernelCache
from .linking import InnerCompiler, KernelCompiler

_kernel: Any = njit(nogil=True, pipeline_class=KernelCompiler)


def kernel(function: Any) -> Any:
    """Decorate what Python calls: kept on disk, and free of the interpreter's lock."""
    dispatcher = _kernel(_with_its_source(function))
    dispatcher._cache = KernelCache(function)
    return dispatcher


def _with_its_source(function: Any) -> Any:
    """Note what the file of a function holds at its definition."""
    if not hasattr(function, "source_digest"):
        function.source_digest = source_digest(function)
    return function


_inner = njit(  # pyright: ignore[reportCallIssue] - its stubs lack these options
    nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=InnerCompiler
)


def inner(function: Any) -> Any:
    """Decorate what only other kernels call: it becomes part of them and has no way in.

    Raises
    ------
    TypeError
        When Python calls the function.
    """
    dispatcher = _inner(_with_its_source(function))
    # There is no machine code of its own that a call could be dispatched to.
    dispatcher._insert = _keep_nothing
    dispatcher._compile_for_args = partial(_refuse, function.__name__)
    return dispatcher


def _keep_nothing(*signature: Any) -> None:
    """Take no notice of a signature that has been compiled."""


def _refuse(name: str, *args: Any, **kwargs: Any) -> Any:
    raise TypeError(f"{name} is for kernels to call; kernel_of({name}) is for Python")
