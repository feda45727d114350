"""``schoolbell serve``: a web service of jobs, on this machine."""

import argparse
from pathlib import Path

from ....stages.needing import needing
from ..arguments import count, redis_url
from ..parser import Commands, Parser, fail
from ..service_arguments import add_limits, settings_of


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "serve",
        help="start a web service: jobs from a browser or a program",
        description="Start a web service with its workers, and a Redis server where none is "
        "given; Ctrl-C ends all of them, and what runs goes on at the next start.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", metavar="HOST", help="where to listen (default: 127.0.0.1)")
    add("--port", type=_port, default=8000, metavar="N", help="the port (default: 8000)")
    add(
        "--redis",
        type=redis_url,
        metavar="URL",
        help="the Redis server (default: the environment's REDIS_URL, else one that is started)",
    )
    add(
        "--workers",
        type=_count_or_none,
        default=1,
        metavar="N",
        help="jobs that run at once here; 0 where others work (default: 1)",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--token",
        metavar="TOKEN",
        help="what clients must show; the environment's SCHOOLBELL_TOKEN by default",
    )
    which.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="several tokens, a line NAME TOKEN each; nobody else may be able to read it",
    )
    add("--open", action="store_true", help="open the page in a browser")
    add("--root-path", default="", metavar="PATH", help="what a proxy takes off the path")
    add(
        "--proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="a proxy whose forwarded headers are believed; may be repeated",
    )
    add_limits(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Serve until a signal comes.

    Parameters
    ----------
    args
        The arguments of ``schoolbell serve``.

    Returns
    -------
    int
        That of the signal.
    """
    import os

    try:
        with needing("schoolbell serve", "service"):
            from ...service.serving.serve import Address, serve
            from ...service.web.tokens import Tokens
    except ModuleNotFoundError as error:
        fail(args, str(error))
    from ....callbacks.remote.redis_connection import resolved_url
    from ...engine.interrupts import exit_status

    url = resolved_url(args.redis)
    try:
        settings = settings_of(args, url or "unix:///")
        token = args.token or os.environ.get("SCHOOLBELL_TOKEN")
        if args.token_file is not None:
            tokens = Tokens.read(args.token_file)
        else:
            tokens = Tokens({"owner": token} if token else None)
        address = Address(args.host, args.port, args.root_path.rstrip("/"), tuple(args.proxy))
        number = serve(
            settings,
            address,
            tokens,
            own_redis=url is None,
            workers=int(args.workers),
            announce=lambda line: print(line, flush=True),
            open_page=args.open,
        )
    except ValueError as error:
        fail(args, str(error))
    return 0 if number is None else exit_status(number)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 65535, got {text!r}")
    return int(text)


def _count_or_none(text: str) -> int:
    return 0 if text == "0" else int(count(text))
