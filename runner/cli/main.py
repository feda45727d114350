"""The command line: finds the command, runs it, and says how it ended."""

import argparse
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from ..engine.interrupts import Interrupts, exit_status
from .commands import (
    fetch,
    fit,
    generate,
    jobs,
    replay,
    serve,
    submit,
    train_agent,
    validate,
    watch,
    worker,
)
from .output import (
    complain,
    discard,
    hold_standard_numbers,
    settle,
    usable_streams,
)
from .parser import BAD_INPUT, EXIT_STATUS, Parser

FAILED = 1
BROKEN_PIPE = 141

COMMANDS = (
    fit,
    validate,
    generate,
    train_agent,
    replay,
    watch,
    jobs,
    serve,
    worker,
    submit,
    fetch,
)
"""The commands' modules, in the order of the help."""

PATIENCE = 0.2
"""Seconds that the program waits at its end for threads that are still busy."""


def program() -> NoReturn:
    """Be the program ``schoolbell``: run the command line and end the process."""
    hold_standard_numbers()
    # The interpreter's start counts too: it takes little time but the processor's.
    try:
        status = main(started=time.monotonic() - time.process_time())
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            # All is done: whoever presses Ctrl-C now is in a hurry, and wants no traceback.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt:
        status = exit_status(signal.SIGINT)
    for stream in (sys.stdout, sys.stderr):
        # The interpreter would fail where a terminal was closed, or a disk is full.
        settle(stream)
    own = threading.current_thread()
    others = [one for one in threading.enumerate() if one is not own and not one.daemon]
    others += _busy_threads()
    for thread in others:
        thread.join(PATIENCE / len(others))
    if any(thread.is_alive() for thread in others):
        # A compilation cannot be stopped, and the interpreter would wait for its thread.
        os._exit(status)
    # The interpreter would look for garbage among all that was imported, for half a second.
    gc.freeze()
    sys.exit(status)


def _busy_threads() -> list[threading.Thread]:
    # Where the module was not imported there are none, and to import it takes long.
    pools = sys.modules.get("schoolbell.stages.tasks.daemon_pool")
    return [] if pools is None else pools.busy_threads()


def main(argv: Sequence[str] | None = None, started: float | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv
        The arguments after the program's name; None for the process's own.
    started
        Value of ``time.monotonic()`` from which a time limit counts; None for
        now.

    Returns
    -------
    int
        The exit status, see ``schoolbell --help``.
    """
    started = time.monotonic() if started is None else started
    with usable_streams(), Interrupts() as interrupts:
        try:
            args = _parse(argv)
            args.started = started
            if args.debug:
                os.environ["SCHOOLBELL_TRACEBACKS"] = "full"
            status = _command_status(args)
        except KeyboardInterrupt:
            status = _complain(_interrupted(interrupts.number), exit_status(interrupts.number))
    # It may have come when there was nothing more to interrupt.
    return status if interrupts.number is None else exit_status(interrupts.number)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    try:
        return _parser().parse_args(argv)
    except SystemExit as end:
        # --help and --version are output too.
        if end.code == 0 and (error := settle(sys.stdout)) is not None:
            raise SystemExit(_complain(_one_line(error), FAILED)) from None
        raise


def _command_status(args: argparse.Namespace) -> int:
    try:
        status = args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone; what is left in the buffer goes nowhere.
        discard(sys.stdout)
        return BROKEN_PIPE
    except Exception as error:
        # What is left of the output would fail again.
        settle(sys.stdout)
        if args.debug:
            raise
        return _complain(_one_line(error), BAD_INPUT if _is_bad_input(error) else FAILED)
    return status


def _complain(message: str, status: int) -> int:
    complain(message)
    return status


def _interrupted(number: int | None) -> str:
    if number is None or number == signal.SIGINT:
        return "interrupted"
    return f"interrupted by {signal.Signals(number).name}"


def _is_bad_input(error: Exception) -> bool:
    from ...stages.errors import InputError
    from ..backups.backup_error import BackupError
    from ..service.client.service_error import ServiceError
    from ..watching.unknown_job_error import UnknownJobError

    # An error of the system's that no file is named for is one of printing.
    if isinstance(error, OSError) and error.errno is not None and error.filename is None:
        return False
    known = InputError | OSError | UnknownJobError | BackupError | ServiceError
    return isinstance(error, known)


def _one_line(error: Exception) -> str:
    from ...stages.errors import FormatError

    if isinstance(error, OSError) and error.strerror and not isinstance(error, FormatError):
        where = "cannot write" if error.filename is None else os.fsdecode(error.filename)
        return f"{where}: {error.strerror}"
    text = " ".join(str(error).split())
    return text if _is_bad_input(error) else f"{type(error).__name__}: {text} (--debug shows more)"


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="schoolbell",
        description="Make, check and generate university timetables.",
        epilog=EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"schoolbell {version('schoolbell')}"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in COMMANDS:
        command = module.add_parser(commands)
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
        command.set_defaults(parser=command, run=module.run)
    return parser


if __name__ == "__main__":
    program()
