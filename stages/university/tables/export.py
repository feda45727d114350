"""Tables of a solution for other programs."""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING

from ...files.atomic import write_atomically
from ...needing import needing
from .rows import TableOf, table_columns

if TYPE_CHECKING:
    from pandas import DataFrame

    from ..model.solution import Solution


def frame(solution: Solution, of: TableOf) -> DataFrame:
    """Return a table of a solution as pandas has it.

    Raises
    ------
    TimetableError
        For another `of`.
    ImportError
        Where pandas is not installed.
    """
    with needing("a solution as a table"):
        from pandas import DataFrame
    return DataFrame(table_columns(solution, of))


def csv_text(solution: Solution, of: TableOf) -> str:
    """Return a table of a solution as CSV, with the columns' names in the first line.

    Raises
    ------
    TimetableError
        For another `of`.
    """
    columns = table_columns(solution, of)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def write_csv(solution: Solution, path: str | os.PathLike[str], of: TableOf) -> None:
    """Write a table of a solution as a CSV file.

    Raises
    ------
    TimetableError
        For another `of`.
    OSError
        If the file cannot be written; an older one is left as it was.
    """
    write_atomically(path, csv_text(solution, of))
