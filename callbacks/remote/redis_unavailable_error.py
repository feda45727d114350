"""The error of a Redis that cannot be used."""


class RedisUnavailableError(ConnectionError):
    """A Redis server cannot be used; the message says which, why, and what to do.

    No password is in it.
    """

    __module__ = "schoolbell.callbacks"
