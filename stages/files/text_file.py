"""Read a text file that somebody else wrote."""

import os
import stat
from pathlib import Path

from ..errors import FormatError, MissingFileError

MAX_BYTES = 50_000_000
"""Largest file that is read; the largest public instance has 2 MB."""


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a UTF-8 file.

    Raises
    ------
    FormatError
        If there is no such file (a `MissingFileError`), it is no regular file, it is larger than
        `MAX_BYTES`, or it is not UTF-8 text.
    """
    data = _read_bytes(path)
    if (nul := data.find(b"\0")) >= 0:
        raise FormatError(path, _line(data, nul), "binary data", "text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line(data, error.start)
        found = f"byte 0x{data[error.start]:02x} that is not UTF-8"
        raise FormatError(path, line, found, "UTF-8 text") from None


def _line(data: bytes, position: int) -> int:
    """Return the number of the line of a byte; lines end in LF, CR LF or CR."""
    before = data[:position]
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")


def _read_bytes(path: str | os.PathLike[str]) -> bytes:
    try:
        mode = Path(path).stat().st_mode
        # A pipe or a device might never end.
        if not stat.S_ISREG(mode):
            found = "a directory" if stat.S_ISDIR(mode) else "no regular file"
            raise FormatError(path, None, found, "a file")
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise MissingFileError(path) from None
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise FormatError(path, None, found, "a readable file") from None
    if len(data) > MAX_BYTES:
        raise FormatError(path, None, f"more than {MAX_BYTES:,} bytes", "a smaller file")
    return data
