"""Shows a run in TensorBoard."""

import io
import math
import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from ..argument_error import ArgumentError, check_number
from ..background.ticker import Ticker
from ..callback import Callback, Logs, metrics_of, nothing
from ..formatting import format_number, format_seconds
from ..monitor import check_numbers, number_of
from ..plain_value import encodable, error_text, plain_row, plain_text, plain_value, short_text
from ..safe_warning import warn_safely
from ..vocabulary import FAILED, FINISHED, best_text, outcome_text, stage_end_text
from .event_file import EventFile, keep_events

_FLUSH_SECONDS = 1.0
# The last picture may be the first one, on a busy machine.
_LAST_SECONDS = 10.0
# So many batches of a stage are all written, then so many out of twice as many, and so on.
_DENSE_ROWS = 512
_MOST_ROWS = 10_000
# Of these, how many are kept for a resumed run.
_MOST_SAVED = 1_000
# Drawing may take one part in so many of the time of its thread.
_REST = 200.0
_PICTURE_INCHES = (11.0, 7.0)
_FINAL_TAGS = {"cost": "final/cost", "violations": "final/violations", "elapsed": "final/seconds"}
_ABOUT_TAGS, _SESSION_END_TAG = "_hparams_/", "_hparams_/session_end_info"
# How the text begins that tells how a run ended.
_OUTCOME = "Run "
_COUNTERS = ("_due", "_stride", "_dense_until", "_newest", "_batches", "_steps_before")


class _Row(NamedTuple):
    """The logs of a batch, waiting to be written."""

    wall_time: float
    batch: int
    step: int
    logs: Logs


class _Place(NamedTuple):
    """Where in its events a run has been saved."""

    stage: str | None
    batches: int
    ended: tuple[str, ...]
    steps_before: int

    @property
    def step(self) -> int:
        """The step of the newest batch on the axis of the whole run."""
        return self.steps_before + self.batches

    def is_before(self, event: Any, stages: Sequence[str]) -> bool:
        """Tell whether an event was written before it, and not at a run's end."""
        tags = [value.tag for value in event.summary.value]
        if not tags or (tags[0].startswith(_ABOUT_TAGS) and tags[0] != _SESSION_END_TAG):
            return True
        if tags[0] == _SESSION_END_TAG or tags[0] in _FINAL_TAGS.values():
            return False
        if tags[0].startswith("summary/"):
            # How the run ended is what it has not done now.
            words = event.summary.value[0].tensor.string_val
            ended = bool(words) and words[0].startswith(_OUTCOME.encode())
            return event.step <= self.steps_before and not ended
        of = [name for name in stages if tags[0].startswith(plain_text(f"{name}/"))]
        if not of or tags[0].startswith("run/"):
            return event.step <= self.step
        stage = max(of, key=len)
        return stage in self.ended or (stage == self.stage and event.step < self.batches)


