"""Writes solutions to files while the run goes on."""

import math
import os
import string
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..argument_error import ArgumentError
from ..background.ticker import Ticker
from ..background.writable import check_file, check_folder
from ..callback import Callback, Logs, nothing
from ..expectation import Expectation
from ..monitor import Mode, Monitor, number_of, watched_stages
from ..names import did_you_mean
from ..safe_warning import warn_safely
from ..vocabulary import MAX

_WRITE_SECONDS = 0.2
# Files that wait for a disk that takes nothing.
_MOST_WAITING = 256
_LOGGED = ("stage", "batch", "done", "cost", "violations", "elapsed")
_FIELDS = (*_LOGGED, "job_id")
_SAMPLE: Logs = dict(zip(_FIELDS, ("ga", 12, 13, 45, 0, 6.7, "monday"), strict=True))


class SolutionCheckpoint(Callback):
    """Writes the best solution to a file, again and again, as Keras's `ModelCheckpoint` does.

    A timetable becomes a ``.sol`` file; any solution with a method
    ``write(path)`` will do. Each file is complete or absent. A thread of its own
    writes them, five times a second at most: of several solutions for one file
    in that time, the last. When that fails (a full disk) it warns once, tries
    again and again, and says at the end what is missing.

    Parameters
    ----------
    filepath
        Where to write: a path that may contain ``{stage}``, ``{batch}``,
        ``{done}``, ``{cost}``, ``{violations}``, ``{elapsed}`` and ``{job_id}``,
        formatted as by `str.format`, as in ``"best/{stage}-{batch:04d}-{cost}.sol"``.
        ``{job_id}`` keeps several fits apart in one folder. Missing folders are
        made.
    monitor
        The value that tells which solution is the best, for `save_best_only`.
        By default that is the run's own order: fewer violations, then less cost.
    save_best_only
        Write only when the value is better than at every time before.
    mode
        As for `EarlyStopping`.
    save_freq
        ``"solution"``: at each new best. ``"stage"``: at the end of each stage.
        A number: after so many batches, each time.
    initial_value_threshold
        Value to be better than from the first time on, with `save_best_only`.

    Attributes
    ----------
    best
        Best value so far; None before the first.
    written
        The file written last; None before the first.

    Raises
    ------
    ValueError
        For an impossible argument: a name without a file, an unknown field or
        one that cannot be formatted so; at the beginning of a run, for a value
        that no stage reports.
    OSError
        Before a run, for a folder that cannot be made, and a file that cannot be written.
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {
        "_ticker": nothing,
        "_lock": threading.Lock,
        "_waiting": OrderedDict,
        "_solution": nothing,
        "_due": nothing,
        # Of the object itself, see `_bind`.
        "on_batch_end": None,
    }

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "cost",
        save_best_only: bool = False,
        mode: Mode = "auto",
        save_freq: Literal["solution", "stage"] | int = "solution",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(filepath, str | os.PathLike):
            raise ArgumentError.of("filepath", "the path of a file", filepath)
        self.filepath = os.fspath(filepath)
        _check_template(self.filepath)
        if save_freq not in ("solution", "stage") and not (
            isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq >= 1
        ):
            wanted = '"solution", "stage" or a number of batches'
            raise ArgumentError.of("save_freq", wanted, save_freq)
        self._given = self._watch = Monitor.of(monitor, mode)
        self.monitor = monitor
        self.save_best_only = save_best_only
        self.mode: Mode = mode
        self.save_freq: Literal["solution", "stage"] | int = save_freq
        self.initial_value_threshold = initial_value_threshold
        self._bind()
        self._ticker: Ticker | None = None
        self._reset()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._bind()

    def _bind(self) -> None:
        """Have the hook of every batch called only where it is needed, since it takes time."""
        # A metric is in the logs of batches alone, not in those of a solution.
        if isinstance(self.save_freq, int) or self.monitor not in _LOGGED:
            self.on_batch_end = self._on_batch_end

    def _reset(self) -> None:
        self.best: float | None = self.initial_value_threshold
        self.written: Path | None = None
        self._best_violations: int | None = None
        self._solution: Any = None
        self._value: float | None = None
        self._due: tuple[int, Logs] | None = None
        self._waiting: OrderedDict[Path, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._dropped = 0

    def check(self) -> None:
        watched_stages(self.params, None, self.monitor)
        if "{" in self.filepath:
            check_folder(self._folder)
        else:
            check_file(Path(self.filepath))

    @property
    def _folder(self) -> Path:
        """The folder of all its files, as far as it is known before there is one."""
        return Path(self.filepath.partition("{")[0] + "x").parent

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._end()
        self._watch = self._given.towards(self.params.get("goal"))
        watched = watched_stages(self.params, None, self.monitor)
        self._reset()
        self._expected = Expectation("SolutionCheckpoint", self.monitor, self.params, watched, None)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._ticker = Ticker(self._write, _WRITE_SECONDS, f"writing {self.filepath}")
        self._ticker.start()

    def _on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._save_due()
        values = logs or {}
        self._value = number_of(values.get(self.monitor))
        if self._value is not None:
            self._expected.came = True
        if isinstance(self.save_freq, int) and (batch + 1) % self.save_freq == 0:
            # Not yet: a solution that this batch has found is announced after it.
            self._due = (batch, values)

    def on_solution(self, solution: Any, logs: Logs | None = None) -> None:
        if solution is None:
            # In a recorded run that is replayed.
            return
        if not hasattr(solution, "write"):
            raise TypeError(
                f"a solution needs a method write(path) to be saved, {type(solution).__name__} "
                "has none"
            )
        values = logs or {}
        if self._due is not None and self._due[1].get("cost") != values.get("cost"):
            self._save_due()
        self._solution = solution
        self._save_due()
        if self.save_freq == "solution":
            self._consider(values.get("batch"), values)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        self._expected.begin_stage()

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        self._save_due()
        if self.save_best_only:
            self._expected.end_stage(stage, logs or {})
        if self.save_freq == "stage":
            values = logs or {}
            self._consider(max(values.get("batches", 0) - 1, 0), values)

    def _save_due(self) -> None:
        due, self._due = self._due, None
        if due is not None:
            self._consider(*due)

    def _consider(self, batch: int | None, logs: Logs) -> None:
        """Leave the best solution for the thread that writes, if it is to be written."""
        if self._solution is None or (self.save_best_only and not self._is_best(logs)):
            return
        about = {"batch": batch or 0, "job_id": self.params.get("job_id") or "run"}
        path = Path(_formatted(self.filepath, {**logs, **about}))
        with self._lock:
            self._waiting.pop(path, None)
            self._waiting[path] = self._solution
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)
                self._dropped += 1

    def _is_best(self, logs: Logs) -> bool:
        value = number_of(logs.get(self.monitor, self._value))
        if value is None:
            return False
        if value != value:
            # NaN is better than nothing, and everything is better than NaN.
            return self.best is None
        better = self._watch.improves(value, self.best)
        if self.monitor == "cost" and self._watch.rising == (self.params.get("goal") == MAX):
            # A solution without violations is better than one of a better cost with some.
            violations = logs.get("violations") or 0
            before = self._best_violations
            better = better if before is None or violations == before else violations < before
            self._best_violations = violations if better else before
        if better:
            self.best = value
        return better

    def _write(self) -> None:
        """Write what waits; on the ticker's thread, which alone a disk can block."""
        with self._lock:
            waiting = list(self._waiting.items())
        failure: OSError | None = None
        for path, solution in waiting:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                solution.write(path)
            except OSError as error:
                # The others may find a place all the same.
                failure = failure or error
                continue
            with self._lock:
                self.written = path
                # Unless a newer one has come for the same file meanwhile.
                if self._waiting.get(path) is solution:
                    del self._waiting[path]
        if failure is not None:
            reason = failure.strerror or str(failure)
            raise OSError(failure.errno, f"{reason}; trying again") from None

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        self._save_due()
        self._end()

    def _end(self) -> None:
        """Let the thread write for the last time."""
        if self._ticker is None:
            return
        self._ticker.stop()
        self._ticker = None
        missing = [str(path) for path in self._waiting]
        if missing or self._dropped:
            count = len(missing) + self._dropped
            last = f", the last of them {missing[-1]}" if missing else ""
            message = f"{count} solutions could not be written{last}"
            warn_safely(message, stacklevel=2)


