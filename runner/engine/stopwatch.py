"""A clock that can be halted."""

import time
from collections.abc import Callable


class Stopwatch:
    """Counts the seconds of a run, without those in which it was paused.

    Parameters
    ----------
    started
        Value of `clock` at which the count begins; now by default.
    clock
        Monotonic clock in seconds.

    Attributes
    ----------
    origin
        Subtract it from `clock` to get the seconds, unless the watch is halted.
    """

    def __init__(
        self, started: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self.origin = clock() if started is None else started
        self._halted: float | None = None

    def elapsed(self) -> float:
        """Return the seconds counted so far."""
        halted = self._halted
        return (self.clock() if halted is None else halted) - self.origin

    def go_on_from(self, seconds: float) -> None:
        """Count what was counted before, in another process."""
        self.origin -= seconds

    def halt(self) -> None:
        """Stop counting until `go_on`."""
        if self._halted is None:
            self._halted = self.clock()

    def go_on(self) -> None:
        """Count again after `halt`."""
        if self._halted is not None:
            # The origin moves first: a reader in between sees too little, never too much.
            self.origin += self.clock() - self._halted
            self._halted = None
