"""Write several files of one result: all that can be."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def write_files(
    writers: Iterable[tuple[str | os.PathLike[str] | None, Callable[[Any], object]]],
) -> list[Path]:
    """Write files, each by a function of its own.

    Parameters
    ----------
    writers
        For each file its path, None to leave it out, and what writes it there.

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
    for path, write in writers:
        if path is None:
            continue
        try:
            write(path)
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
