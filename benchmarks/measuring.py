"""What the benchmarks share: runs in processes of their own, gaps, and tables."""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import math
import os
import shlex
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from schoolbell.callbacks import Callback
from schoolbell.stages.timetable import Instance, Solution, TimetableError, evaluate

# UD2, from the literature.
BEST_KNOWN = {
    "comp01": 5,
    "comp02": 24,
    "comp03": 64,
    "comp04": 35,
    "comp05": 284,
    "comp06": 27,
    "comp07": 6,
    "comp08": 37,
    "comp09": 96,
    "comp10": 4,
    "comp11": 0,
    "comp12": 294,
    "comp13": 59,
    "comp14": 51,
}
PROGRAM = Path(sys.executable).with_name("schoolbell")
FORMATS = ("markdown", "csv", "json")

# What a program may take beyond its time before it is killed: a factor, and seconds.
GRACE, GRACE_SECONDS = 1.1, 15.0

PLACEHOLDERS = ("instance", "solution", "seconds", "seed")


@dataclass(frozen=True)
class Outcome:
    """How one run of a program ended.

    Attributes
    ----------
    cost, violations
        Of its timetable by the reference evaluation; None if it left none.
    seconds
        Wall time of the whole process.
    failure
        Why there is no timetable, or none without violations; empty otherwise.
    stages
        Cost after each stage, None while there were violations; ours only.
    """

    cost: int | None
    violations: int | None
    seconds: float
    failure: str = ""
    stages: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The cost; infinite without a feasible timetable."""
        return math.inf if self.cost is None or self.violations else self.cost


@dataclass(frozen=True)
class Task:
    """What a program is to solve.

    Attributes
    ----------
    instance
        File of the instance.
    formulation
        Name of the formulation under which the timetable is evaluated.
    seconds
        Time to solve it in.
    seed
        Random seed.
    """

    instance: Path
    formulation: str
    seconds: float
    seed: int


def fit(
    task: Task, folder: Path, workers: int = 1, settings: Sequence[str] = (), name: str = "ours"
) -> Outcome:
    """Run ``schoolbell fit`` and evaluate its solution file anew.

    Parameters
    ----------
    task
        What to solve.
    folder
        Where the run's files go; the timetable is ``name.sol`` there.
    workers
        Tasks that run at once.
    settings
        ``STAGE.PARAMETER=VALUE`` each.
    name
        Of the files.
    """
    solution, log = folder / f"{name}.sol", folder / f"{name}.csv"
    command = [str(PROGRAM), "fit", str(task.instance.resolve()), "--quiet"]
    if math.isfinite(task.seconds):
        command += ["--time-limit", f"{task.seconds:g}"]
    command += ["--workers", str(workers)]
    command += ["--seed", str(task.seed), "--formulation", task.formulation]
    command += ["--out", str(solution), "--csv", str(log), "--html", str(folder / f"{name}.html")]
    for setting in settings:
        command += ["--set", setting]
    log.unlink(missing_ok=True)
    # The first compilation on a machine does not count, so no limit of ours for it.
    outcome = _run(command, task, solution, folder, time_out=None)
    return Outcome(
        outcome.cost, outcome.violations, outcome.seconds, outcome.failure, _stage_costs(log)
    )


def run_peer(template: str, task: Task, folder: Path) -> Outcome:
    """Run another solver on the same task, and evaluate its solution file.

    It is killed with all that it has started when it takes far longer than the
    task's time.

    Parameters
    ----------
    template
        Its command line, see `peer_command`.
    task
        What to solve.
    folder
        Its working directory, where the solution file goes as well.
    """
    solution = folder / "peer.sol"
    command = peer_command(template, task, solution)
    return _run(command, task, solution, folder, GRACE * task.seconds + GRACE_SECONDS)


def peer_command(template: str, task: Task, solution: Path) -> list[str]:
    """Split a command line as a shell would, and fill in each argument by itself.

    No shell sees it: a path with blanks or quotes stays one argument.

    Parameters
    ----------
    template
        A command with ``{instance}``, ``{solution}``, ``{seconds}`` and ``{seed}``;
        the first two must be there. Other braces are left as they are.
    task
        What to solve.
    solution
        File that the program is to write.

    Raises
    ------
    ValueError
        If a quote is not closed or one of the two files is not asked for.
    """
    for name in ("instance", "solution"):
        if f"{{{name}}}" not in template:
            raise ValueError(f"the peer's command has no {{{name}}}: {template}")
    values = (str(task.instance.resolve()), str(solution), f"{task.seconds:g}", str(task.seed))
    return [_filled(argument, values) for argument in shlex.split(template)]


def _filled(argument: str, values: Sequence[str]) -> str:
    """Fill in the placeholders of one argument, from left to right and never twice."""
    filled, rest = "", argument
    while rest:
        found = [
            (rest.index(f"{{{name}}}"), name, value)
            for name, value in zip(PLACEHOLDERS, values, strict=True)
            if f"{{{name}}}" in rest
        ]
        if not found:
            break
        at, name, value = min(found)
        filled += rest[:at] + value
        rest = rest[at + len(name) + 2 :]
    return filled + rest


def _run(
    command: Sequence[str], task: Task, solution: Path, folder: Path, time_out: float | None
) -> Outcome:
    """Run a command, wait for it, and evaluate the solution file that it leaves."""
    solution.unlink(missing_ok=True)
    began = time.perf_counter()
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return Outcome(None, None, 0.0, f"cannot be started: {error.strerror or error}")
    try:
        _, complaint = process.communicate(timeout=time_out)
        failure = _failure(process.returncode, complaint)
    except subprocess.TimeoutExpired:
        failure = f"killed after {time_out:.0f} s"
    finally:
        _kill_group(process)
    seconds = time.perf_counter() - began
    return _evaluated(task, solution, seconds, failure)


def _kill_group(process: subprocess.Popen[str]) -> None:
    """End what is left of a process and of those that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _failure(status: int, complaint: str) -> str:
    if not status:
        return ""
    last = complaint.strip().splitlines()[-1:]
    return ": ".join([f"exit status {status}", *last])


