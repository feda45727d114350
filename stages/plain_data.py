"""Data that a backup can hold."""

from typing import Any

import numpy as np


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
        f"a backup holds arrays, numbers and strings, in lists, tuples and dicts, not {value!r:.80}"
    )
