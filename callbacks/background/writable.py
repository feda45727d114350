"""Finds out before any work whether what a callback will write can be written."""

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def check_file(path: Path) -> None:
    """Check that a file can be written, and the folders above it made; nothing is left behind.

    Raises
    ------
    OSError
        If the path is a folder, the file is protected, or a folder above it is none or takes
        no new files.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        check_folder(path.parent)
        return
    if stat.S_ISDIR(mode):
        raise _error(errno.EISDIR, path)
    if stat.S_ISREG(mode):
        os.close(os.open(path, os.O_WRONLY))
    elif not os.access(path, os.W_OK):
        raise _error(errno.EACCES, path)


def check_folder(path: Path) -> None:
    """Check that a folder takes new files, or can be made; nothing is left behind.

    Raises
    ------
    OSError
        If it is no folder, or it or the one above takes no new files.
    """
    there = path
    while True:
        with suppress(FileNotFoundError):
            mode = there.stat().st_mode
            break
        there = there.absolute().parent
    if not stat.S_ISDIR(mode):
        raise _error(errno.ENOTDIR, path)
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise _error(error.errno or errno.EIO, path) from None


def _error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), os.fspath(path))
