"""A file that TensorBoard reads."""

import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..background.pending_file import PendingFile

# Bytes of a record before its data, length and checksum, and of the checksum after them.
_HEAD, _CHECK = 12, 4


class EventFile:
    """A new event file, written in the format of TensorFlow's records.

    tensorboardX's own writer takes each event for written: after a full disk
    its thread is gone and its queue blocks for ever. Here what the disk does not
    take stays pending, and no record is ever torn.

    Parameters
    ----------
    folder
        Where to put it; made if it is missing.

    Raises
    ------
    OSError
        If the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads a folder's files in the order of their names.
        name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        #: Where it is.
        self.path = folder / name
        self._file = PendingFile(os.open(self.path, flags, 0o666))
        self.add(file_version="brain.Event:2")

    @property
    def pending(self) -> bool:
        """Whether the disk has not taken everything yet."""
        return len(self._file) > 0

    def add(self, wall_time: float | None = None, **fields: Any) -> None:
        """Append an event to what is pending.

        Parameters
        ----------
        wall_time
            When it happened, in seconds since 1970; now by default.
        fields
            Of the event, messages also as dicts: ``step`` and ``summary``, say.
        """
        # protobuf makes its classes when it is imported, where no type checker sees them.
        from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboardX.record_writer import masked_crc32c

        event = Event(wall_time=time.time() if wall_time is None else wall_time, **fields)
        data = event.SerializeToString()
        length = struct.pack("<Q", len(data))
        checks = (struct.pack("<I", masked_crc32c(part)) for part in (length, data))
        self._file.add(b"".join((length, next(checks), data, next(checks))))

    def flush(self) -> None:
        """Write what is pending.

        Raises
        ------
        OSError
            If the disk does not take it; the rest stays pending.
        """
        self._file.flush()

    def close(self) -> None:
        """Close the file, once."""
        self._file.close()


def keep_events(path: Path, wanted: Callable[[Any], bool]) -> bool:
    """Leave in an event file what is wanted; return whether anything was.

    The file is complete at any moment. A record that is torn at its end is left
    out.

    Raises
    ------
    OSError
        If it cannot be read or written.
    """
    data = path.read_bytes()
    records = list(_records(data))
    kept = [record for event, record in records if wanted(event)]
    if sum(map(len, kept)) < len(data):
        # Without the word by which TensorBoard knows event files.
        part = path.with_name(f".{os.getpid()}.part")
        try:
            part.write_bytes(b"".join(kept))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return bool(kept)


def _records(data: bytes) -> Iterator[tuple[Any, bytes]]:
    from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]

    start = 0
    while start + _HEAD <= len(data):
        (length,) = struct.unpack_from("<Q", data, start)
        end = start + _HEAD + length + _CHECK
        if end > len(data):
            return
        yield Event.FromString(data[start + _HEAD : end - _CHECK]), data[start:end]
        start = end
