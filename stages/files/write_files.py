"""Write several files of one result: all that can be."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from .atomic import write_bytes_atomically

#: Where a file goes, None for nowhere, and what makes its contents.
WantedFile = tuple[str | os.PathLike[str] | None, Callable[[], str | bytes]]


def write_files(wanted: Iterable[WantedFile]) -> list[Path]:
    """Write files, none of which is ever seen half-written.

    Parameters
    ----------
    wanted
        For each file its path, None to leave it out, and a function that makes its text
        (written as UTF-8) or its bytes.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    OSError
        If a file cannot be written; all that can be are, and notes tell of the others.
    """
    files: list[Path] = []
    failure: OSError | None = None
    for path, make in wanted:
        if path is None:
            continue
        try:
            contents = make()
            data = contents.encode("utf-8") if isinstance(contents, str) else contents
            write_bytes_atomically(path, data)
        except OSError as error:
            error.filename = os.fspath(path)
            if failure is None:
                failure = error
            else:
                failure.add_note(f"{path} was not written either: {error.strerror}")
        else:
            files.append(Path(path))
    if failure is not None:
        raise failure
    return files
