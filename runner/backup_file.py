"""The file of a backup: arrays in an ``.npz``, the rest as JSON beside them."""

import errno
import json
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stages.timetable.array_file import read_arrays, write_arrays
from ..stages.timetable.errors import FormatError
from .backup_error import BackupError

KIND = "schoolbell backup"
VERSION = 1
MOST_BYTES = 1 << 30
"""Most bytes that a backup may hold, unpacked."""
MOST_BYTES_OF_TEXT = 1 << 24
"""Most of them that are JSON, which becomes objects twenty times as large."""

# What stands in the JSON for an array and for a tuple.
ARRAY, TUPLE = "__array__", "__tuple__"
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
        text = arrays[TREE].tobytes()
        if len(text) > MOST_BYTES_OF_TEXT:
            raise ValueError(f"more than {MOST_BYTES_OF_TEXT} bytes of text")
        tree = _unpack(json.loads(text), arrays)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BackupError(path, f"its contents make no sense ({error!r:.80})") from error
    if not isinstance(tree, dict):
        raise BackupError(path, "its contents make no sense")
    return tree


def _pack(value: Any, arrays: list[NDArray]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {ARRAY: f"a{len(arrays) - 1}"}
    if isinstance(value, tuple):
        return {TUPLE: [_pack(one, arrays) for one in value]}
    if isinstance(value, list):
        return [_pack(one, arrays) for one in value]
    if isinstance(value, dict):
        return {name: _pack(one, arrays) for name, one in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _unpack(value: Any, arrays: dict[str, NDArray]) -> Any:
    if isinstance(value, list):
        return [_unpack(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    if ARRAY in value:
        return arrays[value[ARRAY]]
    if TUPLE in value:
        return tuple(_unpack(one, arrays) for one in value[TUPLE])
    return {name: _unpack(one, arrays) for name, one in value.items()}