def _evaluated(task: Task, solution: Path, seconds: float, failure: str) -> Outcome:
    """Count the cost of a solution file; a program that failed may still have left a good one."""
    if not solution.exists():
        return Outcome(None, None, seconds, failure or "wrote no solution file")
    try:
        timetable = Solution.read(solution, Instance.read(task.instance))
    except TimetableError as error:
        return Outcome(None, None, seconds, f"wrote no valid solution file: {error}")
    found = evaluate(timetable, task.formulation)
    if found.violations and not failure:
        failure = f"{found.violations} violations"
    return Outcome(found.cost, found.violations, seconds, failure)


def _stage_costs(log: Path) -> dict[str, int | None]:
    """Read the cost after each stage from a run's log, None while there were violations."""
    costs: dict[str, int | None] = {}
    if log.exists():
        with log.open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                feasible = row["violations"] in ("0", "0.0")
                costs[row["stage"]] = int(float(row["cost"])) if feasible else None
    return costs


def gap(cost: float, known: float | None) -> float | None:
    """Return by what part a cost is above the best known one.

    None without one, and where the best known cost is 0 and this one is not: no
    part of 0 is anything.
    """
    if known is None or math.isinf(cost) or (known == 0 and cost > 0):
        return None
    return 0.0 if cost == known else cost / known - 1


def median(values: Sequence[float | None]) -> float | None:
    """Return the median; a missing value counts as infinite, an infinite median is None."""
    middle = statistics.median(math.inf if value is None else value for value in values)
    return None if math.isinf(middle) else middle


class FirstFeasible(Callback):
    """Note when the first timetable without violations was found.

    Attributes
    ----------
    seconds
        From the beginning of the run; None while there is none.
    """

    def __init__(self) -> None:
        self.seconds: float | None = None

    def on_pipeline_begin(self, logs: Any) -> None:
        self.seconds = None
        self.began = time.perf_counter()

    def on_solution(self, solution: Any, logs: Any) -> None:
        if self.seconds is None and logs["violations"] == 0:
            self.seconds = time.perf_counter() - self.began


class Table:
    """Rows as Markdown for people, as CSV or as an object a line (JSON) for programs.

    Each row is printed as soon as it is known.

    Parameters
    ----------
    columns
        Their titles, which are the keys of the JSON objects.
    form
        One of `FORMATS`.
    out
        Where to print; standard output by default.
    """

    def __init__(
        self, columns: Sequence[str], form: str = "markdown", out: TextIO | None = None
    ) -> None:
        if form not in FORMATS:
            raise ValueError(f"form must be one of {', '.join(FORMATS)}, got {form!r}")
        self.columns = list(columns)
        self.form = form
        self.out = sys.stdout if out is None else out
        if form == "csv":
            self._write_csv(self.columns)
        elif form == "markdown":
            self._write_markdown(self.columns)
            self._write_markdown(["---"] * len(self.columns))

    def row(self, *values: Any) -> None:
        """Print a row; None is an empty cell (null in JSON)."""
        if len(values) != len(self.columns):
            raise ValueError(f"a row of {len(values)} values for {len(self.columns)} columns")
        if self.form == "json":
            print(json.dumps(dict(zip(self.columns, values, strict=True))), file=self.out)
        elif self.form == "csv":
            self._write_csv(values)
        else:
            self._write_markdown([_shown(value) for value in values])
        self.out.flush()

    def note(self, text: str) -> None:
        """Print a line below a Markdown table; in the other forms there is no place for it."""
        if self.form == "markdown":
            print(f"\n{text}", file=self.out, flush=True)

    def _write_csv(self, values: Sequence[Any]) -> None:
        csv.writer(self.out, lineterminator="\n").writerow(values)

    def _write_markdown(self, values: Sequence[str]) -> None:
        cells = (value.replace("|", "\\|").replace("\n", " ") for value in values)
        print(f"| {' | '.join(cells)} |", file=self.out, flush=True)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def add_format(parser: argparse.ArgumentParser) -> None:
    """Give a benchmark the option to print its table for programs."""
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="markdown",
        help="how to print the table; json is an object a line (markdown)",
    )


def seeds_of(text: str) -> list[int]:
    """Read seeds with commas between them, for argparse."""
    try:
        seeds = [int(seed) for seed in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected whole numbers with commas, got {text!r}"
        ) from None
    if min(seeds) < 0:
        raise argparse.ArgumentTypeError(f"a seed is 0 or more, got {text!r}")
    return seeds


def add_fits(parser: argparse.ArgumentParser, seconds: float) -> None:
    """Give a benchmark the files and the budget of its runs."""
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument(
        "--time",
        type=float,
        default=seconds,
        help=f"seconds a run ({seconds:g}); inf for budgets in units alone",
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seeds", type=seeds_of, default=[1, 2, 3], help="with commas (1,2,3)")
    add_format(parser)
