"""What a kernel takes in: the sources of all that it calls, and the constants that it freezes.

numba asks the file of the outermost function alone whether compiled code is up to
date. But a kernel holds the code of all that it calls, wherever that stands, and
module-level constants have the values that they had when it was compiled.
"""

import hashlib
import linecache
import os
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np
from numba import types


def source_digest(function: Any) -> str:
    """Digest the file that a function stands in, as it is now."""
    path = function.__code__.co_filename
    try:
        status = os.stat(path)  # noqa: PTH116 - half a kernel's import is spent here
        return _file_digest(path, status.st_mtime_ns, status.st_size)
    except OSError:
        # In an archive, or typed into a notebook.
        text = "".join(linecache.getlines(path, function.__globals__))
        return hashlib.sha256((text or _code_as_text(function.__code__)).encode()).hexdigest()


@cache
def _file_digest(path: str, mtime_ns: int, size: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _code_as_text(code: CodeType) -> str:
    constants = [_code_as_text(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return repr((code.co_code, code.co_names, code.co_varnames, constants))


def _compiler_digests() -> list[str]:
    """Digest the files beside this one that teach or call the compiler: they shape all kernels."""
    found = []
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        text = path.read_bytes()
        is_private = path.parent.name == "numba_interfaces"
        if is_private or any(mark in text for mark in (b"numba.extending", b"njit(")):
            found.append(hashlib.sha256(text).hexdigest())
    return found


_COMPILER = _compiler_digests()


def fingerprint(function: Any) -> str:
    """Digest all that a kernel is compiled from.

    Parameters
    ----------
    function
        The Python function of the kernel.

    Returns
    -------
    str
        Other whenever a file has changed in which the kernel or something that it
        calls stands, a constant that one of these uses, or how numba is taught.
    """
    digest = hashlib.sha256("\n".join(_COMPILER).encode())
    for part in sorted(set(_parts(function, set()))):
        digest.update(f"\n{part}".encode())
    return digest.hexdigest()


def _parts(function: Any, seen: set[int]) -> Iterator[str]:
    """Tell the digests of a function's file and of all that it takes in, and its constants."""
    if id(function) in seen:
        return
    seen.add(id(function))
    # Read when it was decorated: the file may have been edited since it was imported.
    yield getattr(function, "source_digest", None) or source_digest(function)
    for name, value in _used(function):
        callee = getattr(value, "py_func", None) or getattr(value, "_defn", None)
        if callee is not None:
            yield from _parts(callee, seen)
        else:
            yield f"{name} = {_describe(value)}"


def _used(function: Any) -> Iterator[tuple[str, Any]]:
    """Find the values that a function takes from outside, module attributes included."""
    if function.__closure__:
        cells = zip(function.__code__.co_freevars, function.__closure__, strict=True)
        yield from ((name, cell.cell_contents) for name, cell in cells)
    for code in _codes(function.__code__):
        # Attributes' names are among them: one that is a constant's by chance does no harm.
        for name, value in _named(code, function.__globals__):
            yield name, value
            if isinstance(value, ModuleType | type):
                yield from _named(code, vars(value))


def _named(code: CodeType, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, values[name]) for name in code.co_names if name in values)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _describe(value: Any) -> str:
    """Write a constant out: the same in every process, and other for another value."""
    if isinstance(value, np.ndarray | np.generic):
        data = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"{value.dtype} {value.shape} {data}"
    if isinstance(value, types.Type):
        return str(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_describe, value))})"
    if isinstance(value, int | float | complex | str | bytes | Enum):
        return repr(value)
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"
