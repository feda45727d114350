"""Writes a run's batches to a CSV file."""

import csv
import os
import time
import warnings
from io import StringIO
from pathlib import Path
from typing import Any

from .callback import CORE_COLUMNS, Callback, Logs

_RETRY_SECONDS = 1.0
_MOST_PENDING = 4_000_000


class CSVLogger(Callback):
    """Writes a row for each batch to a CSV file.

    The columns stand from the first line on: ``stage``, ``batch``, ``unit``,
    ``done``, ``total``, ``progress``, ``elapsed``, ``cost``, ``violations``,
    then the metrics that the stages declare; what a row has no value for is
    empty. ``pandas.read_csv(filename)`` reads it.

    Each row is handed to the system at once, so a killed process loses at most
    the row in hand. When writing fails (a full disk), it warns once, keeps the
    rows, up to 4 MB of them, tries again every second, and says at the end what
    is lost.

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

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        if len(separator) != 1 or separator.isalnum() or separator in '"\r\n.+-%':
            raise ValueError(
                f"separator must be one character that numbers do not have, got {separator!r}"
            )
        self.filename = Path(filename)
        self.separator = separator
        self.append = append
        self._file: int | None = None
        self._pending = b""
        self._retry_at = 0.0
        self._warned = False
        self._lost = 0

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._close()
        stages = self.params.get("stages", ())
        self._metrics = list(dict.fromkeys(name for one in stages for name in one["metrics"]))
        formats = ["%s"] * 5 + ["%.9g", "%.6f"] + ["%s"] * (2 + len(self._metrics))
        self._template = self.separator.join(formats) + "\n"
        self._quoted_texts: dict[str, str] = {}
        header = ["stage", "batch", *CORE_COLUMNS[1:], *self._metrics]
        self._pending, self._retry_at, self._warned, self._lost = b"", 0.0, False, 0
        self.filename.parent.mkdir(parents=True, exist_ok=True)
        goes_on = self.append and self._check_existing(header)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(self.filename, flags | (0 if goes_on else os.O_TRUNC), 0o666)
        if goes_on:
            self._mend_last_line(len(header))
        else:
            self._hand_over(f"{self._line(header)}\n".encode())

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        # By hand and not by the csv module, which takes twice as long.
        get = (logs or {}).get
        total, cost, violations = get("total"), get("cost"), get("violations")
        line = self._template % (
            self._quoted(get("stage", "")),
            batch,
            self._quoted(get("unit", "")),
            get("done", ""),
            "" if total is None else total,
            get("progress", 0.0),
            get("elapsed", 0.0),
            "" if cost is None else cost,
            "" if violations is None else violations,
            *[self._cell(get(name)) for name in self._metrics],
        )
        self._hand_over(line.encode())

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        self._retry_at = 0.0
        self._hand_over(b"")
        if self._lost or self._pending:
            lines = self._lost + self._pending.count(b"\n")
            message = f"{lines} lines of {self.filename} could not be written"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
        self._close()

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

    def _mend_last_line(self, columns: int) -> None:
        """Complete or drop a last line without an end, as a killed process may leave it."""
        assert self._file is not None
        text = self.filename.read_bytes()
        if text.endswith(b"\n"):
            return
        start = text.rfind(b"\n") + 1
        row = next(csv.reader([text[start:].decode()], delimiter=self.separator))
        if len(row) == columns:
            self._hand_over(b"\n")
        else:
            os.ftruncate(self._file, start)

    def _cell(self, value: Any) -> Any:
        if value is None:
            return ""
        return self._quoted(value) if isinstance(value, str) else value

    def _quoted(self, text: str) -> str:
        """Return the text as a CSV file holds it."""
        quoted = self._quoted_texts.get(text)
        if quoted is None:
            quoted = self._quoted_texts[text] = self._line([text])
        return quoted

    def _line(self, row: list[str]) -> str:
        text = StringIO(newline="")
        csv.writer(text, delimiter=self.separator, lineterminator="").writerow(row)
        return text.getvalue()

    def _hand_over(self, line: bytes) -> None:
        """Give the system what is pending and `line`; keep what it does not take."""
        if self._file is None:
            return
        if self._pending:
            self._keep(line)
            if time.monotonic() < self._retry_at:
                return
            line, self._pending = self._pending, b""
        try:
            taken = os.write(self._file, line)
        except OSError as error:
            taken = 0
            self._warn(f"cannot write to {self.filename}, trying again: {error}")
        if taken < len(line):
            self._pending = line[taken:]
            self._retry_at = time.monotonic() + _RETRY_SECONDS

    def _keep(self, line: bytes) -> None:
        if len(self._pending) + len(line) > _MOST_PENDING:
            self._lost += 1
        else:
            self._pending += line

    def _warn(self, message: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(message, RuntimeWarning, stacklevel=2)

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
