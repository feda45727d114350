"""Data that a backup can hold."""

from typing import Any

import numpy as np

# Far beyond anything that is counted or measured, and far from where arithmetic overflows.
_LARGEST = 1 << 62
# Deeper than anybody nests data on purpose; a list that holds itself has no end.
_DEEPEST = 64
_AS_THEY_ARE = frozenset((float, str, int, bool, type(None)))
_NUMBERS_AND_TEXTS = (bool, int, float, complex, str, bytes)


def copy_plain(value: Any) -> Any:
    """Copy data that a backup can hold.

    That is None, numbers, strings, bytes and arrays of NumPy, in lists, tuples,
    dicts and sets. All of it comes back from a backup as it was, but for
    numbers of NumPy, which become Python's own.

    Raises
    ------
    TypeError
        For anything else, as an array of objects or an instance of a class, and
        for data nested more than 64 deep.
    """
    return _copied(value, _DEEPEST)


def copy_savable(value: Any, name: str) -> tuple[Any, list[str]]:
    """Copy what a backup can hold of some data, and name what it cannot.

    Entries of dicts are left out one by one, a list or tuple as a whole.
    Subclasses of dict, list and tuple are taken for what they derive from.

    Parameters
    ----------
    value
        The data.
    name
        What to call them.

    Returns
    -------
    tuple
        The copy, None where nothing is left of it, and a text for each thing
        left out: ``"agent.rng (a Generator)"``.
    """
    left_out: list[str] = []
    try:
        return _saved(value, name, left_out, _DEEPEST), left_out
    except _UnsavableError as error:
        return None, [*left_out, str(error)]


class _UnsavableError(TypeError):
    """What a backup cannot hold, named."""


def _saved(value: Any, name: str, left_out: list[str], depth: int) -> Any:
    if depth and isinstance(value, dict):
        kept = {}
        for key, one in list(value.items()):
            if type(key) is str and type(one) in _AS_THEY_ARE:
                kept[key] = one
                continue
            inner = f"{name}.{key}" if isinstance(key, str) else f"{name}[{shown(key)}]"
            try:
                kept[_leaf(key, inner, depth - 1)] = _saved(one, inner, left_out, depth - 1)
            except _UnsavableError as error:
                left_out.append(str(error))
        return kept
    if depth and isinstance(value, list | tuple):
        items = [_saved(one, f"{name}[{i}]", left_out, depth - 1) for i, one in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    return _leaf(value, name, depth)


def _leaf(value: Any, name: str, depth: int) -> Any:
    try:
        return _copied(value, depth)
    except TypeError:
        deep = isinstance(value, list | tuple | dict)
        what = "too deep" if deep else f"a {type(value).__name__}"
        raise _UnsavableError(f"{name} ({what})") from None


def _copied(value: Any, depth: int) -> Any:
    if isinstance(value, np.generic) and _is_plain(value.dtype):
        own = value.item()
        # A time of NumPy's, say, is no number of Python's.
        return own if isinstance(own, _NUMBERS_AND_TEXTS) else value.copy()
    if value is None or isinstance(value, _NUMBERS_AND_TEXTS):
        return value
    if isinstance(value, np.ndarray) and _is_plain(value.dtype) and not np.ma.isMA(value):
        return np.array(value)
    # Of these alone and nothing that derives from them: it would come back as something else.
    held: Any = value
    kind = type(held)
    if kind is bytearray:
        return bytearray(held)
    if depth and kind in (list, tuple, set, frozenset):
        return kind(_copied(one, depth - 1) for one in held)
    if depth and kind is dict:
        return {_copied(name, depth - 1): _copied(one, depth - 1) for name, one in held.items()}
    raise TypeError(
        "a backup holds numbers, strings, bytes and arrays, in lists, tuples, dicts and sets, "
        f"not {shown(value)}"
    )


def _is_plain(dtype: np.dtype[Any]) -> bool:
    """Tell whether arrays of a type can be written as bytes, and their type as ASCII."""
    return dtype.itemsize > 0 and not dtype.hasobject and str(dtype).isascii()


def shown(value: Any) -> str:
    """Return the beginning of a value's text, for a message; also where it has none."""
    try:
        return f"{value!r:.80}"
    except Exception:
        # Of a whole number of very many digits Python makes no text.
        return f"something of type {type(value).__name__}"


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
