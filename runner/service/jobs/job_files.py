"""The files of jobs."""

from ...problems.problem_kind import INSTANCE_SUFFIX, SOLUTION_SUFFIX

_TEXT, _XML = "text/plain; charset=utf-8", "application/xml"
_MEDIA = {".ectt": _TEXT, ".sol": _TEXT, ".xml": _XML, ".xml.gz": "application/gzip"}
_SAME = {
    "page": ("timetable.html", "text/html; charset=utf-8"),
    "table": ("timetable.csv", "text/csv; charset=utf-8"),
    "timetable": ("timetable.json", "application/json"),
    "log": ("log.csv", "text/csv; charset=utf-8"),
    "run.json": ("run.json", "application/json"),
}


def files_of(kind: str) -> dict[str, tuple[str, str]]:
    """Return the files of a job by what a client calls them: name in the folder and media type.

    Parameters
    ----------
    kind
        Of its problem.
    """
    solution, instance = SOLUTION_SUFFIX[kind], INSTANCE_SUFFIX[kind]
    return {
        "solution": (f"solution{solution}", _MEDIA[solution]),
        **_SAME,
        "instance": (f"instance{instance}", _MEDIA[instance]),
    }


FILES = tuple(files_of("timetable"))
"""What clients call the files of a job."""
