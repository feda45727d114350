"""The error of a run's file that cannot be used."""

from ...stages.timetable import TimetableError


class ConfigError(TimetableError):
    """The file of an earlier run cannot be read, or no run can be made of it."""
