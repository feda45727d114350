"""What a stage may spend."""

import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from math import inf
from typing import TypeVar

from .tasks.aside import Aside

# Longest wait at once for the end of the time: nobody tells of a pause or of time that is added.
_LOOK = 60.0
# Longest time without a yield in `pulsing`.
_PULSE = 0.25

Item = TypeVar("Item")


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

    __module__ = "schoolbell.stages"

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
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._functions: list[Callable[[], object]] = []
        self._waits = False

    def __reduce__(self) -> tuple[object, ...]:
        # A copy has the time that is left; nobody can ask it to end.
        arguments = (self.seconds, None, time.monotonic, self.elapsed)
        return Budget, arguments, self._over.is_set()

    def __setstate__(self, over: bool) -> None:
        if over:
            self._over.set()

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
        """True when the time is spent, when somebody asked the stage to end, and when it has ended.

        In every thread that asks, however the stage has ended: on its own, by an
        exception, Ctrl-C, a request, or a proof that nothing better is to be found.
        """
        if self._over.is_set() or (self._ending is not None and self._ending()):
            return True
        return self.seconds is not None and self.elapsed >= self.seconds

    def on_end(self, function: Callable[[], object]) -> None:
        """Have a function called when the stage ends or should end; at once if that has come.

        For what has to be told to stop: a solver, a process, threads that wait.

        Parameters
        ----------
        function
            Called once without arguments, in whichever thread ends the stage: it
            should return at once. What it raises is warned of.
        """
        with self._lock:
            waits = not self._over.is_set()
            if waits:
                self._functions.append(function)
            watch = waits and self.seconds is not None and not self._waits
            self._waits = self._waits or watch
        if not waits:
            _call(function)
        elif self.should_end:
            self.end()
        elif watch:
            threading.Thread(target=self._wait, name="schoolbell-budget", daemon=True).start()

    def pulsing(self, iterator: Iterable[Item]) -> Iterator[Item | None]:
        """Yield what a blocking iterator gives, and None every quarter of a second in between.

        For whatever makes its next item wait: the output of a subprocess,
        ``as_completed``, joblib's ``generator_unordered``. A stage passes the None on,
        so that the runner can stop, pause and show it meanwhile::

            for line in budget.pulsing(process.stdout):
                yield None if line is None else Batch(...)

        It ends with the iterator, and when the stage should end; then the iterator
        is left to itself, a generator is closed as soon as it gives its next item.
        What the iterator raises is raised here.

        Parameters
        ----------
        iterator
            Iterated in a thread of its own, which asks for the next item when this is
            asked for one. None among its items cannot be told from a pause.
        """

        def work(hand_over: Callable[[Item], bool]) -> None:
            items = iter(iterator)
            try:
                for item in items:
                    if not hand_over(item):
                        break
            finally:
                close = getattr(items, "close", None)
                # A generator alone: to close a file, say, is its owner's affair.
                if close is not None and hasattr(items, "gi_frame"):
                    close()

        aside = Aside(work, "schoolbell-pulsing")
        aside.start()
        self.on_end(aside.wake)
        try:
            for item in aside.items(_PULSE):
                if item is None and self.should_end:
                    break
                yield item
        finally:
            aside.close(0.0)
            with self._lock, suppress(ValueError):
                # A stage may do this many times.
                self._functions.remove(aside.wake)

    def end(self) -> None:
        """Let `should_end` be true from now on; for who runs the stage, from any thread."""
        with self._lock:
            self._over.set()
            functions, self._functions = self._functions, []
        for function in functions:
            _call(function)

    def _wait(self) -> None:
        """End when the time is spent."""
        while (left := self.remaining) > 0:
            if self._over.wait(min(left, _LOOK)):
                return
        self.end()


def _call(function: Callable[[], object]) -> None:
    try:
        function()
    except Exception as error:
        message = f"a function for the end of a stage failed: {type(error).__name__}: {error}"
        # Whoever has warnings raised must not lose the functions after it.
        with suppress(Warning):
            warnings.warn(message, RuntimeWarning, stacklevel=3)
