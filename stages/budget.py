"""What a stage may spend."""

import time
from collections.abc import Callable
from math import inf


class Budget:
    """A stage's share of the time that is left, and whether it should end.

    Parameters
    ----------
    seconds
        Time that the stage may take, counted from now; None for no limit, when
        the stage spends its units (generations, episodes) instead.
    ending
        Called by `should_end`: True when somebody asked the stage to end.
    clock
        Monotonic clock in seconds.
    spent
        Seconds of it that were spent before, by a stage that goes on.
    """

    def __init__(
        self,
        seconds: float | None = None,
        ending: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
        spent: float = 0.0,
    ) -> None:
        if seconds is not None and not seconds >= 0:
            raise ValueError(f"seconds must be 0 or more, got {seconds}")
        self.seconds = seconds
        self._ending = ending
        self._clock = clock
        self._start = clock() - spent

    def __reduce__(self) -> tuple[type["Budget"], tuple[object, ...]]:
        # A copy has the time that is left; nobody can ask it to end.
        return Budget, (self.seconds, None, time.monotonic, self.elapsed)

    @property
    def elapsed(self) -> float:
        """Seconds since the stage began."""
        return self._clock() - self._start

    @property
    def remaining(self) -> float:
        """Seconds left, 0 when they are spent, infinity without a limit."""
        if self.seconds is None:
            return inf
        return max(0.0, self.seconds - self.elapsed)

    @property
    def should_end(self) -> bool:
        """True when the time is spent or when somebody asked the stage to end."""
        if self._ending is not None and self._ending():
            return True
        return self.seconds is not None and self.elapsed >= self.seconds
