"""The bytes of XML files, plain or compressed, within bounds."""

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path

from ...files.atomic import write_bytes_atomically
from ..errors import FormatError, MissingFileError, TimetableError

MAX_BYTES = 250_000_000
"""Longest text that is read, after decompression; the largest public instance has 20 MB."""

CHUNK = 1 << 18

SUFFIXES = (".xml", ".xml.gz")


def read_chunks(path: str | os.PathLike[str]) -> Iterator[tuple[bytes, float]]:
    """Yield a file's bytes, decompressed if they are, with the part of it that has been read.

    Raises
    ------
    FormatError
        If there is no such file (a `MissingFileError`), it is no regular file, it cannot
        be read or decompressed, or its text is longer than `MAX_BYTES`.
    """
    try:
        status = Path(path).stat()
        # A pipe or a device might never end.
        if not stat.S_ISREG(status.st_mode):
            found = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise FormatError(path, None, found, "a file")
        with Path(path).open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = gzip.GzipFile(fileobj=raw) if packed else raw
            read = 0
            while data := file.read(CHUNK):
                read += len(data)
                if read > MAX_BYTES:
                    found = f"more than {MAX_BYTES:,} bytes"
                    raise FormatError(path, None, found, "a smaller file")
                yield data, min(1.0, raw.tell() / max(1, status.st_size))
    except FileNotFoundError:
        raise MissingFileError(path) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        found = f"compressed data that are damaged ({error})"
        raise FormatError(path, None, found, "a whole .gz file") from None
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise FormatError(path, None, found, "a readable file") from None


def write_xml(path: str | os.PathLike[str], text: str) -> None:
    """Write a text to a ``.xml`` file or, compressed, to a ``.xml.gz`` file.

    Raises
    ------
    TimetableError
        If the suffix is another one.
    OSError
        If the file cannot be written; an older one is left as it was.
    """
    check_suffix(path)
    name = os.fspath(path).lower()
    data = text.encode("utf-8")
    # Without a time in it, equal contents make equal files.
    write_bytes_atomically(path, gzip.compress(data, mtime=0) if name.endswith(".gz") else data)


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Raise a TimetableError for the path of a file that is not to be XML."""
    if not os.fspath(path).lower().endswith(SUFFIXES):
        found = f"{os.fspath(path)}: found another suffix"
        raise TimetableError(f"{found}, expected {' or '.join(SUFFIXES)}")
