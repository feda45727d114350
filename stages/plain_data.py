"""Data that a backup can hold."""

import reprlib
from typing import Any

import numpy as np

# Far beyond anything that is counted or measured, and far from where arithmetic overflows.
_LARGEST = 1 << 62


def copy_plain(value: Any) -> Any:
    """Copy data made of arrays, numbers, strings, None, lists, tuples and dicts.

    Numbers of numpy become Python's own.

    Raises
    ------
    TypeError
        For anything else, an array of objects and a key that is no string
        included.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.copy()
    if isinstance(value, np.generic) and not value.dtype.hasobject:
        return value.item()
    if type(value) is list:
        return [copy_plain(one) for one in value]
    if type(value) is tuple:
        return tuple(copy_plain(one) for one in value)
    if type(value) is dict and all(isinstance(name, str) for name in value):
        return {name: copy_plain(one) for name, one in value.items()}
    raise TypeError(
        "a backup holds arrays, numbers and strings, in lists, tuples and dicts, "
        f"not {reprlib.repr(value):.80}"
    )


def as_count(value: Any, least: int = 0) -> int:
    """Return a whole number that a backup holds; a ValueError for anything else."""
    if type(value) is not int or not least <= value <= _LARGEST:
        raise ValueError(f"expected a whole number from {least}, got {value!r:.40}")
    return value


def as_number(value: Any, least: float = -_LARGEST) -> Any:
    """Return a finite number that a backup holds; a ValueError for anything else."""
    if type(value) not in (int, float) or not least <= value <= _LARGEST:
        raise ValueError(f"expected a number from {least:g}, got {value!r:.40}")
    return value