def _check_template(template: str) -> None:
    """Refuse a name that would fail when there is something to write."""
    try:
        fields = [part for part in string.Formatter().parse(template) if part[1] is not None]
        for _, name, specification, _ in fields:
            # Attributes and items lead to what is no value of the run.
            close = did_you_mean(name, _FIELDS)
            if name not in _FIELDS or "{" in (specification or ""):
                raise ValueError(f"{{{name}}} is not among {', '.join(_FIELDS)}{close}")
        name = _formatted(template, _SAMPLE)
    except (ValueError, IndexError, KeyError) as error:
        raise ValueError(f"filepath {template!r} cannot be formatted: {error}") from None
    if (
        not name
        or name.endswith(("/", os.sep))
        or Path(name).name in ("", ".", "..")
        or "\0" in name
    ):
        raise ValueError(f"filepath must name a file, got {template!r}")


def _formatted(template: str, values: Logs) -> str:
    known = {name: values.get(name) for name in _FIELDS}
    # Words of the user's are no folders.
    for name in ("stage", "job_id"):
        known[name] = str(known[name]).replace("/", "-").replace(os.sep, "-")
    try:
        return template.format(**known)
    except (ValueError, TypeError):
        # A cost with a fraction where a whole number was expected, or one that is not there.
        whole = {k: _whole(v) if isinstance(v, float) else v or 0 for k, v in known.items()}
        return template.format(**whole)


def _whole(value: float) -> int:
    return round(value) if math.isfinite(value) else 0
