"""Exceptions of the timetabling package; all derive from `TimetableError`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .. import errors

SHOWN = 60
"""Characters of a wrong value that a message repeats."""


class TimetableError(errors.InputError):
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


class FormatError(errors.FormatError, TimetableError):
    """A file cannot be read as what it should be; see `schoolbell.stages.FormatError`."""

    __module__ = "schoolbell.stages.timetable"


class MissingFileError(errors.MissingFileError, FormatError):
    """There is no such file: a `FileNotFoundError` too."""

    __module__ = "schoolbell.stages.timetable"


@contextmanager
def reading() -> Iterator[None]:
    """Let the errors of a file that is read be those of timetables."""
    try:
        yield
    except TimetableError:
        raise
    except errors.FormatError as error:
        kind = MissingFileError if isinstance(error, FileNotFoundError) else FormatError
        raise kind(error.path, error.line, error.found, error.expected) from error.__cause__


def shown(value: object) -> str:
    """Repeat a wrong value in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"
