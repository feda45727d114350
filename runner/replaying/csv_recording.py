"""Reads the CSV log of a run as a recording."""

import csv
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from ...callbacks import Logs
from ...callbacks.recording.csv_rows import COLUMNS, csv_records
from ...callbacks.remote.snapshot_fields import read_number
from ...callbacks.vocabulary import (
    CORE_COLUMNS,
    FINISHED,
    GOALS,
    INTERRUPTED,
    MAX,
    MIN,
    RUN_COLUMNS,
)
from ...stages.errors import FormatError, MissingFileError
from ..config.config_error import ConfigError
from ..config.run_config import read_object
from .recording import Moment, Recording, batch_moments, params_of, stage_about

_TEXTS = ("stage", "unit")
_COUNTS = ("batch", "done")
_NUMBERS = ("progress", "elapsed")
_LONGEST_LINE = 1_000_000


class _Row(NamedTuple):
    line: int
    batch: int
    logs: Logs


def read_csv(path: str | os.PathLike[str]) -> Recording:
    """Read what a `CSVLogger` wrote; of several runs in one file the last.

    The file is read twice and never kept in memory. A last line that a killed
    process has left unfinished is passed over. Where the run's ``run.json``
    lies beside, id, seed, limits and parameters are taken from it.

    Raises
    ------
    FormatError
        If the file cannot be read, or is no such log.
    """
    path = Path(path)
    columns = _header(path)
    first, stages, goal = _survey(path, columns)
    metrics = {name: tuple(about.pop("metrics")) for name, about in stages.items()}
    told = [stage_about(name=name, metrics=metrics[name], **one) for name, one in stages.items()]
    job_id, known = _beside(path)
    params = params_of(job_id, told, **{"goal": goal, **known})

    def moments() -> Iterator[Moment]:
        return _moments(path, columns, first, params)

    return Recording(params, moments)


def _beside(path: Path) -> tuple[str, dict[str, Any]]:
    """Return a run's id, and what its ``run.json`` beside the log tells of it."""
    known: dict[str, Any] = {}
    job_id = path.stem
    with suppress(ConfigError):
        about = read_object(path.with_name("run.json"))
        job_id = str(about.get("job_id", job_id))
        known = {name: about.get(name) for name in ("seed", "time_limit", "workers")}
        if about.get("goal") in GOALS:
            known["goal"] = about["goal"]
        stages = about.get("parameters")
        if isinstance(stages, dict):
            known["parameters"] = {
                f"{stage}__{name}": value
                for stage, own in stages.items()
                if isinstance(own, dict)
                for name, value in own.items()
            }
    return job_id, known


def _header(path: Path) -> list[str]:
    with _opened(path) as file:
        _, line = next(_records(path, file), (1, ""))
    separator = line[len("stage") : len("stage") + 1] or ","
    columns = _cells(path, 1, line, separator) if line else []
    if tuple(columns[: len(COLUMNS)]) != COLUMNS or len(set(columns)) != len(columns):
        found = "other columns" if line else "an empty file"
        raise FormatError(path, 1, found, "the log of a CSVLogger, which begins with stage,batch")
    return columns


