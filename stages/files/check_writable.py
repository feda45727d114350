"""Find out before hours of work whether its result can be written."""

import errno
import os
import tempfile
from pathlib import Path


def check_writable(path: Path) -> None:
    """Check that a file can be written or replaced; it is left as it is.

    Raises
    ------
    OSError
        If the file's folder is missing or takes no new files, if the path is
        a folder, or if the file is protected.
    """
    if path.is_dir():
        raise _error(errno.EISDIR, path)
    if path.exists():
        if not os.access(path, os.W_OK):
            raise _error(errno.EACCES, path)
        if not path.is_file():
            return
    try:
        # Files are written beside their target and renamed, so its folder must take new ones.
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise _error(error.errno or errno.EIO, path) from None


def check_folder(path: Path) -> None:
    """Check that a folder takes new files, or can be made; it is left as it is.

    Raises
    ------
    OSError
        If the path is no folder, or it or the one above does not let itself be written.
    """
    if path.exists() and not path.is_dir():
        raise _error(errno.ENOTDIR, path)
    there = path.resolve()
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise _error(errno.ENOTDIR, path)
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise _error(error.errno or errno.EIO, path) from None


def _error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), os.fspath(path))
