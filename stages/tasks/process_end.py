"""The end of a process that is the package's own."""

import atexit
import gc
import io
from contextlib import suppress
from functools import cache

# The base of every kind of file.
_File = io.FileIO.__mro__[-2]


@cache
def end_quickly() -> None:
    """Have Python not look through all objects, several times, when this process ends.

    The compiler has two hundred thousand of them, which took a second, three on a busy
    machine. What files hold is written out; objects that circles of references hold, those
    of modules among them, are not finalized, as they are not where a forked worker ends.
    """
    atexit.register(_leave_objects)


def _leave_objects() -> None:
    for one in gc.get_objects():
        if issubclass(type(one), _File):
            with suppress(Exception):
                one.flush()
    gc.freeze()
