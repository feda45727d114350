"""Output that nobody reads any more."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


@contextmanager
def while_read(stream: TextIO | None) -> Iterator[None]:
    """Drop the rest of what is printed within when the stream's reader has gone.

    As in ``schoolbell fit … | head -1``, or with a terminal that was closed. For
    what is worth nothing to anybody else: the files are written all the same.
    """
    try:
        yield
        if stream is not None:
            stream.flush()
    except OSError as error:
        # A closed terminal answers with EIO.
        if not isinstance(error, BrokenPipeError) and error.errno != errno.EIO:
            raise
        discard(stream)


def discard(stream: TextIO | None) -> None:
    """Have what is left in a stream's buffer, and what comes after it, go nowhere."""
    # A stream that is no file of the system's has no reader that could go.
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, stream.fileno())  # pyright: ignore[reportOptionalMemberAccess]
        finally:
            os.close(null)
