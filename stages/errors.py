"""Exceptions for what a run is given; those of a problem derive from them."""

import errno
import os


class InputError(ValueError):
    """Something is wrong with what was given: a problem, a solution or a file."""

    __module__ = "schoolbell.stages"


class FormatError(InputError):
    """A file cannot be read as what it should be.

    Attributes
    ----------
    path
        The file.
    line
        Number of the line, from 1; None where the file as a whole is wrong.
    found, expected
        What is there and what should be, in words.
    """

    __module__ = "schoolbell.stages"

    def __init__(
        self, path: str | os.PathLike[str], line: int | None, found: str, expected: str
    ) -> None:
        super().__init__(path, line, found, expected)
        self.path = os.fspath(path)
        self.line = line
        self.found = found
        self.expected = expected

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: found {self.found}, expected {self.expected}"


class MissingFileError(FormatError, FileNotFoundError):
    """There is no such file: a `FileNotFoundError` too."""

    __module__ = "schoolbell.stages"

    # Found by name, as tblib asks when it unpickles (Dask has it do so for all exceptions), the
    # first base's would be, which cannot make what holds an error number.
    __new__ = FileNotFoundError.__new__

    def __init__(
        self,
        path: str | os.PathLike[str],
        line: int | None = None,
        found: str = "no such file or directory",
        expected: str = "a readable file",
    ) -> None:
        super().__init__(path, line, found, expected)
        self.errno = errno.ENOENT
        self.strerror = os.strerror(errno.ENOENT)
        self.filename = self.path
