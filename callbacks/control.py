"""What a callback may ask of the pipeline that it watches."""

import os
from collections.abc import Mapping
from typing import Any, Protocol

from .snapshot import Snapshot


class Tracker(Protocol):
    """Where a run stands, readable from any thread."""

    def calculate_smooth_progress(self) -> float:
        """Return the progress of the whole run, 0 to 1."""
        ...

    def eta(self) -> float | None:
        """Return the seconds left, None while they cannot be told."""
        ...

    def snapshot(self) -> Snapshot:
        """Return where the run stands now."""
        ...


class Control(Protocol):
    """The side of a pipeline that callbacks see; every method works from any thread."""

    __module__ = "schoolbell.callbacks"

    @property
    def progress(self) -> float:
        """Smooth progress of the whole run, 0 to 1."""
        ...

    @property
    def tracker(self) -> Tracker:
        """Where the run stands."""
        ...

    def stop(self, by: str | None = None) -> None:
        """End the run after the unit in hand.

        `by` tells who asks, for the run's ``stopped_by``; by default that is
        the callback in whose hook it is called.
        """
        ...

    def skip_stage(self, by: str | None = None) -> None:
        """End the present stage after the unit in hand and go on with the next one.

        `by` tells who asks, as for `stop`.
        """
        ...

    def pause(self) -> None:
        """Halt after the unit in hand until `resume`."""
        ...

    def resume(self) -> None:
        """Go on after `pause`."""
        ...

    def get_params(self) -> dict[str, Any]:
        """Return the parameters of all stages as ``{"ga__population": 8, …}``."""
        ...

    def set_params(self, **params: Any) -> Any:
        """Set parameters of stages: ``set_params(ga__kempe=0.1)``.

        Of the stage that is running, only those that it declares `tunable`;
        from the run's own thread, as hooks are called.
        """
        ...

    def add_metrics(self, values: Mapping[str, Any]) -> None:
        """Put values into the logs of every batch from now on, beside the stages' metrics.

        All callbacks find them, and so does the run's history. Loggers have columns
        for those that a callback has added to the ``metrics`` of the stages in its
        `set_params`. A stage's own metric of the name comes first.
        """
        ...

    def save(self, path: str | os.PathLike[str], pickle: bool = False) -> None:
        """Write a backup of the whole run to a file, in the background.

        To be called from ``on_batch_end`` or ``on_stage_end``: what is saved is
        the run as it stands when all hooks of that event have been called. With
        `pickle`, what a backup has no place for is pickled.
        """
        ...

    def restore(self, path: str | os.PathLike[str], pickle: bool = False) -> bool:
        """Let the run that is about to begin go on from a backup.

        To be called before any hook; `path` is also where the run is saved when
        it is stopped. False if there is no such file. Only with `pickle` is
        anything unpickled.
        """
        ...
