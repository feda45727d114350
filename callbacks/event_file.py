"""A file that TensorBoard reads."""

import os
import socket
import struct
import time
from pathlib import Path
from typing import Any

from .pending_file import PendingFile


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
        self._file = PendingFile(os.open(folder / name, flags, 0o666))
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
