"""Writes the rows of a CSV log from a thread of its own."""

import csv
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

from .callback import Logs
from .pending_file import PendingFile
from .ticker import Ticker

_WRITE_SECONDS = 0.1
_RETRY_SECONDS = 1.0
_MOST_PENDING = 4_000_000
_ENOUGH_BYTES = 200_000
# Rows that may wait to be made into text, and how many of them are at a time.
_MOST_WAITING = 8_192
_ROWS_AT_ONCE = 256


class CSVFeed:
    """Takes the logs of a run's batches and writes them as rows, in the background.

    The thread that leaves logs never waits for the disk. When batches come so
    fast that too many logs wait, it makes them into text itself, which bounds
    the memory and takes no more time than writing them at once would.

    Parameters
    ----------
    path
        The file, for messages.
    file
        Its open descriptor, closed at the end.
    separator
        What separates the columns.
    metrics
        The columns after those that every row has.
    """

    def __init__(self, path: Path, file: int, separator: str, metrics: Sequence[str]) -> None:
        self._file = PendingFile(file)
        self._separator = separator
        self._metrics = list(metrics)
        formats = ["%s"] * 5 + ["%.9g", "%.6f"] + ["%s"] * (2 + len(self._metrics))
        self._template = separator.join(formats) + "\n"
        self._quoted_texts: dict[str, str] = {}
        self._waiting: deque[tuple[int, Logs]] = deque()
        self._taking = threading.Lock()
        self._lost = 0
        self._retry_at = 0.0
        self._ending = False
        self._ticker = Ticker(self._write, _WRITE_SECONDS, f"writing to {path}")

    def open(self, header: Sequence[str]) -> None:
        """Begin to write: the header at once, unless it is empty, all else in the background."""
        if header:
            self.add_line(header)
            with suppress(OSError):
                # A full disk is the thread's business, which tries again and warns.
                self._file.flush()
        self._ticker.start()

    def add_line(self, cells: Sequence[str]) -> None:
        """Add a line of texts; without cells an empty one."""
        self._file.add(f"{csv_line(cells, self._separator)}\n".encode())

    def leave(self, batch: int, logs: Logs) -> None:
        """Leave the logs of a batch for the thread that writes."""
        self._waiting.append((batch, logs))
        if len(self._waiting) > _MOST_WAITING:
            self._take(_ROWS_AT_ONCE)

    def close(self) -> int:
        """Write for the last time, waiting for that a moment at most, and close the file.

        Returns
        -------
        int
            The lines that are lost.
        """
        self._ending = True
        self._ticker.stop()
        return self._lost + len(self._waiting) + self._file.lines()

    def _write(self) -> None:
        """Write what has come; on the ticker's thread, which alone a disk can block."""
        # Once, at the beginning: the call that is to be the last begins after the end.
        ending = self._ending
        try:
            tries = ending or time.monotonic() >= self._retry_at
            while self._waiting:
                self._take(_ROWS_AT_ONCE)
                # In between, since with fast batches there are always more that wait.
                if tries and len(self._file) > _ENOUGH_BYTES:
                    self._file.flush()
            if tries:
                self._file.flush()
        except OSError as error:
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            raise OSError(error.errno, f"{error.strerror}; trying again") from None
        finally:
            if ending:
                self._file.close()

    def _take(self, most: int) -> None:
        """Make text of the oldest logs that wait, as much as memory allows."""
        with self._taking:
            rows = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            if len(self._file) > _MOST_PENDING:
                self._lost += len(rows)
            else:
                self._file.add("".join([self._row(*row) for row in rows]).encode())

    def _row(self, batch: int, logs: Logs) -> str:
        # By hand and not by the csv module, which takes twice as long.
        get = logs.get
        total, cost, violations = get("total"), get("cost"), get("violations")
        return self._template % (
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

    def _cell(self, value: Any) -> Any:
        if value is None:
            return ""
        return self._quoted(value) if isinstance(value, str) else value

    def _quoted(self, text: str) -> str:
        """Return the text as a CSV file holds it."""
        quoted = self._quoted_texts.get(text)
        if quoted is None:
            quoted = self._quoted_texts[text] = csv_line([text], self._separator)
        return quoted


def csv_line(cells: Sequence[str], separator: str) -> str:
    """Return the texts as a CSV file holds them, without the end of the line."""
    text = StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="").writerow(cells)
    return text.getvalue()
