"""Calls a function now and then from a thread of its own."""

import threading
import time
from collections.abc import Callable

from ..plain_value import error_text
from ..safe_warning import warn_safely

# Seconds to wait at the end for a call that hangs, in a terminal that takes nothing, say.
_PATIENCE = 2.0


class Ticker:
    """Calls a function every `interval` seconds from a daemon thread, and once more at the end.

    What a call takes counts among the seconds, but half of them pass between two calls in any
    case. What the function raises is warned of once; it is called again all the same.

    Parameters
    ----------
    function
        Called without arguments.
    interval
        Seconds between two calls.
    name
        What to call it in the warning.

    Attributes
    ----------
    interval
        As above; the called function may change it.
    """

    def __init__(self, function: Callable[[], object], interval: float, name: str) -> None:
        self._function = function
        self.interval = interval
        self._name = name
        self._over = threading.Event()
        self._warned = False
        self._thread = threading.Thread(target=self._tick, name=name, daemon=True)

    def start(self) -> None:
        """Begin to call; once."""
        self._thread.start()

    def stop(self, patience: float = _PATIENCE) -> None:
        """Let it call for the last time and wait for that, at most `patience` seconds."""
        self._over.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=patience)

    def _tick(self) -> None:
        wait = self.interval
        while not self._over.wait(wait):
            began = time.monotonic()
            self._call()
            wait = max(0.5 * self.interval, self.interval - (time.monotonic() - began))
        self._call()

    def _call(self) -> None:
        try:
            self._function()
        except Exception as error:
            if not self._warned:
                self._warned = True
                message = f"{self._name} failed: {error_text(error)}"
                warn_safely(message, stacklevel=2)
