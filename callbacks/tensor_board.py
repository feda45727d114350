"""Shows a run in TensorBoard."""

import io
import math
import os
import time
import warnings
from collections import deque
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from .argument_error import ArgumentError, check_number
from .callback import Callback, Logs, nothing
from .event_file import EventFile
from .formatting import format_number, format_seconds
from .ticker import Ticker
from .vocabulary import FAILED, FINISHED, best_text, outcome_text, stage_end_text

_FLUSH_SECONDS = 1.0
# The last picture may be the first one, on a busy machine.
_LAST_SECONDS = 10.0
# So many batches of a stage are all written, then so many out of twice as many, and so on.
_DENSE_ROWS = 512
_MOST_ROWS = 10_000
# Drawing may take one part in so many of the time of its thread.
_REST = 200.0
_PICTURE_INCHES = (11.0, 7.0)
_FINAL_TAGS = {"cost": "final/cost", "violations": "final/violations", "elapsed": "final/seconds"}


class _Row(NamedTuple):
    """The logs of a batch, waiting to be written."""

    wall_time: float
    batch: int
    step: int
    logs: Logs


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
    tries again every second and says at the end what is lost.

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
        At the beginning of a run, for a folder that cannot be written.
    """

    made_anew: ClassVar = {
        "_file": nothing,
        "_ticker": nothing,
        # Each run begins with these.
        "_rows": None,
        "_summaries": None,
        "_solution": None,
        "_session_end": None,
    }

    def __init__(
        self, log_dir: str | os.PathLike[str] = "logs", image_interval: float = 5.0
    ) -> None:
        super().__init__()
        try:
            # Here and not in the run, since it takes half a second.
            import tensorboardX  # noqa: F401
        except ImportError as error:
            raise ImportError(
                "TensorBoard needs tensorboardX: pip install 'schoolbell[tensorboard]'"
            ) from error
        if not isinstance(log_dir, str | os.PathLike):
            raise ArgumentError.of("log_dir", "the path of a folder", log_dir)
        check_number("image_interval", image_interval, 0, "positive")
        if not image_interval > 0:
            raise ArgumentError.of("image_interval", "positive", image_interval)
        self.log_dir = Path(log_dir)
        self.image_interval = image_interval
        if self._draws_pictures:
            # Likewise: the first picture takes the imports of what draws.
            _save(_new_figure())
        self._file: EventFile | None = None
        self._ticker: Ticker | None = None

    @property
    def _draws_pictures(self) -> bool:
        return math.isfinite(self.image_interval) and find_spec("matplotlib") is not None

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._end()
        self._rows: deque[_Row] = deque(maxlen=_MOST_ROWS)
        self._summaries: deque[tuple[int, Any]] = deque()
        self._stage_lines: list[str] = []
        self._due, self._stride, self._dense_until, self._newest = 0, 1, _DENSE_ROWS, -1
        self._steps_before, self._step, self._progress = 0, 0, 0.0
        self._solution: tuple[int, Any] | None = None
        self._draws = self._draws_pictures
        self._draw_at = 0.0
        self._ending = False
        self._began = time.time()
        self._file = EventFile(self.log_dir)
        # Tells TensorBoard to forget an older run of this folder.
        self._file.add(step=0, session_log={"status": "START"})
        self._add_hyperparameters()
        self._ticker = Ticker(self._write, _FLUSH_SECONDS, f"writing to {self.log_dir}")
        self._ticker.start()

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        self._due, self._stride, self._dense_until, self._newest = 0, 1, _DENSE_ROWS, -1

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if batch >= self._due:
            self._keep(batch, logs or {})

    def on_solution(self, solution: Any, logs: Logs | None = None) -> None:
        if self._draws:
            batch = (logs or {}).get("batch")
            self._solution = (self._steps_before + (batch or 0), solution)

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        about = logs or {}
        batches = about.get("batches", 0)
        if batches - 1 > self._newest:
            self._keep(batches - 1, about)
        self._steps_before += batches
        cells = (
            stage,
            f"{batches:,}",
            format_seconds(about.get("seconds")),
            format_number(about.get("cost")),
            format_number(about.get("violations")),
            stage_end_text(
                about.get("ended_by", ""),
                about.get("stopped_by"),
                about.get("done"),
                about.get("total"),
            ),
        )
        self._stage_lines.append(f"| {' | '.join(cells)} |")
        self._add_text(f"Running for {format_seconds(about.get('elapsed'))}")

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        if self._ticker is not None:
            self._add_outcome(logs or {})
            self._end()

    def _end(self) -> None:
        """Let the thread write for the last time, also for a run that never came to its end."""
        if self._ticker is None:
            return
        self._ending = True
        self._ticker.stop(_LAST_SECONDS)
        self._ticker = None
        if self._file is not None:
            message = f"the last of the run could not be written to {self.log_dir}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)

    def _keep(self, batch: int, logs: Logs) -> None:
        """Leave a batch for the thread that writes, and tell which is the next to be left."""
        now = time.time()
        if self.params.get("replayed"):
            # As far apart as in the run itself.
            now = self._began + logs.get("elapsed", 0.0)
        self._rows.append(_Row(now, batch, self._steps_before + batch + 1, logs))
        self._newest = batch
        if batch + self._stride >= self._dense_until:
            self._stride *= 2
            self._dense_until += _DENSE_ROWS * self._stride
        self._due = batch + self._stride

    def _add_hyperparameters(self) -> None:
        from tensorboardX.summary import hparams

        assert self._file is not None
        known = {name: self.params.get(name) for name in ("seed", "time_limit", "workers")}
        values = {
            name: value if isinstance(value, bool | int | float | str) else str(value)
            for name, value in {**known, **self.params.get("parameters", {})}.items()
            if value is not None
        }
        experiment, begin, self._session_end = hparams(values, dict.fromkeys(_FINAL_TAGS.values()))
        self._file.add(step=0, summary=experiment)
        self._file.add(step=0, summary=begin)

    def _add_text(self, first_line: str) -> None:
        from tensorboardX.summary import text

        lines = [first_line, ""]
        if self._stage_lines:
            lines += ["| stage | batches | time | cost | violations | ended |"]
            lines += ["| --- | ---: | ---: | ---: | ---: | --- |", *self._stage_lines]
        self._summaries.append((self._steps_before, text("summary", "\n".join(lines))))

    def _add_outcome(self, logs: Mapping[str, Any]) -> None:
        from tensorboardX.summary import scalar

        status, violations = logs.get("status", FINISHED), logs.get("violations")
        outcome = outcome_text(status, logs.get("stopped_by"), logs.get("error"), violations)
        best = best_text(logs.get("cost"), violations)
        name = self.params.get("job_id", "")
        elapsed = format_seconds(logs.get("elapsed"))
        self._add_text(f"Run {name}: **{outcome}** in {elapsed}, {best}")
        for key, tag in _FINAL_TAGS.items():
            if logs.get(key) is not None:
                self._summaries.append((self._steps_before, scalar(tag, logs[key])))
        if status != FAILED:
            self._summaries.append((self._steps_before, self._session_end))

    def _write(self) -> None:
        """Write what has come; on the ticker's thread, which alone a disk can block."""
        ending, file = self._ending, self._file
        if file is None:
            return
        try:
            # First what the disk has not taken before, so that no more than this gets pending.
            file.flush()
            while self._rows:
                self._add_row(file, self._rows.popleft())
            if not self.params.get("replayed"):
                self._add_progress(file, self._step, time.time(), self.pipeline.progress)
            while self._summaries:
                step, summary = self._summaries.popleft()
                file.add(step=step, summary=summary)
            if self._solution is not None and (ending or time.monotonic() >= self._draw_at):
                self._add_picture(file)
            file.flush()
        finally:
            if ending:
                file.close()
        if ending:
            self._file = None

    def _add_row(self, file: EventFile, row: _Row) -> None:
        logs, stage = row.logs, row.logs.get("stage")
        metrics = {f"{stage}/{name}": logs.get(name) for name in self._metrics(stage)}
        _add_scalars(file, row.batch, row.wall_time, metrics)
        best = {"run/cost": logs.get("cost"), "run/violations": logs.get("violations")}
        self._add_progress(file, row.step, row.wall_time, logs.get("progress", 0.0), best)

    def _metrics(self, stage: str | None) -> tuple[str, ...]:
        for one in self.params.get("stages", ()):
            if one["name"] == stage:
                return one["metrics"]
        return ()

    def _add_progress(
        self,
        file: EventFile,
        step: int,
        wall_time: float,
        progress: float,
        best: Mapping[str, Any] | None = None,
    ) -> None:
        # Smooth progress runs ahead of the batches' own; together they must not go back.
        self._step = max(self._step, step)
        self._progress = max(self._progress, progress)
        values = {"run/progress": self._progress, **(best or {})}
        _add_scalars(file, self._step, wall_time, values)

    def _add_picture(self, file: EventFile) -> None:
        assert self._solution is not None
        (step, solution), self._solution = self._solution, None
        begun = time.monotonic()
        try:
            summary = _picture(solution)
        except Exception as error:
            self._draws = False
            message = f"no pictures in TensorBoard: {type(error).__name__}: {error}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
            return
        now = time.monotonic()
        self._draw_at = now + max(self.image_interval, _REST * (now - begun))
        if summary is not None:
            file.add(step=step, summary=summary)


def _add_scalars(file: EventFile, step: int, wall_time: float, values: Mapping[str, Any]) -> None:
    """Add the numbers among some values, all in one event."""
    numbers = [
        {"tag": tag, "simple_value": float(value)}
        for tag, value in values.items()
        if value is not None and not isinstance(value, str)
    ]
    if numbers:
        file.add(wall_time, step=step, summary={"value": numbers})


def _picture(solution: Any) -> dict[str, Any] | None:
    """Draw a solution that can plot itself; None for another one."""
    plot = getattr(solution, "plot", None)
    if plot is None:
        return None
    figure = _new_figure()
    plot(ax=figure.axes[0])
    width, height = (round(inches * figure.dpi) for inches in _PICTURE_INCHES)
    picture = {"width": width, "height": height, "encoded_image_string": _save(figure)}
    return {"value": [{"tag": "timetable", "image": picture}]}


def _new_figure() -> Any:
    """Return a figure with one pair of axes."""
    from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports] - optional

    # Not by pyplot, which belongs to the main thread.
    figure = Figure(figsize=_PICTURE_INCHES)
    figure.subplots()
    return figure


def _save(figure: Any) -> bytes:
    """Return a figure as PNG."""
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()
