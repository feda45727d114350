"""What numba tells of its compilations."""

from contextlib import AbstractContextManager
from typing import Any

from numba.core.event import Listener, install_listener


class CompileListener(Listener):
    """Base of what hears when the compilation of a function begins and ends."""

    def on_start(self, event: Any) -> None:
        """Take notice of a function whose compilation begins."""

    def on_end(self, event: Any) -> None:
        """Take notice of a function that has been compiled."""


def listening(listener: CompileListener) -> AbstractContextManager[Any]:
    """Let a listener hear all compilations, in any thread, as long as the context lasts."""
    return install_listener("numba:compile", listener)
