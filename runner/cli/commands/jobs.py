"""``schoolbell jobs``: list the runs that a Redis server knows."""

import argparse
import time
from typing import TYPE_CHECKING

from ..arguments import add_server
from ..output import complain
from ..parser import Commands, Parser

if TYPE_CHECKING:
    from ...watching.watched_snapshot import WatchedSnapshot

_COLUMNS = ("job", "status", "progress", "at", "cost", "violations", "elapsed", "started")


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "jobs",
        help="list the runs that a Redis server knows",
        description="List the runs that a Redis server knows, the latest first.",
        allow_abbrev=False,
    )
    add_server(parser)
    return parser


def run(args: argparse.Namespace) -> int:
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
    from ...watching.job_control import list_jobs

    jobs = list_jobs(args.redis, prefix=args.prefix)
    if not jobs:
        complain("the server knows no runs")
        return 0
    rows = [_COLUMNS, *map(_row, jobs)]
    if all(job.violations is None for job in jobs):
        place = _COLUMNS.index("violations")
        rows = [(*row[:place], *row[place + 1 :]) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())
    return 0


def _row(job: "WatchedSnapshot") -> tuple[str, ...]:
    from ....callbacks.formatting import format_number, format_seconds

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
