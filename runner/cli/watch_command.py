"""``schoolbell watch`` and ``schoolbell jobs``: look at runs from another terminal."""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from ...callbacks import Display, RedisUnavailableError, Snapshot
from ...callbacks.formatting import format_number, format_seconds
from ...callbacks.progress.progbar_logger import begin_display
from ...callbacks.progress.terminal import release
from ...callbacks.vocabulary import FINISHED, STOPPED, best_text
from ..engine.interrupts import exit_status
from ..watching.job_control import list_jobs, send_command
from ..watching.unknown_job_error import UnknownJobError
from ..watching.watch import follow
from ..watching.watched_snapshot import WatchedSnapshot
from .output import complain
from .watch_keys import COMMANDS, HINT, QUIT, WatchKeys

_GOOD_ENDS = (FINISHED, STOPPED)
_FAILED = 1
_COLUMNS = ("job", "status", "progress", "at", "cost", "violations", "elapsed", "started")


def watch_command(args: argparse.Namespace) -> int:
    """Show a run until it ends, or ask something of it.

    Parameters
    ----------
    args
        The arguments of ``schoolbell watch``.

    Returns
    -------
    int
        0 when it finished or was stopped, or the watcher has quit; 1 when it
        failed, was interrupted or is lost, or did not take up what was asked;
        130 after Ctrl-C, which ends the watching alone.

    Raises
    ------
    UnknownJobError, RedisUnavailableError
        If the run or the server cannot be found.
    """
    if args.request is not None:
        return _ask(args)
    view = _View()
    last = None

    def press(key: str) -> None:
        if key == QUIT:
            raise _Quit
        if key in COMMANDS:
            view.tell(_asked(args, COMMANDS[key]))

    try:
        with WatchKeys(press) as keys:
            view.hint = HINT if keys.work else ""
            about = (args.job, args.redis, None, args.prefix, args.patience)
            for last in follow(*about, keys.wait):
                view.show(last)
    except (_Quit, KeyboardInterrupt) as end:
        view.close()
        complain(f"{args.job} goes on, only the watching has ended; --stop ends the run")
        return 0 if isinstance(end, _Quit) else exit_status(None)
    finally:
        view.close()
    if last is None:
        return _FAILED
    best = best_text(last.cost, last.violations)
    print(f"{last.job_id}: {last.outcome} after {format_seconds(last.elapsed)}, {best}")
    return 0 if last.status in _GOOD_ENDS else _FAILED


class _Quit(Exception):
    """Somebody does not want to watch any more."""


def _asked(args: argparse.Namespace, command: str) -> str:
    """Ask something of the run; return what to say of that."""
    words = command.replace("_", " ")
    try:
        # Whether it is taken up is seen.
        send_command(args.job, command, args.redis, prefix=args.prefix, wait=0.0)
    except (RedisUnavailableError, UnknownJobError) as error:
        return f"{words} could not be asked for: {error}"
    return f"asked to {words}"


def jobs_command(args: argparse.Namespace) -> int:
    """Print a table of the runs that a server knows.

    Parameters
    ----------
    args
        The arguments of ``schoolbell jobs``.

    Raises
    ------
    RedisUnavailableError
        If the server cannot be used.
    """
    jobs = list_jobs(args.redis, prefix=args.prefix)
    if not jobs:
        complain("the server knows no runs")
        return 0
    rows = [_COLUMNS, *map(_row, jobs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())
    return 0


def _ask(args: argparse.Namespace) -> int:
    taken = send_command(args.job, args.request, args.redis, prefix=args.prefix)
    if not taken:
        complain(f"{args.job} has not answered yet")
        return _FAILED
    print(f"{args.job}: {args.request.replace('_', ' ')} taken up")
    return 0


def _row(job: WatchedSnapshot) -> tuple[str, ...]:
    # One line a run, whatever an error's message holds.
    outcome = " ".join((job.outcome or job.status).split())
    return (
        job.job_id,
        outcome if len(outcome) <= 40 else f"{outcome[:39]}…",
        f"{int(job.progress * 1000) / 10:.1f} %",
        job.message,
        format_number(job.cost),
        format_number(job.violations),
        format_seconds(job.elapsed),
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(job.started_at)),
    )


class _View:
    """Shows on a display what a watcher learns, also of stages that ended before it came.

    Attributes
    ----------
    hint
        Which keys there are, told below while the run goes on.
    """

    def __init__(self) -> None:
        self.hint = ""
        self._display: Display | None = None
        self._begun: set[str] = set()
        self._ended: set[str] = set()
        self._newest: WatchedSnapshot | None = None
        self._closed = False

    def show(self, snapshot: WatchedSnapshot) -> None:
        display = self._display
        if display is None:
            title = snapshot.pipeline or snapshot.job_id
            display = begin_display("auto", sys.stderr, title, snapshot.stages, hint=self.hint)
            self._display = display
        self._newest = snapshot
        for stage in _ended_stages(snapshot):
            if stage["name"] not in self._ended:
                self._begin(stage["name"])
                self._ended.add(stage["name"])
                seconds = stage.get("seconds") or 0.0
                by = stage.get("stopped_by")
                display.end_stage(_at_end(snapshot, stage), seconds, stage["ended_by"], by)
        if snapshot.stage is not None and snapshot.stage not in self._ended:
            self._begin(snapshot.stage)
        display.update(snapshot)
        if snapshot.outcome:
            self.close()

    def tell(self, text: str) -> None:
        """Tell what has become of a key that was pressed, below the keys that there are."""
        if self._display is not None and self._newest is not None and not self._closed:
            self._display.hint = f"{text} ({self.hint})"
            self._display.update(self._newest)

    def close(self) -> None:
        if self._display is not None and self._newest is not None and not self._closed:
            self._closed = True
            self._display.end(self._newest, self._newest.outcome or "watched no longer")
            release(self._display)

    def _begin(self, stage: str) -> None:
        if stage not in self._begun and self._display is not None:
            self._begun.add(stage)
            self._display.begin_stage(stage)


def _ended_stages(snapshot: WatchedSnapshot) -> Iterator[Mapping[str, Any]]:
    """Yield the stages that had ended at a snapshot, which may be an old one."""
    for stage in snapshot.stages:
        present = stage["name"] == snapshot.stage
        if present and snapshot.event not in ("stage_end", "pipeline_end") and not snapshot.outcome:
            return
        if stage.get("ended_by"):
            yield stage
        if present:
            return


def _at_end(snapshot: WatchedSnapshot, stage: Mapping[str, Any]) -> Snapshot:
    """Return a snapshot of a stage's end, made of what is known of it."""
    values = {one.name: getattr(snapshot, one.name) for one in fields(Snapshot)}
    done, total = stage.get("done") or 0, stage.get("total")
    text = f"{done}" if total is None else f"{done}/{total}"
    values |= {
        "stage": stage["name"],
        "unit": stage.get("unit"),
        "done": done,
        "total": total,
        "message": f"{stage.get('label')}: {text}",
        "stage_progress": done / total if total else 1.0,
        "progress": min(snapshot.progress, stage.get("end") or 1.0),
        "cost": stage.get("cost"),
        "violations": stage.get("violations"),
    }
    return Snapshot(**values)
