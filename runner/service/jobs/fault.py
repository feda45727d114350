"""What is wrong with what somebody gave, as data, in the package's own words."""

from pathlib import Path
from typing import Any


def fault_of(error: BaseException) -> dict[str, Any]:
    """Return an error as data: ``detail``; ``file``, ``line``, ``found``, ``expected`` if known.

    No path of the service's machine is in it, only the file's own name.
    """
    from ....callbacks.parameters import without_secrets
    from ....stages.errors import FormatError
    from ....stages.timetable import InstanceError

    if isinstance(error, MemoryError):
        return {"detail": "it takes more memory than a job may have"}
    words = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, FormatError):
        name = Path(error.path).name
        place = name if error.line is None else f"{name}:{error.line}"
        return {
            "detail": f"{place}: found {error.found}, expected {error.expected}",
            "file": name,
            "line": error.line,
            "found": error.found,
            "expected": error.expected,
        }
    if isinstance(error, InstanceError):
        return {"detail": words, "found": error.found, "expected": error.expected}
    if not isinstance(error, ValueError):
        words = f"{type(error).__name__}: {words}"
    return {"detail": without_secrets(words)}
