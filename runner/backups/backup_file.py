"""The file of a backup: arrays in an ``.npz``, the rest as JSON beside them."""

import errno
import json
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...stages.errors import FormatError
from ...stages.files.array_file import read_arrays, write_arrays
from .backup_error import BackupError

KIND = "schoolbell backup"
VERSION = 1
MOST_BYTES = 1 << 30
"""Most bytes that a backup may hold, unpacked."""
MOST_BYTES_OF_TEXT = 1 << 24
"""Most of them that are JSON, which becomes objects twenty times as large."""

# What stands in the JSON for what it has no place for.
ARRAY, SCALAR, BYTES, BYTEARRAY = "__array__", "__scalar__", "__bytes__", "__bytearray__"
INTEGER, COMPLEX, ITEMS = "__int__", "__complex__", "__items__"
_COLLECTIONS = {"__tuple__": tuple, "__set__": set, "__frozenset__": frozenset}
_TAGS = {ARRAY, SCALAR, BYTES, BYTEARRAY, INTEGER, COMPLEX, ITEMS, *_COLLECTIONS}
_LARGEST_DECIMAL = 1 << 256
TREE = "tree"


def write_backup(path: str | os.PathLike[str], tree: dict[str, Any]) -> None:
    """Write plain data (see `copy_plain`); a file that is there stays until the new one is whole.

    Raises
    ------
    OSError
        If the file cannot be written, or would be larger than what is read.
    """
    arrays: list[NDArray] = []
    text = json.dumps(_pack(tree, arrays)).encode()
    size = len(text) + sum(array.nbytes for array in arrays)
    if len(text) > MOST_BYTES_OF_TEXT or size > MOST_BYTES:
        raise OSError(errno.EFBIG, f"{size:,} bytes are too many", os.fspath(path))
    named = {f"a{number}": array for number, array in enumerate(arrays)}
    write_arrays(path, KIND, VERSION, {TREE: np.frombuffer(text, np.uint8), **named})


def read_backup(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what `write_backup` wrote.

    Sizes are looked at before memory is taken, and nothing is unpickled.

    Raises
    ------
    BackupError
        If the file cannot be read, is none of a backup, is damaged, too large,
        or of another version.
    """
    try:
        arrays = read_arrays(path, KIND, VERSION, MOST_BYTES)
    except FormatError as error:
        raise BackupError(path, f"found {error.found}, expected {error.expected}") from error
    try:
        # Not by msgspec, which knows no NaN and no infinity: a cost may be one.
        text = arrays[TREE].tobytes()
        if len(text) > MOST_BYTES_OF_TEXT:
            raise ValueError(f"more than {MOST_BYTES_OF_TEXT} bytes of text")
        tree = _unpack(json.loads(text), arrays)
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise BackupError(path, f"its contents make no sense ({error!r:.80})") from error
    if not isinstance(tree, dict):
        raise BackupError(path, "its contents make no sense")
    return tree


def _pack(value: Any, arrays: list[NDArray]) -> Any:
    """Return data as JSON knows them, with an object of one name for what it does not know."""
    if _is_json(value):
        return value
    if isinstance(value, dict):
        if all(type(name) is str for name in value) and value.keys().isdisjoint(_TAGS):
            return {
                name: one if _is_json(one) else _pack(one, arrays) for name, one in value.items()
            }
        return {ITEMS: [[_pack(name, arrays), _pack(one, arrays)] for name, one in value.items()]}
    if isinstance(value, list):
        return [_pack(one, arrays) for one in value]
    for tag, type_ in _COLLECTIONS.items():
        if isinstance(value, type_):
            return {tag: [_pack(one, arrays) for one in value]}
    if isinstance(value, np.ndarray):
        return {ARRAY: _add(value, arrays)}
    if isinstance(value, bytes | bytearray):
        tag = BYTES if isinstance(value, bytes) else BYTEARRAY
        return {tag: _add(np.array(memoryview(value), np.uint8), arrays)}
    if isinstance(value, np.generic):
        own = value.item()
        if not isinstance(own, bool | int | float | complex | str):
            return {SCALAR: _add(np.array(value), arrays)}
        value = own
    if isinstance(value, complex):
        return {COMPLEX: [value.real, value.imag]}
    # Python reads decimal numbers of at most 4,300 digits.
    return {INTEGER: hex(value)} if isinstance(value, int) else value


def _is_json(value: Any) -> bool:
    """Tell whether JSON has just this value."""
    kind = type(value)
    if kind is int:
        return -_LARGEST_DECIMAL < value < _LARGEST_DECIMAL
    return kind is float or kind is str or kind is bool or value is None


def _add(array: NDArray, arrays: list[NDArray]) -> str:
    arrays.append(array)
    return f"a{len(arrays) - 1}"


def _unpack(value: Any, arrays: dict[str, NDArray]) -> Any:
    if isinstance(value, list):
        return [_unpack(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    tag = next(iter(value)) if len(value) == 1 else None
    if tag not in _TAGS:
        return {name: _unpack(one, arrays) for name, one in value.items()}
    held = value[tag]
    if tag in _COLLECTIONS:
        return _COLLECTIONS[tag](_unpack(one, arrays) for one in held)
    if tag == ITEMS:
        return {_unpack(name, arrays): _unpack(one, arrays) for name, one in held}
    if tag == COMPLEX:
        return complex(*held)
    if tag == INTEGER:
        return int(held, 16)
    if tag == SCALAR:
        return arrays[held][()]
    if tag == BYTES:
        return arrays[held].tobytes()
    return bytearray(arrays[held].tobytes()) if tag == BYTEARRAY else arrays[held]
