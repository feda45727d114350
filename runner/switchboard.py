"""What other threads ask of a running pipeline."""

import threading
from pathlib import Path


class Switchboard:
    """Requests to a run, left by any thread, taken up by the run between two units.

    The run looks at `attention` after each unit, a plain attribute, and at the
    rest only when it is set.
    """

    __slots__ = (
        "_changed",
        "attention",
        "improved",
        "interrupted",
        "paused",
        "saving",
        "skipped_by",
        "skipping",
        "stopped_by",
    )

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.attention = False
        self.improved = False
        #: Whether Ctrl-C has come.
        self.interrupted = False
        self.paused = False
        #: Where the run is to be saved; None for nowhere.
        self.saving: Path | None = None
        self.skipping = False
        #: Who asked first that the present stage end.
        self.skipped_by: str | None = None
        self.stopped_by: str | None = None

    @property
    def ending(self) -> bool:
        """Whether the present stage should end."""
        return self.skipping or self.stopped_by is not None

    def stop(self, by: str) -> None:
        """Ask the run to end; the first who asks is remembered."""
        with self._changed:
            if self.stopped_by is None:
                self.stopped_by = by
            self._wake()

    def skip(self, by: str | None = None) -> None:
        """Ask the present stage to end; the first who asks is remembered."""
        with self._changed:
            if not self.skipping:
                self.skipped_by = by
            self.skipping = True
            self._wake()

    def pause(self) -> None:
        """Ask the run to wait."""
        with self._changed:
            self.paused = True
            self._wake()

    def resume(self) -> None:
        """End the wait."""
        with self._changed:
            self.paused = False
            self._wake()

    def save(self, path: Path) -> None:
        """Ask for a backup."""
        self.saving = path
        self.attention = True

    def look(self) -> None:
        """Ask the run to look again at whether the present stage should go on."""
        self.attention = True

    def improve(self) -> None:
        """Tell the run that there is a new best."""
        self.improved = True
        self.attention = True

    def begin_stage(self) -> None:
        """Forget a request to skip that came too late for the stage before."""
        with self._changed:
            self.skipping = False
            self.skipped_by = None

    def wait_while_paused(self) -> None:
        """Wait until nobody wants the run paused, or somebody wants the stage to end."""
        with self._changed:
            while self.paused and not self.ending:
                # With a time-out, since some platforms hold back Ctrl-C in an endless wait.
                self._changed.wait(0.5)

    def _wake(self) -> None:
        # After the request itself: the run clears this before it reads the requests.
        self.attention = True
        self._changed.notify_all()
