"""What other threads ask of a running pipeline."""

import threading
from collections.abc import Callable
from pathlib import Path


class Switchboard:
    """Requests to a run, left by any thread, taken up by the run between two units.

    The run looks at `attention` after each unit, a plain attribute, and at the
    rest only when it is set.
    """

    __slots__ = (
        "_changed",
        "attention",
        "heeded",
        "improved",
        "interrupted",
        "interruptible",
        "paused",
        "saving",
        "signal",
        "skipped_by",
        "skipping",
        "stage_over",
        "stopped_by",
    )

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.attention = False
        #: Whether the run is ending because of a signal.
        self.heeded = False
        self.improved = False
        #: Whether KeyboardInterrupt may be raised, since the run is there to catch it.
        self.interruptible = False
        #: Whether a signal has come that ends the run.
        self.interrupted = False
        self.paused = False
        #: Where the run is to be saved; None for nowhere.
        self.saving: Path | None = None
        #: The signal that has come last.
        self.signal: int | None = None
        self.skipping = False
        #: Who asked first that the present stage end.
        self.skipped_by: str | None = None
        #: Called by whoever ends the present stage.
        self.stage_over: Callable[[], object] | None = None
        self.stopped_by: str | None = None

    @property
    def ending(self) -> bool:
        """Whether somebody asks the present stage to end."""
        return self.skipping or self.stopped_by is not None

    def stop(self, by: str) -> None:
        """Ask the run to end; the first who asks is remembered."""
        with self._changed:
            if self.stopped_by is None:
                self.stopped_by = by
            self._wake()
        self._end_stage()

    def skip(self, by: str | None = None) -> None:
        """Ask the present stage to end; the first who asks is remembered."""
        with self._changed:
            if not self.skipping:
                self.skipped_by = by
            self.skipping = True
            self._wake()
        self._end_stage()

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

    def _end_stage(self) -> None:
        # Not under the lock: who is called may ask something of the run.
        stage_over = self.stage_over
        if stage_over is not None:
            stage_over()

    def _wake(self) -> None:
        # After the request itself: the run clears this before it reads the requests.
        self.attention = True
        self._changed.notify_all()
