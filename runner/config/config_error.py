"""The error of a run's file that cannot be used."""

from ...stages.errors import InputError


class ConfigError(InputError):
    """The file of an earlier run cannot be read, or no run can be made of it."""
