"""The text of a CSV log: its lines and records, and the place of a run in it."""

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ..callback import CORE_COLUMNS, Logs

#: The columns that every row has.
COLUMNS = ("stage", "batch", *CORE_COLUMNS[1:])

_ENDS = "\r\n"
_ELAPSED = COLUMNS.index("elapsed")


def csv_line(cells: Sequence[str], separator: str) -> str:
    """Return the texts as a CSV file holds them, without the end of the line."""
    text = StringIO(newline="")
    # Quotes are put around the characters of an end of line, of which there must be one.
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerow(cells)
    return text.getvalue()[:-2]


def csv_records(lines: Iterable[str], longest: int = sys.maxsize) -> Iterator[tuple[int, str]]:
    """Put the lines of a CSV file together to its records.

    Parameters
    ----------
    lines
        With their ends.
    longest
        A record that has more characters is taken to end there.

    Yields
    ------
    tuple
        The number of a record's first line, and its text, with the end of its
        line: a file that was cut off may lack that, and a quote.
    """
    record, first = "", 1
    for number, line in enumerate(lines, start=1):
        first = first if record else number
        record += line
        # Within quotes a line does not end; a quote in a text stands twice.
        if record.count('"') % 2 == 0 or len(record) > longest:
            yield first, record
            record = ""
    if record:
        yield first, record


@dataclass(slots=True)
class CSVPlace:
    """What a run has left for a log when it is saved.

    Attributes
    ----------
    before
        Rows in the file before those of the run.
    rows
        Rows of the run, those included that the disk has not taken yet.
    first
        The run's first row, as the file holds it, from which the file is known.
    metrics
        Names of the file's columns after those that every row has.
    lines, waiting
        The rows that the disk has not taken, which a kill would lose: as the file holds them, and
        after them batches and logs.
    """

    before: int
    rows: int
    first: str
    metrics: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    waiting: list[tuple[int, Logs]] = field(default_factory=list)

    def as_state(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> "CSVPlace":
        """Make it of plain data; a ValueError or the like where that makes no sense."""
        before, rows = int(state["before"]), int(state["rows"])
        if min(before, rows) < 0:
            raise ValueError(f"numbers of rows must not be negative, got {before} and {rows}")
        metrics = [str(name) for name in state.get("metrics", ())]
        # Lines whose columns are not known, as in older backups, fit into no file.
        lines = [str(line) for line in state["lines"]] if "metrics" in state else []
        waiting = [(int(batch), dict(logs)) for batch, logs in state["waiting"]]
        return cls(before, rows, str(state["first"]), metrics, lines, waiting)

    def end_in(self, path: Path, separator: str) -> tuple[int, int] | None:
        """Return where in a file the run's rows end, and how many of them there are.

        None for a file that is another one, or in which another run has gone on, as far
        as the rows tell. A row that a kill has torn is not one of them; one without its
        end that had been written before is, since an editor may have taken that away.
        """
        if not self.rows:
            return None
        # Bytes as characters, so that lengths are those of the file.
        first = self.first.encode().decode("latin-1").rstrip(_ENDS)
        offset = end = 0
        # Rows that the disk had taken when the run was saved.
        written = self.rows - len(self.lines) - len(self.waiting)
        # Without the header.
        count, elapsed = -1, 0.0
        try:
            with path.open(newline="", encoding="latin-1") as file:
                for _, record in csv_records(file):
                    offset += len(record)
                    count += 1
                    if count <= self.before:
                        end = offset
                        continue
                    number = count - self.before
                    if number > written and not record.endswith(("\n", "\r")):
                        count -= 1
                        break
                    if count == self.before + 1 and not record.startswith(first):
                        return None
                    before, elapsed = elapsed, _elapsed(record, separator)
                    if elapsed < before:
                        return None
                    if count <= self.before + self.rows:
                        end = offset
        except FileNotFoundError:
            return None
        if count < self.before:
            return None
        return end, min(count - self.before, self.rows)

    def lost(
        self, found: int, metrics: Sequence[str], separator: str
    ) -> tuple[list[str], list[tuple[int, Logs]]]:
        """Return the rows that a file lacks; none where it lacks some that are not known.

        Parameters
        ----------
        found
            The run's rows that the file has.
        metrics
            Names of its columns after those that every row has.
        separator
            What separates them.

        Returns
        -------
        tuple
            Rows as the file is to hold them, and after them batches and logs.
        """
        missing = self.rows - found
        lines = self.lines[max(0, len(self.lines) + len(self.waiting) - missing) :]
        waiting = self.waiting[max(0, len(self.waiting) - missing) :]
        # The file may have got more columns since.
        same = list(metrics[: len(self.metrics)]) == self.metrics
        if len(lines) + len(waiting) < missing or not same:
            return [], []
        more = separator * (len(metrics) - len(self.metrics))
        return [f"{line.rstrip(_ENDS)}{more}\n" for line in lines], waiting


def _elapsed(record: str, separator: str) -> float:
    """Return the seconds of a row; none at all where it is no whole row."""
    try:
        return float(next(csv.reader([record], delimiter=separator))[_ELAPSED])
    except (csv.Error, IndexError, ValueError, StopIteration):
        return float("nan")
