"""Files of named arrays: ``.npz`` without pickle, with a version and a digest."""

import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .atomic import write_bytes_atomically
from .errors import FormatError

KIND, VERSION, DIGEST = "kind", "version", "digest"
MOST_BYTES = 1 << 26

# What zipfile, zlib and numpy raise for a file that was changed.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    KeyError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
)


def write_arrays(
    path: str | os.PathLike[str], kind: str, version: int, arrays: Mapping[str, NDArray]
) -> None:
    """Write arrays of numbers or text under their names; the file is complete or absent.

    Parameters
    ----------
    path
        The file; `numpy.load` can read it too.
    kind, version
        What the file is, and in which version of its layout.
    arrays
        The arrays by name; none may hold objects.

    Raises
    ------
    OSError
        If the file cannot be written; an older one is left as it was.
    """
    about = {KIND: np.array(kind), VERSION: np.array(version), DIGEST: np.array(_digest(arrays))}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in (about | dict(arrays)).items():
            # The same arrays make the same file: no time of day in it.
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            part = io.BytesIO()
            np.lib.format.write_array(part, np.asarray(array), allow_pickle=False)
            archive.writestr(entry, part.getvalue())
    write_bytes_atomically(path, buffer.getvalue())


def read_arrays(
    path: str | os.PathLike[str], kind: str, version: int, most_bytes: int = MOST_BYTES
) -> dict[str, NDArray]:
    """Read what `write_arrays` wrote.

    Sizes are looked at before memory is taken, nothing is unpickled, and a
    changed file is noticed.

    Raises
    ------
    FormatError
        If the file cannot be read, is of another kind or version, is larger
        than `most_bytes`, or was damaged.
    """
    try:
        arrays = _read(path, most_bytes)
    except OSError as error:
        raise FormatError(path, None, error.strerror or str(error), f"{kind}") from error
    except _DAMAGED as error:
        raise FormatError(path, None, str(error) or "a damaged file", f"{kind}") from error
    found = [str(arrays.pop(name, "nothing of the kind")) for name in (KIND, VERSION, DIGEST)]
    if found[0] != kind:
        raise FormatError(path, None, found[0], f"{kind}")
    if found[1] != str(version):
        raise FormatError(path, None, f"{kind} of version {found[1]}", f"version {version}")
    if found[2] != _digest(arrays):
        raise FormatError(path, None, "contents that do not match their digest", f"{kind}")
    return arrays


def _read(path: str | os.PathLike[str], most_bytes: int) -> dict[str, NDArray]:
    arrays = {}
    # A pipe or a device might never end, and the archive's directory is read at once.
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError("no regular file")
    if Path(path).stat().st_size > most_bytes:
        raise ValueError(f"more than {most_bytes} bytes")
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > most_bytes:
            raise ValueError(f"more than {most_bytes} bytes")
        for entry in entries:
            with archive.open(entry) as file:
                # No more than announced: what is behind it does not count.
                arrays[entry.filename.removesuffix(".npy")] = _array(file.read(entry.file_size))
    return arrays


def _array(data: bytes) -> NDArray:
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"an array of version {version}")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    body = data[file.tell() :]
    count = 1
    for length in shape:
        count *= int(length)
    if dtype.hasobject or not dtype.itemsize or count * dtype.itemsize != len(body):
        raise ValueError("an array of the wrong size")
    array = np.frombuffer(body, dtype) if len(body) else np.empty(0, dtype)
    return array.reshape(shape, order="F" if fortran_order else "C").copy()


def _digest(arrays: Mapping[str, NDArray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {np.shape(arrays[name])}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