class _Left(NamedTuple):
    """What a run has left that another one goes on from: files, unwritten rows, its place."""

    files: list[str]
    rows: list[_Row]
    place: _Place


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
        # Rows that are with the file, which the disk may not have taken yet.
        self._unwritten: list[_Row] = []
        self._stage: str | None = None
        self._ended: list[str] = []
        self._begin_counting()
        self._steps_before, self._step, self._progress = 0, 0, 0.0
        self._solution: tuple[int, Any] | None = None
        self._draws = self._draws_pictures
        self._draw_at = 0.0
        self._ending = False
        self._began = time.time()
        self._file = EventFile(self.log_dir)
        self._files = [self._file.path.name]
        self._ticker = Ticker(self._write, _FLUSH_SECONDS, f"writing to {self.log_dir}")
        self._ticks = False
        # What a run has left that this one goes on from, until it is taken up.
        self._left: _Left | None = None
        if not self.params.get("resumed"):
            self._start()

    def _start(self) -> None:
        """Begin to write, once; in a resumed run when it is known from where it goes on."""
        if self._ticks or self._ticker is None or self._file is None:
            return
        self._ticks = True
        if self._left is None:
            # Tells TensorBoard to forget an older run of this folder.
            self._file.add(step=0, session_log={"status": "START"})
            self._add_hyperparameters()
        self._ticker.start()

    def _begin_counting(self) -> None:
        self._due, self._stride, self._dense_until, self._newest = 0, 1, _DENSE_ROWS, -1
        self._batches = 0

    def state_dict(self) -> dict[str, Any]:
        if self._file is None:
            return {}
        # Those that wait first: one that gets written meanwhile is rather there twice.
        waiting = self._rows.copy()
        rows = [*(self._left.rows if self._left else ()), *self._unwritten, *waiting]
        rows = {(row.logs.get("stage"), row.batch): row for row in rows}
        return {name: getattr(self, name) for name in _COUNTERS} | {
            "stage": self._stage,
            "ended": list(self._ended),
            "lines": list(self._stage_lines),
            "files": list(self._files),
            "rows": [
                (row.wall_time, row.batch, row.step, plain_row(row.logs))
                for row in list(rows.values())[-_MOST_SAVED:]
            ],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on at the step of a run that is resumed."""
        check_numbers(state, _COUNTERS)
        if self._file is None or self._ticks:
            return
        for name in _COUNTERS:
            setattr(self, name, state[name])
        self._stage = state["stage"]
        self._ended = [str(name) for name in state["ended"]]
        self._stage_lines = [str(line) for line in state["lines"]]
        self._step = self._steps_before + self._batches
        # Names alone: a backup must not lead out of the folder.
        names = [Path(str(name)).name for name in state["files"]]
        rows = [_Row(float(t), int(b), int(s), dict(logs)) for t, b, s, logs in state["rows"]]
        place = _Place(self._stage, self._batches, tuple(self._ended), self._steps_before)
        self._left = _Left(names, rows, place)
        self._files = [*names, *self._files]
        self._start()

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        self._start()
        if stage != self._stage:
            # A resumed run goes on within the other.
            self._stage = stage
            self._begin_counting()

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._batches = batch + 1
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
        self._begin_counting()
        self._stage = None
        self._ended.append(stage)
        cells = (
            plain_text(stage),
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
            self._start()
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
            warn_safely(message, stacklevel=2)

    def _keep(self, batch: int, logs: Logs) -> None:
        """Leave a batch for the thread that writes, and tell which is the next to be left."""
        now = time.time()
        if self.params.get("replayed"):
            # As far apart as in the run itself.
            now = self._began + logs.get("elapsed", 0.0)
        # Now, since the stage may change what it has reported.
        logs = plain_row(logs, self.pipeline)
        self._rows.append(_Row(now, batch, self._steps_before + batch + 1, logs))
        self._newest = batch
        if batch + self._stride >= self._dense_until:
            self._stride *= 2
            self._dense_until += _DENSE_ROWS * self._stride
        self._due = batch + self._stride

    def _add_hyperparameters(self) -> None:
        assert self._file is not None
        experiment, begin, _ = self._hyperparameters()
        self._file.add(step=0, summary=experiment)
        self._file.add(step=0, summary=begin)

    def _hyperparameters(self) -> tuple[Any, Any, Any]:
        from tensorboardX.summary import hparams

        known = {name: self.params.get(name) for name in ("seed", "time_limit", "workers")}
        values = {
            plain_text(name): _hyperparameter(value)
            for name, value in {**known, **self.params.get("parameters", {})}.items()
            if value is not None
        }
        return hparams(values, dict.fromkeys(_FINAL_TAGS.values()))

    def _add_text(self, first_line: str) -> None:
        from tensorboardX.summary import text

        lines = [first_line, ""]
        if self._stage_lines:
            head = "| stage | batches | time | cost | violations | ended |"
            ruler = "| --- | ---: | ---: | ---: | ---: | --- |"
            rows = [line.rsplit(" | ", 2) for line in (head, ruler, *self._stage_lines)]
            # Of a problem that has no violations nobody is shown any.
            counted = any(row[1] != "-" for row in rows[2:])
            lines += [" | ".join(row if counted else (row[0], row[2])) for row in rows]
        summary = text("summary", encodable("\n".join(lines)))
        self._summaries.append((self._steps_before, summary))

    def _add_outcome(self, logs: Mapping[str, Any]) -> None:

        status, violations = logs.get("status", FINISHED), logs.get("violations")
        outcome = outcome_text(status, logs.get("stopped_by"), logs.get("error"), violations)
        best = best_text(logs.get("cost"), violations)
        name = self.params.get("job_id", "")
        elapsed = format_seconds(logs.get("elapsed"))
        self._add_text(f"{_OUTCOME}{name}: **{outcome}** in {elapsed}, {best}")
        for key, tag in _FINAL_TAGS.items():
            values = _numbers({tag: logs.get(key)})
            if values:
                self._summaries.append((self._steps_before, {"value": values}))
        if status != FAILED:
            self._summaries.append((self._steps_before, self._hyperparameters()[2]))

    def _write(self) -> None:
        """Write what has come; on the ticker's thread, which alone a disk can block."""
        ending, file = self._ending, self._file
        if file is None:
            return
        try:
            # First what the disk has not taken before, so that no more than this gets pending.
            file.flush()
            self._unwritten.clear()
            if self._left is not None:
                self._take_up(file, self._left)
            while self._rows:
                self._unwritten.append(self._rows[0])
                self._add_row(file, self._rows.popleft())
            if not self.params.get("replayed"):
                self._add_progress(file, self._step, time.time(), self.pipeline.progress)
            while self._summaries:
                step, summary = self._summaries.popleft()
                file.add(step=step, summary=summary)
            if self._solution is not None and (ending or time.monotonic() >= self._draw_at):
                self._add_picture(file)
            file.flush()
            self._unwritten.clear()
        finally:
            if ending:
                file.close()
        if ending:
            self._file = None

    def _add_row(self, file: EventFile, row: _Row) -> None:
        logs, stage = row.logs, row.logs.get("stage")
        names = metrics_of(self.params, stage, logs)
        metrics = {f"{stage}/{name}": logs.get(name) for name in names}
        _add_scalars(file, row.batch, row.wall_time, metrics)
        best = {"run/cost": logs.get("cost"), "run/violations": logs.get("violations")}
        self._add_progress(file, row.step, row.wall_time, logs.get("progress", 0.0), best)

    def _take_up(self, file: EventFile, left: "_Left") -> None:
        """Take out of the older files what is done again, and add what they lack."""
        self._left = None
        place = left.place
        stages = [one["name"] for one in self.params.get("stages", ())]
        newest: dict[str, int] = {}

        def is_before(event: Any) -> bool:
            if not place.is_before(event, stages):
                return False
            for value in event.summary.value:
                newest[value.tag] = max(newest.get(value.tag, -1), event.step)
            return True

        found = False
        for name in left.files:
            try:
                found = keep_events(self.log_dir / name, is_before) or found
            except FileNotFoundError:
                continue
        # For a TensorBoard that has read on meanwhile.
        file.add(step=place.step + 1 if found else 0, session_log={"status": "START"})
        if not found:
            self._add_hyperparameters()
        for row in left.rows:
            if row.step > newest.get("run/progress", -1):
                self._add_row(file, row)

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
            message = f"no pictures in TensorBoard: {error_text(error)}"
            warn_safely(message, stacklevel=2)
            return
        now = time.monotonic()
        self._draw_at = now + max(self.image_interval, _REST * (now - begun))
        if summary is not None:
            file.add(step=step, summary=summary)


def _add_scalars(file: EventFile, step: int, wall_time: float, values: Mapping[str, Any]) -> None:
    """Add the numbers among some values, all in one event."""
    numbers = _numbers(values)
    if numbers:
        file.add(wall_time, step=step, summary={"value": numbers})


def _numbers(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    numbers = {plain_text(tag): number_of(value) for tag, value in values.items()}
    return [
        {"tag": tag, "simple_value": float(number)}
        for tag, number in numbers.items()
        if number is not None
    ]


def _hyperparameter(value: Any) -> bool | int | float | str:
    """Return a parameter as TensorBoard's table takes it, which knows no infinite number."""
    plain = plain_value(value)
    finite = isinstance(plain, int | float) and math.isfinite(plain)
    return plain if finite and plain is not None else short_text(plain)


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
