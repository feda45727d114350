"""Writes a run to an event file for TensorBoard, from a thread of its own."""

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from ..background.feed import Feed
from ..background.thinning import Thinning
from ..callback import Logs, metrics_of
from ..control import Control
from ..formatting import format_number, format_seconds
from ..monitor import check_numbers, number_of
from ..plain_value import encodable, error_text, plain_row, plain_text, plain_value, short_text
from ..safe_warning import warn_safely
from ..vocabulary import FAILED, FINISHED, best_text, outcome_text, stage_end_text
from .event_file import EventFile, keep_events
from .solution_picture import solution_picture

_FLUSH_SECONDS = 1.0
# The last picture may be the first one, on a busy machine.
_LAST_SECONDS = 10.0
_MOST_ROWS = 10_000
# Of these, how many are kept for a resumed run.
_MOST_SAVED = 1_000
# Drawing may take one part in so many of the time of its thread.
_REST = 200.0
_FINAL_TAGS = {"cost": "final/cost", "violations": "final/violations", "elapsed": "final/seconds"}
_ABOUT_TAGS, _SESSION_END_TAG = "_hparams_/", "_hparams_/session_end_info"
# How the text begins that tells how a run ended.
_OUTCOME = "Run "
# What a backup calls the batches of the present stage, and those of the stages before.
_BATCHES, _STEPS_BEFORE = "_batches", "_steps_before"


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


