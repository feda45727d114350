"""Which problem a file is an instance of."""

import os
import stat
from pathlib import Path
from typing import Literal

Kind = Literal["timetable", "university"]


def problem_kind(path: str | os.PathLike[str]) -> Kind:
    """Tell an instance of a whole university, which is XML, from one of a curriculum's timetable.

    What the file holds decides; where it cannot be read, its name does.
    """
    try:
        if stat.S_ISREG(Path(path).stat().st_mode):
            with Path(path).open("rb") as file:
                start = file.read(512)
            if start[:2] == b"\x1f\x8b" or start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
                return "university"
    except OSError:
        pass
    return "university" if os.fspath(path).lower().endswith((".xml", ".xml.gz")) else "timetable"
