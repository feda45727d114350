"""Ctrl-C that does not get lost."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from .switchboard import Switchboard


class Interrupts:
    """While it is entered, Ctrl-C is noted on a run's board beside being raised.

    Python raises KeyboardInterrupt wherever the main thread happens to be. In a
    destructor, or in a function that C code calls, it can only be printed and
    dropped; the run then finds the note after the unit in hand. A handler of the
    user's own stays as it is, and so does everything in a thread other than the
    main one, which no signal reaches.

    Parameters
    ----------
    board
        Where the run looks.
    """

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._before: Any = None

    def __enter__(self) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._note)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._board.interrupted = True
        self._board.attention = True
        signal.default_int_handler(number, frame)
