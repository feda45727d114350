"""Write a file so that nobody ever sees half of it."""

import os
import secrets
from pathlib import Path


def write_atomically(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file beside its target and rename it.

    The file is UTF-8 with ``\\n`` at its lines' ends. A link's target is
    replaced, not the link; what is no file (a terminal, ``/dev/null``) is
    written to as it is.

    Raises
    ------
    OSError
        If the file cannot be written; an older one is left as it was.
    """
    write_bytes_atomically(path, text.encode("utf-8"))


def write_bytes_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a binary file as `write_atomically` does a text file."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as file:
            file.write(data)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
