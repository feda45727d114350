"""Exceptions of the timetabling package; all derive from `TimetableError`."""

import errno
import os
from dataclasses import dataclass


class TimetableError(ValueError):
    """Something is wrong with an instance, a solution, a formulation or a file."""

    __module__ = "schoolbell.stages.timetable"


@dataclass(frozen=True, slots=True)
class InstanceItem:
    """Which part of an instance an error is about: a section and a position in it."""

    section: str
    index: int


class InstanceError(TimetableError):
    """The parts of an instance do not fit together.

    Attributes
    ----------
    found, expected
        What is wrong and what would be right, in words.
    item
        The part that is wrong; None if it has no number.
    """

    __module__ = "schoolbell.stages.timetable"

    def __init__(self, found: str, expected: str, item: InstanceItem | None = None) -> None:
        super().__init__(found, expected, item)
        self.found = found
        self.expected = expected
        self.item = item

    def __str__(self) -> str:
        return f"found {self.found}, expected {self.expected}"


class FormatError(TimetableError):
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

    __module__ = "schoolbell.stages.timetable"

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

    __module__ = "schoolbell.stages.timetable"

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
