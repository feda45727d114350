"""``schoolbell watch``: look at a run from another terminal, or ask something of it."""

import argparse

from ..arguments import add_server, seconds
from ..output import complain
from ..parser import Commands, Parser
from ..service_arguments import add_service, asks_service, client_of

_FAILED = 1


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "watch",
        help="show a run that goes on elsewhere, or ask something of it",
        description="Show a run that goes on elsewhere until it ends, or ask something of it.",
        allow_abbrev=False,
    )
    parser.add_argument("job", metavar="JOB_ID", help="the run's id, as fit tells it")
    add_server(parser)
    add_service(parser, beside_redis=True)
    parser.add_argument(
        "--patience",
        type=seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long the server may be away (default: 60)",
    )
    asks = parser.add_mutually_exclusive_group()
    for option, command, text in (
        ("--stop", "stop", "end the run; the best timetable so far is written"),
        ("--skip-stage", "skip_stage", "end the present stage and go on with the next"),
        ("--pause", "pause", "halt the run and its clock"),
        ("--resume", "resume", "go on after --pause"),
    ):
        asks.add_argument(option, action="store_const", dest="request", const=command, help=text)
    return parser


def run(args: argparse.Namespace) -> int:
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
    UnknownJobError, RedisUnavailableError, ServiceError
        If the run, the server or the service cannot be found.
    """
    if asks_service(args):
        from ..service_watching import ask_service, watch_service

        with client_of(args) as client:
            if args.request is not None:
                return ask_service(client, args.job, args.request)
            return watch_service(client, args.job, args.patience)
    from ....callbacks.formatting import format_seconds
    from ....callbacks.vocabulary import FINISHED, STOPPED, best_text
    from ...engine.interrupts import exit_status
    from ...watching.watch import follow
    from ..watch_keys import COMMANDS, HINT, QUIT, WatchKeys
    from ..watch_view import WatchView

    if args.request is not None:
        return _ask(args)
    view = WatchView()
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
    return 0 if last.status in (FINISHED, STOPPED) else _FAILED


class _Quit(Exception):
    """Somebody does not want to watch any more."""


def _asked(args: argparse.Namespace, command: str) -> str:
    """Ask something of the run; return what to say of that."""
    from ....callbacks import RedisUnavailableError
    from ...watching.job_control import send_command
    from ...watching.unknown_job_error import UnknownJobError

    words = command.replace("_", " ")
    try:
        # Whether it is taken up is seen.
        send_command(args.job, command, args.redis, prefix=args.prefix, wait=0.0)
    except (RedisUnavailableError, UnknownJobError) as error:
        return f"{words} could not be asked for: {error}"
    return f"asked to {words}"


def _ask(args: argparse.Namespace) -> int:
    from ...watching.job_control import send_command

    taken = send_command(args.job, args.request, args.redis, prefix=args.prefix)
    if not taken:
        complain(f"{args.job} has not answered yet")
        return _FAILED
    print(f"{args.job}: {args.request.replace('_', ' ')} taken up")
    return 0
