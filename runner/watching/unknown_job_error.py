"""The error of a run that a server does not know."""


class UnknownJobError(LookupError):
    """A Redis server knows no run of this id."""

    __module__ = "schoolbell.runner"
