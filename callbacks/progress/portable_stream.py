"""A stream on its way into another process."""

import pickle
import sys
from typing import Any, TextIO

_STANDARD = ("stdout", "stderr")


class PortableStream:
    """Holds a stream for an object that is copied or pickled.

    A copy in the same process has the stream itself. In another one the standard
    streams are its own, a stream that can be pickled is a copy, and any other,
    an open file say, is None.

    Parameters
    ----------
    stream
        The stream; None for none.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream

    def __deepcopy__(self, memo: dict[int, Any]) -> "PortableStream":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        for name in _STANDARD:
            if self.stream is getattr(sys, name):
                return _of_this_process, (name,)
        try:
            pickle.dumps(self.stream)
        except Exception:
            return PortableStream, (None,)
        return PortableStream, (self.stream,)


def _of_this_process(name: str) -> PortableStream:
    return PortableStream(getattr(sys, name))
