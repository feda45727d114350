"""A university's timetable as a web page, as a table, and as files."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...files import write_files as files
from ...files.atomic import write_atomically, write_bytes_atomically
from ...files.templates import render
from .page_data import page_data

if TYPE_CHECKING:
    from ..cost.evaluation import Evaluation
    from ..model.solution import Solution

_TEMPLATE = Path(__file__).with_name("university.html")


def render_html(evaluation: Evaluation) -> str:
    """Draw a timetable as a self-contained web page.

    The page shows the week of every room, course, class, student group and student, the
    cost by part, and every broken rule in words. It loads nothing from elsewhere.

    Parameters
    ----------
    evaluation
        What `evaluate` found for the timetable, which may be incomplete or break rules.
    """
    title = evaluation.solution.instance.name or "Timetable"
    return render(_TEMPLATE, title=title, data=page_data(evaluation))


def write_files(
    evaluation: Evaluation,
    solution: str | os.PathLike[str] | None = None,
    html: str | os.PathLike[str] | None = None,
    csv: str | os.PathLike[str] | None = None,
) -> list[Path]:
    """Write a timetable's files whose paths are given; none is ever seen half-written.

    Parameters
    ----------
    evaluation
        What `evaluate` found for the timetable.
    solution
        Path of the solution file, compressed where it ends in ``.gz``.
    html
        Path of the timetable as a web page.
    csv
        Path of the classes as a table.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    OSError
        If a file cannot be written; all that can be are, and notes tell of the others.
    """
    timetable = evaluation.solution
    return files.write_files(
        (
            (solution, lambda path: _write_solution(path, timetable)),
            (html, lambda path: write_atomically(path, render_html(evaluation))),
            (csv, timetable.write_csv),
        )
    )


def _write_solution(path: str | os.PathLike[str], timetable: Solution) -> None:
    """Write a solution under whatever name, which tells only whether to compress it."""
    if os.fspath(path).lower().endswith(".gz"):
        # Without a time in it, equal contents make equal files.
        write_bytes_atomically(path, gzip.compress(timetable.dumps().encode("utf-8"), mtime=0))
    else:
        write_atomically(path, timetable.dumps())
