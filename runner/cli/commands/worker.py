"""``schoolbell worker``: work on the jobs of a service, on this machine."""

import argparse

from ....stages.needing import needing
from ..arguments import redis_url
from ..parser import Commands, Parser, fail
from ..service_arguments import add_limits, settings_of


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "worker",
        help="work on the jobs of a service, on this machine",
        description="Work on the jobs of a service, one at a time; many workers on many machines "
        "share its Redis server and its folder. SIGTERM and Ctrl-C have the present job saved, "
        "and another worker goes on with it.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--redis",
        type=redis_url,
        metavar="URL",
        help="the Redis server (default: the environment's REDIS_URL)",
    )
    add_limits(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Work until a signal comes.

    Parameters
    ----------
    args
        The arguments of ``schoolbell worker``.

    Returns
    -------
    int
        0: a worker that is asked to end has done so.

    Raises
    ------
    RedisUnavailableError
        If the server cannot be used.
    """
    try:
        with needing("schoolbell worker", "service"):
            from ...service.serving.work import work
    except ModuleNotFoundError as error:
        fail(args, str(error))
    from ....callbacks.remote.redis_connection import check_server
    from ...watching.watch import known_url

    url = known_url(args.redis)
    check_server(url)
    try:
        settings = settings_of(args, url)
    except ValueError as error:
        fail(args, str(error))
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    work(settings)
    return 0
