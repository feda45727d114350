"""Writes the rows of a CSV log from a thread of its own."""

import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

from ..background.pending_file import PendingFile
from ..background.ticker import Ticker
from ..callback import CORE_COLUMNS, Logs
from ..control import Control
from ..plain_value import NUMBERS, plain_row, plain_text, plain_value
from ..safe_warning import warn_safely
from .csv_rows import COLUMNS, CSVPlace, csv_line, csv_records

_WRITE_SECONDS = 0.1
_RETRY_SECONDS = 1.0
_MOST_PENDING = 4_000_000
_ENOUGH_BYTES = 200_000
# Rows that may wait to be made into text, and how many of them are at a time.
_MOST_WAITING = 8_192
_ROWS_AT_ONCE = 256
# Texts that are kept as a file holds them.
_MOST_TEXTS = 1_000
# Characters of the first row that a backup has.
_LONGEST_FIRST = 1_000


class CSVFeed:
    """Takes the logs of a run's batches and writes them as rows, in the background.

    The thread that leaves logs never waits for the disk. When batches come so
    fast that too many logs wait, it makes them into text itself, which bounds
    the memory and takes no more time than writing them at once would.

    A file that grows gets a column more when a row has a value for which it has
    none: it is written anew beside itself, with empty cells in the rows before,
    and takes its own place.

    Parameters
    ----------
    path
        The file.
    file
        Its open descriptor, closed at the end.
    separator
        What separates the columns.
    metrics
        The columns after those that every row has.
    grows
        Whether rows may have metrics for which there is no column yet.
    control
        The running pipeline.
    before
        Rows that the file has before those of this run.
    """

    def __init__(
        self,
        path: Path,
        file: int,
        separator: str,
        metrics: Sequence[str],
        grows: bool,
        control: Control | None,
        before: int = 0,
    ) -> None:
        self._path = path
        self._file = PendingFile(file)
        self._separator = separator
        self._grows = grows
        self._control = control
        self._set_metrics(metrics)
        # Metrics of the first row that waits for which there is no column.
        self._wanted: list[str] = []
        self._without_header = False
        self._quoted_texts: dict[str, str] = {}
        self._waiting: deque[tuple[int, Logs]] = deque()
        self._taking = threading.Lock()
        self._before = before
        # Rows of this run that have become text, and the first of them.
        self._taken = 0
        self._first = ""
        self._lost = 0
        self._retry_at = 0.0
        self._ending = False
        self._ticker = Ticker(self._write, _WRITE_SECONDS, f"writing to {path}")

    def open(self, header: bool, place: CSVPlace | None = None, found: int = 0) -> None:
        """Begin to write, in the background: the header at once, if there is to be one.

        Where the file grows, the header follows with the first row.

        Parameters
        ----------
        header
            Whether the file is new, and so has none.
        place
            What a run that is resumed here had left when it was saved.
        found
            Its rows that the file has.
        """
        self._without_header = header
        if place is not None:
            self._go_on(place, found)
        if self._without_header and not self._grows:
            self._add_header()
        if len(self._file):
            with suppress(OSError):
                # A full disk is the thread's business, which tries again and warns.
                self._file.flush()
        self._ticker.start()

    def _go_on(self, place: CSVPlace, found: int) -> None:
        """Go on below the rows of a run that is resumed, and add those that the file lacks."""
        if self._without_header and self._grows:
            self._set_metrics(place.metrics)
        names = list(map(plain_text, self._metrics))
        lines, waiting = place.lost(found, names, self._separator)
        if self._without_header:
            if not lines and not waiting:
                # The rows before are gone: those that come are the file's first.
                return
            if lines:
                self._add_header()
        else:
            self._before = place.before
        self._first = place.first
        self._taken = found + len(lines)
        self._file.add("".join(lines).encode())
        self._waiting.extend(waiting)

    def place(self) -> CSVPlace:
        """Return where in the file the run is now; from the thread that leaves its logs.

        With it go all rows that the disk has not taken yet, of which there are no more than
        wait at most.
        """
        # As texts they take less room, and less time to be saved.
        self._take(len(self._waiting))
        with self._taking:
            waiting = list(self._waiting)
            taken, first = self._taken, self._first
            if waiting and not taken:
                first = self._row(*waiting[0])[:_LONGEST_FIRST]
            pending = StringIO(self._file.pending().decode(errors="replace"), newline="")
        lines = [record for _, record in csv_records(pending)]
        # What comes before them may be the header.
        lines = lines[max(0, len(lines) - taken) :]
        saved = [(batch, plain_row(logs)) for batch, logs in waiting]
        names = list(map(plain_text, self._metrics))
        return CSVPlace(self._before, taken + len(waiting), first, names, lines, saved)

    def add_line(self, cells: Sequence[str]) -> None:
        """Add a line of texts; without cells an empty one."""
        self._file.add(f"{csv_line(cells, self._separator)}\n".encode())

    def leave(self, batch: int, logs: Logs) -> None:
        """Leave the logs of a batch for the thread that writes."""
        if self._grows:
            logs = plain_row(logs, self._control)
        else:
            for name in self._metrics:
                if type(logs.get(name)) not in NUMBERS:
                    # Now, since the stage may change what it has reported, and texts may be long.
                    logs = plain_row(logs, self._control)
                    break
        self._waiting.append((batch, logs))
        if len(self._waiting) > _MOST_WAITING:
            self._take(_ROWS_AT_ONCE)
            if len(self._waiting) > 2 * _MOST_WAITING:
                # They wait for a column that the disk does not take.
                self._waiting.popleft()
                self._lost += 1

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
                if self._wanted:
                    if not tries:
                        break
                    self._widen()
                # In between, since with fast batches there are always more that wait.
                if tries and len(self._file) > _ENOUGH_BYTES:
                    self._file.flush()
            if ending and self._without_header:
                self._add_header()
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
            rows = list(self._next_rows(most))
            if rows and self._without_header:
                self._add_header()
            if len(self._file) > _MOST_PENDING:
                self._lost += len(rows)
            elif rows:
                texts = [self._row(*row) for row in rows]
                self._first = self._first or texts[0][:_LONGEST_FIRST]
                self._taken += len(rows)
                self._file.add("".join(texts).encode())

    def _next_rows(self, most: int) -> Iterator[tuple[int, Logs]]:
        """Take the oldest logs that wait, up to the first for which a column is missing."""
        for _ in range(min(most, len(self._waiting))):
            if self._grows:
                logs = self._waiting[0][1]
                known = (*CORE_COLUMNS, *self._metrics)
                self._wanted = [name for name in logs if name not in known]
                if self._wanted:
                    return
            yield self._waiting.popleft()

    def _widen(self) -> None:
        """Make columns for the metrics that are wanted; on the ticker's thread."""
        wanted = self._wanted
        if not self._without_header:
            self._file.flush()
            if not self._path.is_file():
                message = f"{self._path} is no file: it gets no columns for {', '.join(wanted)}"
                warn_safely(message, stacklevel=2)
                self._grows = False
            else:
                self._write_anew(wanted)
        with self._taking:
            if self._grows:
                self._set_metrics([*self._metrics, *wanted])
            self._wanted = []

    def _write_anew(self, more: Sequence[str]) -> None:
        """Put the file beside itself with more columns, and in its own place."""
        path = self._path.resolve()
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        names = f"{self._separator}{csv_line(list(map(plain_text, more)), self._separator)}"
        ends = chain([names], iter(lambda: self._separator * len(more), None))
        options: Any = {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}
        try:
            with path.open(**options) as old, part.open("w", **options) as new:
                for (_, record), end in zip(csv_records(old), ends, strict=False):
                    row = record.rstrip("\r\n")
                    # An empty line stays one.
                    new.write(f"{row}{end if row else ''}{record[len(row) :]}")
            shutil.copymode(path, part)
            self._file.close()
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
            flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
            with suppress(OSError):
                self._file.close()
            self._file = PendingFile(os.open(path, flags))

    def _set_metrics(self, metrics: Sequence[str]) -> None:
        self._metrics = list(metrics)
        formats = ["%s"] * 5 + ["%.9g", "%.6f"] + ["%s"] * (2 + len(self._metrics))
        self._template = self._separator.join(formats) + "\n"

    def _add_header(self) -> None:
        self._without_header = False
        self.add_line([*COLUMNS, *map(plain_text, self._metrics)])

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
        if type(value) is float:
            return value
        plain = plain_value(value)
        if plain is None:
            return ""
        return self._quoted(plain) if isinstance(plain, str) else plain + 0

    def _quoted(self, text: str) -> str:
        """Return the text as a CSV file holds it."""
        quoted = self._quoted_texts.get(text)
        if quoted is None:
            if len(self._quoted_texts) >= _MOST_TEXTS:
                self._quoted_texts.clear()
            quoted = csv_line([plain_text(text)], self._separator)
            self._quoted_texts[text] = quoted
        return quoted