def _opened(path: Path) -> TextIO:
    try:
        # A pipe or a device might never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise FormatError(path, None, "no regular file", "a CSV file")
        return path.open(newline="", encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        raise MissingFileError(path) from None
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise FormatError(path, None, found, "a readable file") from error


def _rows(path: Path, columns: list[str], first: int = 0) -> Iterator[_Row]:
    """Read the rows from some line on."""
    with _opened(path) as file:
        records = _records(path, file)
        separator = next(records)[1][len("stage")]
        for number, line in records:
            if number < first or line.isspace():
                continue
            # Of a row that is cut off within quotes, an end of line may be part.
            torn = line.count('"') % 2 == 1 or not line.endswith("\n")
            cells = _cells(path, number, line, separator)
            if len(cells) == len(columns) and line.count('"') % 2 == 0:
                yield _row(path, number, dict(zip(columns, cells, strict=True)))
            elif not torn:
                found = f"{len(cells)} columns"
                raise FormatError(path, number, found, f"{len(columns)} columns")


def _records(path: Path, file: TextIO) -> Iterator[tuple[int, str]]:
    lines = iter(lambda: file.readline(_LONGEST_LINE), "")
    for number, record in csv_records(lines, _LONGEST_LINE):
        if len(record) >= _LONGEST_LINE:
            raise FormatError(path, number, "an endless line", "a row")
        yield number, record


def _cells(path: Path, number: int, line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error as error:
        raise FormatError(path, number, str(error), "a row") from None


def _row(path: Path, line: int, cells: dict[str, str]) -> _Row:
    logs: Logs = {name: _value(cell) for name, cell in cells.items()}
    logs |= {name: cells[name] for name in _TEXTS}
    for names, kind, expected in ((_COUNTS, int, "a whole number"), (_NUMBERS, float, "a number")):
        for name in names:
            value = logs[name]
            if not isinstance(value, int | kind) or value != value or value < 0:
                raise FormatError(path, line, f"{name} {cells[name][:40]!r}", expected)
            logs[name] = kind(value)
    return _Row(line, logs.pop("batch"), logs)


def _value(cell: str) -> Any:
    if cell == "":
        return None
    if cell in ("nan", "inf", "-inf"):
        return float(cell)
    number = read_number(cell)
    return cell if number is None else number


def _survey(path: Path, columns: list[str]) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Find the line at which the last run begins, what is known of its stages, and its goal.

    The goal shows in the first change of the best so far that leaves the violations as they are.
    """
    goal, best = None, (None, None)
    first, elapsed, progress = 2, 0.0, 0.0
    stages: dict[str, dict[str, Any]] = {}
    used: set[str] = set()
    own = columns[len(COLUMNS) :]
    for line, _, logs in _rows(path, columns):
        if logs["elapsed"] < elapsed:
            first, progress, stages, used = line, 0.0, {}, set()
            goal, best = None, (None, None)
        elapsed, name = logs["elapsed"], logs["stage"]
        goal = goal or _goal_of(best, logs)
        best = logs["cost"], logs["violations"]
        if name not in stages:
            about = {"unit": logs["unit"], "metrics": {}, "start": progress, "end": progress}
            stages[name] = about
        stages[name]["end"] = progress = max(progress, logs["progress"])
        for metric in own:
            if logs[metric] is not None:
                stages[name]["metrics"][metric] = None
                used.add(metric)
    if not stages:
        raise FormatError(path, 2, "no rows", "the batches of a run")
    # Nobody had a value for these; so that the columns stay, they are the first stage's.
    next(iter(stages.values()))["metrics"].update(dict.fromkeys(m for m in own if m not in used))
    for about in stages.values():
        about["metrics"] = [metric for metric in own if metric in about["metrics"]]
    return first, stages, goal or MIN


def _goal_of(before: tuple[Any, Any], logs: Logs) -> str | None:
    """Tell from two rows what the goal is, where they show it."""
    cost, violations = before
    if violations != logs["violations"]:
        return None
    for one in (cost, logs["cost"]):
        if not isinstance(one, int | float):
            return None
    if logs["cost"] == cost or cost != cost:
        return None
    return MAX if logs["cost"] > cost else MIN


def _moments(
    path: Path, columns: list[str], first: int, params: dict[str, Any]
) -> Iterator[Moment]:
    """Make a run's hooks of its rows."""
    stages = {stage["name"]: stage for stage in params["stages"]}
    start: Logs = {"progress": 0.0, "elapsed": 0.0, "cost": None, "violations": None}
    yield Moment("on_pipeline_begin", None, dict(start))
    before, batch, began = start, -1, 0.0
    for _, number, full in _rows(path, columns, first):
        about = stages[full["stage"]]
        if full["stage"] != before.get("stage"):
            if "stage" in before:
                yield _stage_end(before, batch, began)
            began = before["elapsed"]
            yield Moment("on_stage_begin", full["stage"], _stage_begin(about, before))
        logs = {n: v for n, v in full.items() if n in CORE_COLUMNS or n in about["metrics"]}
        yield from batch_moments(number, logs, before)
        before, batch = logs, number
    yield _stage_end(before, batch, began)
    core = ("stage", *RUN_COLUMNS)
    status = FINISHED if before["progress"] >= 1 else INTERRUPTED
    end = {"status": status, "stopped_by": None, **{n: before[n] for n in core}, "error": None}
    yield Moment("on_pipeline_end", None, end)


def _stage_begin(about: dict[str, Any], before: Logs) -> Logs:
    return {
        "stage": about["name"],
        "unit": about["unit"],
        "share": about["end"] - about["start"],
        "budget": None,
        **{name: before[name] for name in RUN_COLUMNS},
    }


def _stage_end(last: Logs, batch: int, began: float) -> Moment:
    seconds = last["elapsed"] - began
    about = {"batches": batch + 1, "seconds": seconds, "ended_by": FINISHED, "stopped_by": None}
    return Moment("on_stage_end", last["stage"], {**last, **about})
