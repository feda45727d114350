"""Exceptions of the university package: those of timetables, of which all are `TimetableError`."""

from ..timetable.errors import (
    FormatError,
    InstanceError,
    InstanceItem,
    MissingFileError,
    TimetableError,
)

__all__ = ["FormatError", "InstanceError", "InstanceItem", "MissingFileError", "TimetableError"]
