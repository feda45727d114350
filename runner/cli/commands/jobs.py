"""``schoolbell jobs``: list the runs that a Redis server or a service knows."""

import argparse
import time
from typing import TYPE_CHECKING

from ..arguments import add_server
from ..output import complain
from ..parser import Commands, Parser
from ..service_arguments import add_service, asks_service, client_of

if TYPE_CHECKING:
    from ...watching.watched_snapshot import WatchedSnapshot

_COLUMNS = ("job", "status", "progress", "at", "cost", "violations", "elapsed", "started")


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "jobs",
        help="list the runs that a Redis server or a service knows",
        description="List the runs that a Redis server or a service knows, the latest first.",
        allow_abbrev=False,
    )
    add_server(parser)
    add_service(parser, beside_redis=True)
    return parser


def run(args: argparse.Namespace) -> int:
    """Print a table of the runs that a server knows.

    Parameters
    ----------
    args
        The arguments of ``schoolbell jobs``.

    Raises
    ------
    RedisUnavailableError, ServiceError
        If the server or the service cannot be used.
    """
    if asks_service(args):
        from ..service_watching import job_row

        with client_of(args) as client:
            found = [job_row(job) for job in client.jobs()]
    else:
        from ...watching.job_control import list_jobs

        found = [_row(job) for job in list_jobs(args.redis, prefix=args.prefix)]
    if not found:
        complain(f"the {'server' if args.url is None else 'service'} knows no runs")
        return 0
    rows = [_COLUMNS, *found]
    place = _COLUMNS.index("violations")
    if all(row[place] == "-" for row in found):
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
