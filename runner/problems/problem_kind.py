"""Which problem a file is an instance of."""

import os
import stat
from pathlib import Path
from typing import Literal

Kind = Literal["timetable", "university"]

INSTANCE_SUFFIX: dict[str, str] = {"timetable": ".ectt", "university": ".xml.gz"}
"""How the file of an instance ends."""

SOLUTION_SUFFIX: dict[str, str] = {"timetable": ".sol", "university": ".xml"}
"""How the file of a solution ends."""

_START_BYTES = 512


def problem_kind(path: str | os.PathLike[str]) -> Kind:
    """Tell an instance of a whole university, which is XML, from one of a curriculum's timetable.

    What the file holds decides; where it cannot be read, its name does.
    """
    try:
        if stat.S_ISREG(Path(path).stat().st_mode):
            with Path(path).open("rb") as file:
                start = file.read(_START_BYTES)
            if kind_of_data(start) == "university":
                return "university"
    except OSError:
        pass
    return "university" if os.fspath(path).lower().endswith((".xml", ".xml.gz")) else "timetable"


def kind_of_data(data: bytes) -> Kind:
    """Tell by the contents of a file what `problem_kind` tells of the file."""
    start = data[:_START_BYTES]
    is_xml = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
    return "university" if is_xml or is_packed(start) else "timetable"


def is_packed(data: bytes) -> bool:
    """Tell whether the contents of a file are compressed, as universities may be."""
    return data[:2] == b"\x1f\x8b"
