"""Files of named arrays: ``.npz`` without pickle, with a version and a digest."""

import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import FormatError, MissingFileError
from .atomic import write_bytes_atomically

KIND, VERSION, DIGEST = "kind", "version", "digest"
MOST_BYTES = 1 << 26

MOST_BYTES_OF_DIRECTORY = 1 << 22
"""Most bytes of an archive's directory: it becomes objects several times as large."""

# How an archive ends: signature, disks, numbers of entries, the directory's size and place, and
# the length of a comment. What stands before that in archives of 64 bits has 20 bytes.
_END = struct.Struct("<4s4H2LH")
_LOCATOR_64 = b"PK\6\7" + bytes(16)

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
        kind_of_error = MissingFileError if isinstance(error, FileNotFoundError) else FormatError
        raise kind_of_error(path, None, error.strerror or str(error), kind) from error
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
    with Path(path).open("rb") as file:
        _check_directory(file)
        archive = zipfile.ZipFile(file)
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > most_bytes:
            raise ValueError(f"more than {most_bytes} bytes")
        for entry in entries:
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError("an unusual compression")
            with archive.open(entry) as part:
                # No more than announced: what is behind it does not count.
                arrays[entry.filename.removesuffix(".npy")] = _array(part.read(entry.file_size))
    return arrays


def _check_directory(file: BinaryIO) -> None:
    """Look at how large the archive's directory is, before it is read at once.

    `write_arrays` leaves no comment at the end and needs no 64-bit sizes; where
    there are any, zipfile looks for the directory's size elsewhere.
    """
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - len(_LOCATOR_64) - _END.size))
    locator, end = file.read(len(_LOCATOR_64)), file.read()
    if len(end) != _END.size or not end.startswith(b"PK\5\6") or not end.endswith(b"\0\0"):
        raise ValueError("no end of an archive")
    if locator.startswith(_LOCATOR_64[:4]):
        raise ValueError("an archive of 64 bits")
    if _END.unpack(end)[5] > MOST_BYTES_OF_DIRECTORY:
        raise ValueError("a directory that is too large")


def _array(data: bytes) -> NDArray:
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"an array of version {version}")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    size = len(data) - file.tell()
    count = 1
    for length in shape:
        count *= int(length)
    if dtype.hasobject or not dtype.itemsize or count * dtype.itemsize != size:
        raise ValueError("an array of the wrong size")
    array = np.frombuffer(data, dtype, offset=file.tell()) if size else np.empty(0, dtype)
    return array.reshape(shape, order="F" if fortran_order else "C").copy()


def _digest(arrays: Mapping[str, NDArray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {np.shape(arrays[name])}\n".encode())
        if array.size:
            digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
