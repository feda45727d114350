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
        if not _write_unnamed(beside, data):
            with beside.open("xb") as file:
                file.write(data)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _write_unnamed(path: Path, data: bytes) -> bool:
    """Write a file that has no name before it is complete, so that a kill leaves nothing.

    Returns
    -------
    bool
        False where the system or the folder has no such files; nothing is written then.
    """
    unnamed = getattr(os, "O_TMPFILE", None)
    if unnamed is None:
        return False
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        descriptor = os.open(".", os.O_WRONLY | unnamed, 0o666, dir_fd=folder)
    except OSError:
        os.close(folder)
        return False
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            # With a folder's descriptor the link is followed to the file; else it would be copied.
            os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=folder, follow_symlinks=True)
    except FileNotFoundError:
        # Without /proc the file cannot be given a name.
        return False
    finally:
        os.close(folder)
    return True
