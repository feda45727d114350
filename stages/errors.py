"""Exceptions for what a run is given; those of a problem derive from them."""

import errno
import os
from typing import Any, Self


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

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # The one that it would inherit, ValueError's, refuses what is an OSError: those who call
        # it and not the class, as pickling does once Dask is loaded, would get no object.
        return FileNotFoundError.__new__(cls)

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
