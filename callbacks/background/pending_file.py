"""A file on a disk that may be full or slow."""

import os
import threading
from collections import deque
from contextlib import suppress

_BYTES_AT_ONCE = 1 << 18


class PendingFile:
    """Records for a file that are kept until the disk has taken them, in order.

    Any thread may add; one at a time may flush. When the disk takes a part of a
    record only, that part is taken back, so the file holds whole records.

    Parameters
    ----------
    file
        Descriptor of the open file; `close` closes it.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._records: deque[bytes] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many bytes the disk has not taken yet."""
        return self._size

    def lines(self) -> int:
        """Return how many ends of lines the disk has not taken yet."""
        with self._lock:
            return sum(record.count(b"\n") for record in self._records)

    def pending(self) -> bytes:
        """Return what the disk has not taken yet."""
        with self._lock:
            return b"".join(self._records)

    def add(self, record: bytes) -> None:
        """Append a record, or several whole ones, to what is pending."""
        with self._lock:
            self._records.append(record)
            self._size += len(record)

    def flush(self) -> None:
        """Write what is pending.

        Raises
        ------
        OSError
            If the disk does not take it; the rest stays pending.
        """
        while self._records:
            with self._lock:
                data = b"".join(self._next_records())
            taken = 0
            try:
                # Not under the lock: whoever adds must not wait for the disk.
                while taken < len(data):
                    taken += os.write(self._file, data[taken:])
            finally:
                torn = self._drop(taken)
                if torn:
                    self._take_back(torn)

    def close(self) -> None:
        """Close the file; again, it does nothing."""
        # Its number may be another file's by now.
        descriptor, self._file = self._file, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _next_records(self) -> list[bytes]:
        chosen, size = [], 0
        for record in self._records:
            if chosen and size + len(record) > _BYTES_AT_ONCE:
                break
            chosen.append(record)
            size += len(record)
        return chosen

    def _drop(self, taken: int) -> int:
        """Forget the records that are within the bytes taken; return how many bytes are over."""
        with self._lock:
            while self._records and len(self._records[0]) <= taken:
                taken -= len(self._records[0])
                self._size -= len(self._records.popleft())
        return taken

    def _take_back(self, torn: int) -> None:
        """Cut a torn record off the file's end; where that cannot be, its rest is to follow."""
        try:
            end = os.lseek(self._file, -torn, os.SEEK_CUR)
            os.ftruncate(self._file, end)
        except OSError:
            with self._lock:
                self._records[0] = self._records[0][torn:]
                self._size -= torn
            with suppress(OSError):
                os.lseek(self._file, 0, os.SEEK_END)
