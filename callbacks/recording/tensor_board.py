"""Shows a run in TensorBoard."""

import math
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from ..argument_error import ArgumentError, check_number
from ..background.needing import needing
from ..background.writable import check_folder
from ..callback import Callback, Logs, nothing
from ..safe_warning import warn_safely
from .solution_picture import prepare_to_draw
from .tensor_board_feed import TensorBoardFeed


class TensorBoard(Callback):
    """Writes a run to event files that TensorBoard reads.

    Scalars: every metric of a stage as ``ga/diversity`` by the stage's batches;
    ``run/progress``, ``run/cost`` and ``run/violations`` by the batches of the
    whole run. Its hyperparameters are the parameters of the stages, the seed and
    the limits, with the final cost, violations and seconds. ``summary`` tells in
    words how each stage went, and ``timetable`` is a picture of the best so far,
    for solutions with a method ``plot(ax=...)``, where matplotlib is installed.

    Everything is written by a thread of its own, with bounded memory: of a stage
    with many batches ever fewer are written. When the disk fails it warns once,
    tries again every second and says at the end what is lost. Values that are no
    numbers are left out.

    A run that goes on from a backup goes on in the same folder, on the same
    axes: what was written after the backup, and is done again, is taken out.

    Parameters
    ----------
    log_dir
        The run's folder. To compare runs give each a folder of its own and show
        the one above: ``tensorboard --logdir logs``. A new run in the same folder
        takes the place of the older one.
    image_interval
        Least seconds between two pictures; infinity for none. Drawing takes at most one
        part in 200 of the time, so pictures that take long come more seldom.

    Raises
    ------
    ImportError
        Where tensorboardX is not installed.
    ValueError
        For an interval that is not positive.
    OSError
        Before a run, for a folder that cannot be written.
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {"_feed": nothing}

    def __init__(
        self, log_dir: str | os.PathLike[str] = "logs", image_interval: float = 5.0
    ) -> None:
        super().__init__()
        with needing("TensorBoard", "tensorboard"):
            # Here and not in the run, since it takes half a second.
            import tensorboardX  # noqa: F401
        if not isinstance(log_dir, str | os.PathLike):
            raise ArgumentError.of("log_dir", "the path of a folder", log_dir)
        check_number("image_interval", image_interval, 0, "positive")
        if not image_interval > 0:
            raise ArgumentError.of("image_interval", "positive", image_interval)
        self.log_dir = Path(log_dir)
        self.image_interval = image_interval
        if self._draws_pictures:
            # Likewise: the first picture takes the imports of what draws.
            prepare_to_draw()
        self._feed: TensorBoardFeed | None = None

    @property
    def _draws_pictures(self) -> bool:
        return math.isfinite(self.image_interval) and find_spec("matplotlib") is not None

    def check(self) -> None:
        check_folder(self.log_dir)

    def state_dict(self) -> dict[str, Any]:
        return {} if self._feed is None else self._feed.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on at the step of a run that is resumed."""
        if self._feed is not None:
            self._feed.load_state_dict(state)

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._end()
        self._feed = TensorBoardFeed(
            self.log_dir, self.params, self.pipeline, self.image_interval, self._draws_pictures
        )
        self._feed.open()

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.begin_stage(stage)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.leave_batch(batch, logs or {})

    def on_solution(self, solution: Any, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.leave_solution(solution, (logs or {}).get("batch"))

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.end_stage(stage, logs or {})

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        self._end(logs or {})

    def _end(self, logs: Logs | None = None) -> None:
        """Let the feed write for the last time, also for a run that never came to its end."""
        feed, self._feed = self._feed, None
        if feed is not None and not feed.close(logs):
            message = f"the last of the run could not be written to {self.log_dir}"
            warn_safely(message, stacklevel=2)