class TensorBoardFeed(Feed):
    """Writes what the hooks are told as TensorBoard's scalars, texts and pictures.

    Of a stage with many batches ever fewer are written. When the disk fails, it
    is tried again every second.

    Parameters
    ----------
    folder
        The run's folder.
    params
        As a callback has them.
    control
        The running pipeline.
    image_interval
        Least seconds between two pictures.
    draws
        Whether there are any.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """

    # A disk that is full now has taken what it could.
    last_seconds: ClassVar[float] = 0.0

    def __init__(
        self,
        folder: Path,
        params: Mapping[str, Any],
        control: Control,
        image_interval: float,
        draws: bool,
    ) -> None:
        super().__init__(_FLUSH_SECONDS, f"writing to {folder}", _MOST_ROWS)
        self._folder = folder
        self._params = params
        self._control = control
        self._image_interval = image_interval
        self._draws = draws
        self._draw_at = 0.0
        self._solution: tuple[int, Any] | None = None
        self._summaries: deque[tuple[int, Any]] = deque()
        self._stage_lines: list[str] = []
        # Rows that are with the file, which the disk may not have taken yet.
        self._unwritten: list[_Row] = []
        self._stage: str | None = None
        self._ended: list[str] = []
        self._has_columns = False
        self._thinning = Thinning()
        self._batches, self._steps_before, self._step = 0, 0, 0
        self._began = time.time()
        self._file = EventFile(folder)
        self._files = [self._file.path.name]
        # What a run has left that this one goes on from, until it is taken up.
        self._left: _Left | None = None

    def open(self) -> None:
        """Begin to write; in a resumed run when it is known from where it goes on."""
        if not self._params.get("resumed"):
            self._start()

    def _start(self) -> None:
        if not self._ticks and self._left is None:
            # Tells TensorBoard to forget an older run of this folder.
            self._file.add(step=0, session_log={"status": "START"})
            self._add_hyperparameters()
        super()._start()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs to go on with."""
        # Those that wait first: one that gets written meanwhile is rather there twice.
        waiting = self._inbox.copy()
        rows = [*(self._left.rows if self._left else ()), *self._unwritten, *waiting]
        rows = {(row.logs.get("stage"), row.batch): row for row in rows}
        counters = {_BATCHES: self._batches, _STEPS_BEFORE: self._steps_before}
        return (
            counters
            | self._thinning.state_dict()
            | {
                "stage": self._stage,
                "ended": list(self._ended),
                "lines": list(self._stage_lines),
                "files": list(self._files),
                "rows": [
                    (row.wall_time, row.batch, row.step, plain_row(row.logs))
                    for row in list(rows.values())[-_MOST_SAVED:]
                ],
            }
        )

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on at the step of a run that is resumed."""
        if self._ticks:
            return
        check_numbers(state, (_BATCHES, _STEPS_BEFORE, *self._thinning.state_dict()))
        self._batches, self._steps_before = state[_BATCHES], state[_STEPS_BEFORE]
        self._thinning.load_state_dict(state)
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

    def begin_stage(self, stage: str) -> None:
        """Begin with a stage, or go on within it in a resumed run."""
        self._start()
        if stage != self._stage:
            self._stage = stage
            self._begin_counting()

    def _begin_counting(self) -> None:
        self._thinning.begin()
        self._batches = 0

    def leave_batch(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Leave a batch for the thread that writes, if it is one of those that are written."""
        self._batches = batch + 1
        if batch >= self._thinning.due:
            self._keep(batch, logs)

    def leave_solution(self, solution: Any, batch: int | None) -> None:
        """Leave a new best, found in a batch of the present stage, to be drawn."""
        if self._draws:
            self._solution = (self._steps_before + (batch or 0), solution)

    def end_stage(self, stage: str, about: Mapping[str, Any]) -> None:
        """Leave the end of a stage; `about` are the logs of ``on_stage_end``."""
        batches = about.get("batches", 0)
        if batches - 1 > self._thinning.newest:
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

    def close(self, logs: Mapping[str, Any] | None) -> bool:
        """Write for the last time, waiting for that a moment at most; return whether it is written.

        Parameters
        ----------
        logs
            As for ``on_pipeline_end``; None for a run that never came to its end.
        """
        self._start()
        if logs is not None:
            self._add_outcome(logs)
        self._end(_LAST_SECONDS)
        return self._over

    def _keep(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Leave a batch for the thread that writes, whichever is due."""
        now = time.time()
        if self._params.get("replayed"):
            # As far apart as in the run itself.
            now = self._began + logs.get("elapsed", 0.0)
        # Now, since the stage may change what it has reported.
        logs = plain_row(logs, self._control)
        self._inbox.append(_Row(now, batch, self._steps_before + batch + 1, logs))
        self._thinning.keep(batch)

    def _add_hyperparameters(self) -> None:
        self._file.add(step=0, summary=self._hyperparameters()[1])

    def _experiment(self, has_violations: bool) -> Any:
        """Return which columns TensorBoard's table has, of which it takes the first word."""
        self._has_columns = True
        return self._hyperparameters(has_violations)[0]

    def _hyperparameters(self, has_violations: bool = True) -> tuple[Any, Any, Any]:
        from tensorboardX.summary import hparams

        known = {name: self._params.get(name) for name in ("seed", "time_limit", "workers")}
        values = {
            plain_text(name): _hyperparameter(value)
            for name, value in {**known, **self._params.get("parameters", {})}.items()
            if value is not None
        }
        tags = [tag for key, tag in _FINAL_TAGS.items() if has_violations or key != "violations"]
        return hparams(values, dict.fromkeys(tags))

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
        name = self._params.get("job_id", "")
        elapsed = format_seconds(logs.get("elapsed"))
        self._add_text(f"{_OUTCOME}{name}: **{outcome}** in {elapsed}, {best}")
        for key, tag in _FINAL_TAGS.items():
            values = _numbers({tag: logs.get(key)})
            if values:
                self._summaries.append((self._steps_before, {"value": values}))
        if not self._has_columns:
            # By now it is known that no stage has any violations.
            columns = self._experiment(violations is not None)
            self._summaries.append((self._steps_before, columns))
        if status != FAILED:
            self._summaries.append((self._steps_before, self._hyperparameters()[2]))

    def _deliver(self) -> None:
        file, ending = self._file, self._ending
        # First what the disk has not taken before, so that no more than this gets pending.
        file.flush()
        self._unwritten.clear()
        if self._left is not None:
            self._take_up(file, self._left)
        while self._inbox:
            self._unwritten.append(self._inbox[0])
            self._add_row(file, self._inbox.popleft())
        if not self._params.get("replayed"):
            self._add_progress(file, self._step, time.time(), self._control.progress)
        while self._summaries:
            step, summary = self._summaries.popleft()
            file.add(step=step, summary=summary)
        if self._solution is not None and (ending or time.monotonic() >= self._draw_at):
            self._add_picture(file)
        file.flush()
        self._unwritten.clear()

    def _release(self) -> None:
        self._file.close()

    def _add_row(self, file: EventFile, row: _Row) -> None:
        logs, stage = row.logs, row.logs.get("stage")
        names = metrics_of(self._params, stage, logs)
        metrics = {f"{stage}/{name}": logs.get(name) for name in names}
        _add_scalars(file, row.batch, row.wall_time, metrics)
        best = {"run/cost": logs.get("cost"), "run/violations": logs.get("violations")}
        if not self._has_columns and best["run/violations"] is not None:
            file.add(step=0, summary=self._experiment(True))
        self._add_progress(file, row.step, row.wall_time, logs.get("progress", 0.0), best)

    def _take_up(self, file: EventFile, left: "_Left") -> None:
        """Take out of the older files what is done again, and add what they lack."""
        place = left.place
        stages = [one["name"] for one in self._params.get("stages", ())]
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
                found = keep_events(self._folder / name, is_before) or found
            except FileNotFoundError:
                continue
        # Not before: a backup that is made now, or the next try, needs them too.
        self._unwritten.extend(left.rows)
        self._left = None
        # For a TensorBoard that has read on meanwhile.
        file.add(step=place.step + 1 if found else 0, session_log={"status": "START"})
        if not found:
            self._add_hyperparameters()
        # At their own steps, all before the one that the run is at now.
        self._step = max(0, newest.get("run/progress", 0))
        for row in left.rows:
            if row.step > newest.get("run/progress", -1):
                self._add_row(file, row)
        self._step = max(self._step, place.step)

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
        values = {"run/progress": self._forward(progress), **(best or {})}
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
        self._draw_at = now + max(self._image_interval, _REST * (now - begun))
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
    drawn = solution_picture(solution)
    if drawn is None:
        return None
    width, height, png = drawn
    picture = {"width": width, "height": height, "encoded_image_string": png}
    return {"value": [{"tag": "timetable", "image": picture}]}
