"""The keys of ``schoolbell watch``."""

import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any, Self

from ...callbacks.progress.terminal import is_terminal

#: What each key asks of the run.
COMMANDS = {"p": "pause", "r": "resume", "s": "skip_stage"}
QUIT = "q"
HINT = "p pause, r resume, s skip the stage, q quit watching"


class WatchKeys:
    """Reads keys while a run is watched, without waiting for the end of a line.

    Only where somebody can press them and see what they do: with the program in
    the foreground of a terminal. While it is entered, the terminal does not
    show what is typed; Ctrl-C means what it always does.

    Parameters
    ----------
    press
        Called with each key that is pressed.

    Attributes
    ----------
    work
        Whether there are any.
    """

    def __init__(self, press: Callable[[str], object]) -> None:
        self._press = press
        self._number = -1
        self._before: list[Any] | None = None
        self.work = _at_a_keyboard()

    def __enter__(self) -> Self:
        if self.work:
            import termios
            import tty

            self._number = sys.stdin.fileno()
            self._before = termios.tcgetattr(self._number)
            tty.setcbreak(self._number)
        return self

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            import termios

            termios.tcsetattr(self._number, termios.TCSADRAIN, self._before)
            self._before = None

    def wait(self, seconds: float) -> None:
        """Wait, and tell of the keys that are pressed meanwhile."""
        end = time.monotonic() + seconds
        while self.work and (left := end - time.monotonic()) > 0:
            if select.select([self._number], [], [], left)[0]:
                typed = os.read(self._number, 64)
                # Where the terminal is gone there is nothing to read, over and over.
                self.work = bool(typed)
                for key in typed.decode("ascii", "ignore").lower():
                    self._press(key)
        time.sleep(max(0.0, end - time.monotonic()))


def _at_a_keyboard() -> bool:
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return False
    try:
        import termios  # noqa: F401 - not on Windows

        # A program in the background is stopped when it touches the terminal.
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (ImportError, OSError, ValueError, AttributeError):
        return False
