"""``schoolbell fetch``: get the files of a job from a service."""

import argparse
from pathlib import Path

from ..parser import Commands, Parser
from ..service_arguments import add_service, client_of


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "fetch",
        help="get the files of a job from a service",
        description="Get the files of a job from a service: solution, page, table, log, run.json.",
        allow_abbrev=False,
    )
    parser.add_argument("job", metavar="JOB_ID", help="the job's id")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for them")
    add_service(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Get the files.

    Parameters
    ----------
    args
        The arguments of ``schoolbell fetch``.

    Returns
    -------
    int
        0; 1 where there is no timetable yet.

    Raises
    ------
    ServiceError
        If the service does not know the job, or cannot be reached.
    """
    with client_of(args) as client:
        written = client.fetch(args.job, args.out)
    for path in written:
        print(path)
    return 0 if any(path.name == "solution.sol" for path in written) else 1
