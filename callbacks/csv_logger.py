"""Writes a run's batches to a CSV file."""

import csv
import os
import warnings
from pathlib import Path
from typing import ClassVar

from .argument_error import ArgumentError
from .callback import Callback, Logs, nothing
from .csv_feed import CSVFeed
from .vocabulary import CORE_COLUMNS


class CSVLogger(Callback):
    """Writes a row for each batch to a CSV file.

    The columns stand from the first line on: ``stage``, ``batch``, ``unit``,
    ``done``, ``total``, ``progress``, ``elapsed``, ``cost``, ``violations``,
    then the metrics that the stages declare; what a row has no value for is
    empty. ``pandas.read_csv(filename)`` reads it.

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
        header; otherwise it is overwritten.

    Raises
    ------
    ValueError
        At the beginning of a run, for an existing file with other columns.
    OSError
        At the beginning of a run, for a file that cannot be opened.
    """

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

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._end()
        stages = self.params.get("stages", ())
        metrics = list(dict.fromkeys(name for one in stages for name in one["metrics"]))
        header = ["stage", "batch", *CORE_COLUMNS[1:], *metrics]
        self.filename.parent.mkdir(parents=True, exist_ok=True)
        goes_on = self.append and self._check_existing(header)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        file = os.open(self.filename, flags | (0 if goes_on else os.O_TRUNC), 0o666)
        self._feed = CSVFeed(self.filename, file, self.separator, metrics)
        if goes_on and not self._ends_whole(file, len(header)):
            self._feed.add_line([])
        self._feed.open([] if goes_on else header)

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
            warnings.warn(message, RuntimeWarning, stacklevel=2)

    def _check_existing(self, header: list[str]) -> bool:
        """Tell whether the file has rows to go on below; it must have the same columns."""
        try:
            with self.filename.open(newline="", encoding="utf-8") as file:
                found = next(csv.reader(file, delimiter=self.separator), None)
        except FileNotFoundError:
            return False
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"cannot append to {self.filename}: it is no CSV file") from error
        if found is None:
            return False
        if found != header:
            raise ValueError(
                f"cannot append to {self.filename}: its columns are {', '.join(found)}, "
                f"this run's are {', '.join(header)}"
            )
        return True

    def _ends_whole(self, file: int, columns: int) -> bool:
        """Drop a torn last row, as a killed process may leave it; tell whether a line ends last."""
        text = self.filename.read_bytes()
        if text.endswith(b"\n"):
            return True
        start = text.rfind(b"\n") + 1
        row = next(csv.reader([text[start:].decode()], delimiter=self.separator))
        if len(row) == columns:
            return False
        os.ftruncate(file, start)
        return True
