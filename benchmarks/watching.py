"""What a watcher sees of a run in Redis: when it stood still, and whether it went back."""

from dataclasses import dataclass

POLL_SECONDS = 0.05


@dataclass
class Watched:
    """What a watcher has seen of one run so far.

    Attributes
    ----------
    still, message
        Longest time without a change of progress in seconds, and the run's
        message then.
    gap, gap_message
        Longest time between two updates in seconds, and the run's message
        then.
    back
        How often progress went back.
    updates
        Updates seen.
    seconds
        From the first look to the last.
    """

    still: float = 0.0
    message: str = ""
    gap: float = 0.0
    gap_message: str = ""
    back: int = 0
    updates: int = 0
    seconds: float = 0.0
    _began: float | None = None
    _moved: float = 0.0
    _updated: float = 0.0
    _progress: float = 0.0
    _seq: str = ""
    _message: str = ""

    def look(self, now: float, progress: float, seq: str, message: str) -> None:
        """Take what the hash said at one moment."""
        if self._began is None:
            self._began = self._moved = self._updated = now
            self._progress, self._seq, self._message = progress, seq, message
            return
        # By what was told before: the end of a long silence may tell of another stage.
        if now - self._moved > self.still:
            self.still, self.message = now - self._moved, self._message
        if now - self._updated > self.gap:
            self.gap, self.gap_message = now - self._updated, self._message
        if seq != self._seq:
            self.updates += 1
            self._updated, self._seq, self._message = now, seq, message
        if progress != self._progress:
            self.back += progress < self._progress
            self._moved, self._progress = now, progress
        self.seconds = now - self._began
