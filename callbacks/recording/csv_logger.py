"""Writes a run's batches to a CSV file."""

import csv
import os
from pathlib import Path
from typing import Any, ClassVar

from ..argument_error import ArgumentError
from ..background.writable import check_file
from ..callback import Callback, Logs, nothing
from ..plain_value import plain_text
from ..safe_warning import warn_safely
from .csv_feed import CSVFeed
from .csv_rows import COLUMNS, CSVPlace, csv_records


class CSVLogger(Callback):
    """Writes a row for each batch to a CSV file.

    The columns stand from the first line on: ``stage``, ``batch``, ``unit``,
    ``done``, ``total``, ``progress``, ``elapsed``, ``cost``, ``violations``,
    then the metrics that the stages declare; what a row has no value for is
    empty. Where a stage declares none (``metrics=None``), the header is written
    with the first row, and metrics that come later get columns then, which are
    empty in the rows before. ``pandas.read_csv(filename)`` reads it.

    Numbers, NumPy's and True and False included, are written as numbers, texts
    in quotes where they need them, None as nothing, and anything else as a short
    text.

    A thread of its own writes the rows, ten times a second, so no disk slows the
    run, and a killed process loses at most the rows of its last moment. When
    writing fails (a full disk), it warns once, keeps the rows, up to 4 MB of
    them, tries again every second, and says at the end what is lost.

    Parameters
    ----------
    filename
        The file; folders above it are made when they are missing.
    separator
        What separates the columns: one character, no quote and none of a number's.
    append
        Go on in a file that is there, below its rows and without a second
        header; otherwise a new run overwrites it.

    Raises
    ------
    ValueError
        Before a run, for an existing file with other columns.
    OSError
        Before a run, for a file that cannot be written.
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {"_feed": nothing}

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        if not isinstance(filename, str | os.PathLike):
            raise ArgumentError.of("filename", "the path of a file", filename)
        if (
            not isinstance(separator, str)
            or len(separator) != 1
            or separator.isalnum()
            or separator in '"\r\n.+-%'
        ):
            wanted = "one character that numbers do not have"
            raise ArgumentError.of("separator", wanted, separator)
        self.filename = Path(filename)
        self.separator = separator
        self.append = append
        self._feed: CSVFeed | None = None

    def check(self) -> None:
        check_file(self.filename)
        if self.append:
            self._existing_metrics(*self._declared())

    def state_dict(self) -> dict[str, Any]:
        return {} if self._feed is None else self._feed.place().as_state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on below the rows that the run had left when it was saved."""
        if self._feed is None:
            self._begin(CSVPlace.of_state(state))

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._end()
        # A resumed run learns first from where it goes on.
        if not self.params.get("resumed"):
            self._begin()

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        if self._feed is None:
            self._begin()

    def _begin(self, place: CSVPlace | None = None) -> None:
        metrics, grows = self._declared()
        self.filename.parent.mkdir(parents=True, exist_ok=True)
        keeps = self.append or (place is not None and self._has_rows_of(place))
        found = self._existing_metrics(metrics, grows) if keeps else None
        goes_on = found is not None
        metrics = metrics if found is None else found
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        file = os.open(self.filename, flags | (0 if goes_on else os.O_TRUNC), 0o666)
        control = getattr(self, "pipeline", None)
        whole = not goes_on or self._ends_whole(file, len(COLUMNS) + len(metrics))
        before = self._count_rows() if goes_on else 0
        feed = CSVFeed(self.filename, file, self.separator, metrics, grows, control, before)
        end = place.end_in(self.filename, self.separator) if place and goes_on else None
        if end is not None and end[0] < os.fstat(file).st_size:
            os.ftruncate(file, end[0])
            whole = True
        if not whole:
            feed.add_line([])
        self._feed = feed
        if not goes_on:
            # A kill may have come before the disk had any of its rows.
            feed.open(True, place)
        elif end is not None:
            feed.open(False, place, end[1])
        else:
            feed.open(False)

    def _declared(self) -> tuple[list[str], bool]:
        """Return the metrics that the stages declare, and whether others may come."""
        stages = self.params.get("stages", ())
        metrics = list(dict.fromkeys(name for one in stages for name in one["metrics"] or ()))
        return metrics, any(one["metrics"] is None for one in stages)

    def _has_rows_of(self, place: CSVPlace) -> bool:
        end = place.end_in(self.filename, self.separator)
        return end is not None and end[1] > 0

    def _count_rows(self) -> int:
        # Bytes as characters: the rest of a torn one may be none of UTF-8.
        with self.filename.open(newline="", encoding="latin-1") as file:
            return max(0, sum(1 for _ in csv_records(file)) - 1)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.leave(batch, logs or {})

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        self._end()

    def _end(self) -> None:
        """Let everything be written, also for a run that never came to its end."""
        feed, self._feed = self._feed, None
        if feed is not None and (lost := feed.close()):
            message = f"{lost} lines of {self.filename} could not be written"
            warn_safely(message, stacklevel=2)

    def _existing_metrics(self, metrics: list[str], grows: bool) -> list[str] | None:
        """Return the metrics of a file that has rows to go on below; None where there are none.

        It must have the same columns; one that grows may have more.
        """
        header = [*COLUMNS, *map(plain_text, metrics)]
        try:
            # A spreadsheet may have put a mark before the first name.
            with self.filename.open(newline="", encoding="utf-8-sig") as file:
                found = next(csv.reader(file, delimiter=self.separator), None)
        except FileNotFoundError:
            return None
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"cannot append to {self.filename}: it is no CSV file") from error
        if found is None:
            return None
        if found == header:
            return metrics
        count = len(COLUMNS)
        if grows and found[:count] == header[:count] and set(header) <= set(found):
            return found[count:]
        raise ValueError(
            f"cannot append to {self.filename}: its columns are {', '.join(found)}, "
            f"this run's are {', '.join(header)}"
        )

    def _ends_whole(self, file: int, columns: int) -> bool:
        """Drop a torn last row, as a killed process may leave it; tell whether a line ends last."""
        text = self.filename.read_bytes()
        start = _last_record(text)
        if start == len(text):
            return True
        # What was cut off within a character is torn too, and so has no right number of cells.
        last = text[start:].decode("utf-8-sig", "replace")
        row = next(csv.reader([last], delimiter=self.separator), [])
        if len(row) == columns and last.count('"') % 2 == 0:
            return False
        os.ftruncate(file, start)
        return True


def _last_record(text: bytes) -> int:
    """Return where the record begins that no end of line follows; the end where there is none."""
    end = len(text)
    while (end := text.rfind(b"\n", 0, end)) >= 0:
        # An end of line within quotes is part of a cell.
        if text.count(b'"', 0, end) % 2 == 0:
            return end + 1
    return 0
