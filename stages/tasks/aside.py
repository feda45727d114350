"""A function in a thread of its own that hands over one item after another."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from .daemon_pool import DaemonPool

Item = TypeVar("Item")


class Aside(Generic[Item]):
    """Runs a function in a thread, and waits with it: one of the two is at work at a time.

    Whoever hands over an item goes on when the next one is asked for, so that the
    function is never ahead of the one who takes what it has, and what it keeps is
    not changed while somebody looks at it.

    Parameters
    ----------
    function
        Called with `hand_over`, in the thread; what it raises arrives, with its own
        traceback, where the items are taken.
    name
        The thread's name.
    """

    def __init__(
        self, function: Callable[[Callable[[Item], bool]], object], name: str = "schoolbell-aside"
    ) -> None:
        self._function = function
        self._name = name
        self._changed = threading.Condition()
        self._items: list[Item] = []
        self._taken = True
        self._woken = False
        self._closed = False
        self._over = False
        #: What the function has raised, until it is raised again.
        self.error: BaseException | None = None

    def start(self) -> None:
        """Begin; once."""
        pool = DaemonPool(1, self._name)
        # What is set for the caller, NumPy's handling of errors say, holds in the thread too.
        pool.submit(contextvars.copy_context().run, self._work)
        pool.shutdown(wait=False)

    def hand_over(self, item: Item) -> bool:
        """Wait until an item was taken and the next one is asked for.

        From any thread, but from one at a time.

        Returns
        -------
        bool
            Whether it was taken: False when nobody takes anything any more.
        """
        with self._changed:
            if self._closed:
                return False
            self._items.append(item)
            self._taken = False
            self._changed.notify_all()
            while not (self._taken or self._closed):
                self._changed.wait()
            return self._taken

    def items(self, wait: float) -> Iterator[Item | None]:
        """Yield what is handed over, and None whenever nothing came for `wait` seconds.

        Also when somebody has called `wake`. It ends with the function, and raises
        what that has raised.
        """
        while True:
            with self._changed:
                if not self._items:
                    self._taken = True
                    self._changed.notify_all()
                    self._changed.wait_for(self._is_something_new, wait)
                self._woken = False
                if not self._items and self._over:
                    break
                item = self._items.pop() if self._items else None
            yield item
        self.raise_error()

    def wake(self) -> None:
        """Let `items` yield at once, though there may be nothing; from any thread."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self, patience: float) -> bool:
        """Take nothing any more, and wait at most so many seconds for the function to end.

        Returns
        -------
        bool
            Whether it has ended.
        """
        deadline = time.monotonic() + patience
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            while not self._over:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def raise_error(self) -> None:
        """Raise what the function has raised, once."""
        # Not kept, or the error would keep this frame, which would keep it.
        error, self.error = self.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error

    def _is_something_new(self) -> bool:
        return bool(self._items) or self._over or self._woken

    def _work(self) -> None:
        try:
            self._function(self.hand_over)
        except BaseException as error:
            self.error = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()
