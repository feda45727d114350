"""What takes a run elsewhere from a thread of its own."""

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar

from .ticker import Ticker


class Feed(ABC):
    """Takes what a run's thread leaves and delivers it elsewhere, from a thread of its own.

    The run's thread leaves things in the inbox, which is bounded, and never
    waits; a subclass says what they are and where they go. After the end of the
    run the last delivery is tried again and again for a while, as long as the
    process lives.

    Parameters
    ----------
    interval
        Seconds between two deliveries.
    name
        What it does, for the warning that it failed: ``"posting to …"``.
    most_waiting
        Things that the inbox holds at most; of more, the oldest are lost.
    """

    #: The last delivery is tried for so many seconds.
    last_seconds: ClassVar[float] = 60.0

    def __init__(self, interval: float, name: str, most_waiting: int) -> None:
        self._inbox: deque[Any] = deque(maxlen=most_waiting)
        # The newest batch and its logs.
        self._newest: tuple[int | None, Mapping[str, Any]] = (None, {})
        self._progress = 0.0
        self._ticks = self._ending = self._over = self._failed = False
        # Between two tries of the last delivery.
        self._pause = 0.2
        self._ticker = Ticker(self._tick, interval, name)

    def leave_batch(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Leave the newest batch for the thread that delivers."""
        self._newest = (batch, logs)

    def _start(self) -> None:
        """Begin to deliver, once."""
        if not self._ticks:
            self._ticks = True
            self._ticker.start()

    def _end(self, patience: float = 2.0) -> bool:
        """Deliver for the last time, waiting for that for a moment at most.

        Returns
        -------
        bool
            Whether all is delivered, or at least a warning was given before.
        """
        self._ending = True
        self._start()
        self._ticker.stop(patience)
        return self._over or self._failed

    def _forward(self, progress: float) -> float:
        """Keep progress from going back where two threads looked at it at one time."""
        self._progress = max(self._progress, progress)
        return self._progress

    @abstractmethod
    def _deliver(self) -> None:
        """Deliver all that has come; on the feed's own thread, which alone a target can block.

        Raises
        ------
        OSError
            If it failed and is to be tried again.
        """

    def _deliver_due(self) -> None:
        """Deliver what is due now, while the run goes on."""
        self._deliver()

    def _release(self) -> None:  # noqa: B027 - most have nothing to give up
        """Give up the target after the last delivery, whether that succeeded or not."""

    def _tick(self) -> None:
        if self._over:
            return
        try:
            if self._ending:
                self._finish()
            else:
                self._deliver_due()
        except BaseException:
            # The ticker warns of it.
            self._failed = True
            raise

    def _finish(self) -> None:
        deadline = time.monotonic() + self.last_seconds
        try:
            while not self._over:
                try:
                    self._deliver()
                except OSError:
                    if time.monotonic() >= deadline:
                        raise
                    time.sleep(self._pause)
                else:
                    self._over = True
        finally:
            self._release()
