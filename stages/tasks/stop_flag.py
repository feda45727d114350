"""A word to work that runs aside: stop."""

import threading
from collections.abc import Callable


class StopFlag:
    """Ask tasks on an executor to stop.

    A thread of this process shares the flag and stops when it is set. In another
    process the task gets a flag of its own, which is set when the stage has ended if it
    is an argument of the function and the process is on this machine; elsewhere what is
    submitted must end by its own limits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set = False
        self._actions: list[Callable[[], object]] = []

    def __reduce__(self) -> tuple[type["StopFlag"], tuple[()]]:
        return StopFlag, ()

    @property
    def is_set(self) -> bool:
        """True once somebody asked to stop."""
        return self._set

    def set(self) -> None:
        """Ask to stop: call every action that waits for it, once."""
        with self._lock:
            self._set = True
            actions, self._actions = self._actions, []
        for action in actions:
            action()

    def call_when_set(self, action: Callable[[], object]) -> Callable[[], None]:
        """Call `action` when the flag is set, at once if it is set already.

        Returns
        -------
        callable
            Call it to forget the action.
        """
        with self._lock:
            waits = not self._set
            if waits:
                self._actions.append(action)
        if not waits:
            action()

        def forget() -> None:
            with self._lock:
                if action in self._actions:
                    self._actions.remove(action)

        return forget
