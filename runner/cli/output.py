"""Output on streams that are absent, full, poor in characters, or that nobody reads any more."""

import codecs
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

# What is done with a character that stdout cannot encode.
_LEGIBLY = "schoolbell-legibly"


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


def complain(message: str) -> None:
    """Print a line of the program's on ``sys.stderr``, where anybody can be told."""
    stream = sys.stderr
    try:
        # Not to stdout, where print() writes when there is no stderr.
        if stream is not None:
            print(f"schoolbell: {message}", file=stream, flush=True)
    except (OSError, ValueError):
        discard(stream)


def settle(stream: TextIO | None) -> OSError | None:
    """Write what is left in a stream's buffer; return why that could not be done, if so.

    What could not goes nowhere: the interpreter would try again at its end, and
    fail.
    """
    try:
        if stream is not None and not stream.closed:
            stream.flush()
    except OSError as error:
        discard(stream)
        return error
    return None


def hold_standard_numbers() -> None:
    """Open the null device in the place of standard streams that were closed before the start.

    Else the next file that is opened would have the number of stdout or stderr,
    and get what some library prints there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


@contextmanager
def usable_streams() -> Iterator[None]:
    """Let all within print on ``sys.stdout`` and ``sys.stderr``, whatever they are.

    In the place of one that is absent or closed there is one that drops what it
    gets. What stdout cannot encode is written as Python writes it in a literal,
    as stderr does it anyway; bytes of a file's name that are no text are written
    as they are.
    """
    codecs.register_error(_LEGIBLY, _legibly)
    before = sys.stdout, sys.stderr
    own: list[TextIO] = []
    for name, stream in zip(("stdout", "stderr"), before, strict=True):
        if stream is None or stream.closed:
            # Open until all is over, as it may have been handed on.
            own.append(Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
            setattr(sys, name, own[-1])
    errors = getattr(sys.stdout, "errors", None)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None and errors in ("strict", "surrogateescape"):
        reconfigure(errors=_LEGIBLY)
    try:
        yield
    finally:
        if reconfigure is not None and errors in ("strict", "surrogateescape"):
            with suppress(OSError, ValueError):
                reconfigure(errors=errors)
        # Others may have put theirs in the place of ours, and know when to take them away.
        if sys.stdout in own:
            sys.stdout = before[0]
        if sys.stderr in own:
            sys.stderr = before[1]
        for stream in own:
            stream.close()


def _legibly(error: UnicodeError) -> tuple[bytes | str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    one = error.object[error.start]
    if "\udc80" <= one <= "\udcff":
        return bytes([ord(one) - 0xDC00]), error.start + 1
    return one.encode("ascii", "backslashreplace"), error.start + 1
