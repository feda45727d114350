"""``schoolbell submit``: start a job at a service."""

import argparse
from pathlib import Path
from typing import Any

from ..arguments import add_formulation, of_fit
from ..parser import Commands, Parser
from ..service_arguments import add_service, client_of


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "submit",
        help="start a job at a service",
        description="Start a job at a service, and print its id.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("instance", type=Path, metavar="INSTANCE", help="a .ctt, .ectt, .xml or .xml.gz file")
    add_formulation(parser)
    limit = of_fit("checked_time_limit", float)
    add("--time-limit", type=limit, metavar="SECONDS", help="time for the job's run")
    add("--seed", type=of_fit("checked_seed", int), default=0, metavar="N", help="seed of the run")
    add("--name", default="", metavar="NAME", help="what to call the job")
    add("--key", metavar="KEY", help="the same request with the same key starts one job only")
    add(
        "--set",
        action="append",
        default=[],
        dest="settings",
        type=_setting,
        metavar="STAGE.PARAMETER=VALUE",
        help="set a parameter of a stage, as in ga.population=8; may be repeated",
    )
    add("--wait", action="store_true", help="show the job until it has ended")
    add_service(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Start a job.

    Parameters
    ----------
    args
        The arguments of ``schoolbell submit``.

    Returns
    -------
    int
        0, or with ``--wait`` as for ``schoolbell watch``.

    Raises
    ------
    ServiceError
        If the service refuses it, or cannot be reached.
    """
    from ..service_watching import watch_service

    with client_of(args) as client:
        job = client.submit(
            args.instance,
            formulation=args.formulation,
            seed=args.seed,
            time_limit=args.time_limit,
            parameters=dict(args.settings),
            name=args.name,
            key=args.key,
        )
        if not args.wait:
            print(job.id)
            return 0
        return watch_service(client, job.id)


def _setting(text: str) -> tuple[str, Any]:
    import ast

    name, equals, value = text.partition("=")
    stage, dot, parameter = name.partition(".")
    if not (equals and dot and stage and parameter):
        raise argparse.ArgumentTypeError(f"must read STAGE.PARAMETER=VALUE, got {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
