"""The command line: ``schoolbell fit``, ``validate``, ``generate``, ``watch`` and ``jobs``."""

import argparse
import gc
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from ..engine.interrupts import Interrupts, exit_status
from .output import (
    complain,
    discard,
    hold_standard_numbers,
    settle,
    usable_streams,
)

# Numba and OR-Tools take seconds to import, so only a command that needs them does it.

FAILED = 1
BAD_INPUT = 2
BROKEN_PIPE = 141

PATIENCE = 0.2
"""Seconds that the program waits at its end for threads that are still busy."""

EXIT_STATUS = """\
exit status:
  0    done; for fit and validate: the timetable is feasible
  1    failed, no timetable found, one that is not feasible, or the output could not be
       printed
  2    bad input, told in one line on stderr
  130, 143, 129
       interrupted by Ctrl-C, SIGTERM, SIGHUP; fit has written the best timetable so far
  141  nobody read the output to its end, of a command other than fit
"""


FIT_EPILOG = f"""\
Ctrl-C, SIGTERM and SIGHUP end the run and write the best timetable so far.

formulations: lectures, conflicts, unavailable periods and rooms taken twice count as
violations in all of them; what counts as cost, each with its weight:
  UD1  seats 1, working days 5, isolated lectures 1
  UD2  seats 1, working days 5, isolated lectures 2, changes of room 1 (ITC-2007)
  UD3  seats 1, free periods between lectures 4, lectures a day 2, unsuitable rooms 3
  UD4  seats 1, working days 1, free periods between lectures 1, lectures a day 1,
       double lectures 1; unsuitable rooms are violations
  UD5  seats 1, working days 5, isolated lectures 1, free periods between lectures 2,
       lectures a day 2, ways between buildings 2

parameters for --set: schoolbell fit --parameters lists them with their meaning; those
of a run are in its run.json.

{EXIT_STATUS}"""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        self.exit(BAD_INPUT, f"{self.prog}: {line} (see {self.prog} --help)\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Parse arguments, and complain about unknown options where those that exist are known."""
        known, rest = super().parse_known_args(args, namespace)
        options = [one.partition("=")[0] for one in rest if one.startswith("--")]
        for option in options:
            if advice := _did_you_mean(option, self._option_string_actions):
                self.error(f"unrecognized arguments: {' '.join(rest)}{advice}")
        return known, rest

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += _did_you_mean(value, map(str, action.choices or ()))
            raise


class _PrintParameters(argparse.Action):
    """Prints what ``--set`` can set, and ends the program."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from ..timetabling import timetabling_pipeline
        from .parameter_list import parameter_list

        print(parameter_list(timetabling_pipeline().stages))
        parser.exit(0)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    from ...callbacks.names import did_you_mean

    return did_you_mean(name, known)


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
        status = args.command(args)
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
    from ...stages.timetable import TimetableError
    from ..backups.backup_error import BackupError
    from ..watching.unknown_job_error import UnknownJobError

    # An error of the system's that no file is named for is one of printing.
    if isinstance(error, OSError) and error.errno is not None and error.filename is None:
        return False
    return isinstance(error, TimetableError | OSError | UnknownJobError | BackupError)


def _one_line(error: Exception) -> str:
    from ...stages.timetable import FormatError

    if isinstance(error, OSError) and error.strerror and not isinstance(error, FormatError):
        where = "cannot write" if error.filename is None else os.fsdecode(error.filename)
        return f"{where}: {error.strerror}"
    text = " ".join(str(error).split())
    return text if _is_bad_input(error) else f"{type(error).__name__}: {text} (--debug shows more)"


def _fit(args: argparse.Namespace) -> int:
    from .fit_command import fit_command

    return fit_command(args)


def _validate(args: argparse.Namespace) -> int:
    from ...stages.timetable import Instance, Solution, evaluate
    from ...stages.timetable.bounds.infeasibility import infeasibility

    instance = Instance.read(args.instance)
    evaluation = evaluate(Solution.read(args.solution, instance), args.formulation)
    if args.details:
        for line in evaluation.details():
            print(line)
        # Not without being asked: what it takes to find them takes long to import.
        for reason in (
            () if evaluation.feasible else infeasibility(instance, evaluation.formulation)
        ):
            print(f"no timetable can be feasible: {reason}")
        print()
    print(evaluation)
    return 0 if evaluation.feasible else 1


def _generate(args: argparse.Namespace) -> int:
    from ...stages.files.check_writable import check_writable
    from ...stages.timetable import generate

    if args.out is not None:
        check_writable(args.out)
    instance = generate(args.courses, seed=args.seed)
    if args.out is None:
        print(instance.dumps(), end="")
    elif args.out.suffix == ".ctt":
        # The older format has no place for buildings, double lectures and the like.
        instance.without_extensions().write(args.out)
    else:
        instance.write(args.out)
    return 0


def _train_agent(args: argparse.Namespace) -> int:
    from .train_command import train_command

    return train_command(args)


def _replay(args: argparse.Namespace) -> int:
    from .replay_command import replay_command

    return replay_command(args)


def _watch(args: argparse.Namespace) -> int:
    from .watch_command import watch_command

    return watch_command(args)


def _jobs(args: argparse.Namespace) -> int:
    from .watch_command import jobs_command

    return jobs_command(args)


def _number(
    convert: Callable[[str], float], accept: Callable[[float], bool], wanted: str
) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not accept(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, got {text!r}")
        return value

    return parse


def _of_fit(check: str, convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return what reads an argument of `Pipeline.fit`, with the check that it has there."""

    def parse(text: str) -> Any:
        from .. import fit_arguments

        try:
            value = convert(text)
        except ValueError:
            value = text
        try:
            getattr(fit_arguments, check)(value, "")
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).strip()) from None
        return value

    return parse


_seconds = _number(float, lambda x: 0 < x < math.inf, "a positive number of seconds")
_count = _number(int, lambda x: x > 0, "a whole number of 1 or more")
_seed = _number(int, lambda x: x >= 0, "a whole number of 0 or more")


def _redis_url(text: str) -> str:
    # Above all the instance, which must not be taken for what --redis may be given.
    if "://" not in text:
        raise argparse.ArgumentTypeError(
            f"must be a URL such as redis://localhost:6379, got {text!r}; "
            "--redis alone, to start a server, goes behind the instance"
        )
    return text


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    stage, dot, parameter = name.partition(".")
    if not (equals and dot and stage and parameter):
        raise argparse.ArgumentTypeError(f"must read STAGE.PARAMETER=VALUE, got {text!r}")
    return f"{stage}__{parameter}", value


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
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
    for add in (
        _add_fit,
        _add_validate,
        _add_generate,
        _add_train_agent,
        _add_replay,
        _add_watch,
        _add_jobs,
    ):
        command = add(commands)
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
        command.set_defaults(fail=command.error)
    return parser


def _add_fit(commands: "argparse._SubParsersAction[_Parser]") -> _Parser:
    parser = commands.add_parser(
        "fit",
        help="make a timetable",
        description="Make a timetable: load, clustering, cp_sat, ga, rl, finalize.",
        epilog=FIT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "instance",
        nargs="?",
        type=Path,
        metavar="INSTANCE",
        help="a .ctt or .ectt file; without one, a generated demo is solved in about 20 s",
    )
    _add_formulation(parser)
    parser.set_defaults(formulation=None)
    add(
        "--config",
        type=Path,
        metavar="FILE",
        help="repeat the run that left this run.json: same instance, formulation, seed, budgets "
        "and parameters; other options go before what it says",
    )
    add(
        "--time-limit",
        type=_of_fit("checked_time_limit", float),
        metavar="SECONDS",
        help="time for the whole command; without it, the stages' own amounts of work",
    )
    seed, workers = _of_fit("checked_seed", int), _of_fit("checked_workers", int)
    add("--seed", type=seed, metavar="N", help="seed of the run (default: 0)")
    add("--workers", type=workers, metavar="N", help="tasks that run at once (default: the cores)")
    add(
        "--job-id",
        type=_of_fit("checked_job_id", str),
        metavar="ID",
        help="what to call the run: the name of its folder in runs/, and its id for watch "
        "(default: made from the instance's name and the time)",
    )
    add("--out", type=Path, metavar="FILE", help="where the solution goes")
    add("--csv", type=Path, metavar="FILE", help="where the log of the run goes, a row per batch")
    add(
        "--timings",
        type=Path,
        metavar="FILE",
        help="what stages took before, for a better prediction of the time left; read if it is "
        "there, and written at the end",
    )
    add("--html", type=Path, metavar="FILE", help="where the timetable goes as a web page")
    add(
        "--set",
        action="append",
        default=[],
        dest="settings",
        type=_setting,
        metavar="STAGE.PARAMETER=VALUE",
        help="set a parameter of a stage, as in ga.population=8; may be repeated",
    )
    add(
        "--parameters",
        action=_PrintParameters,
        help="list the parameters for --set with their defaults, and end",
    )
    add(
        "--tensorboard",
        type=Path,
        metavar="DIR",
        help="write what TensorBoard reads; give each run a folder of its own",
    )
    add(
        "--redis",
        nargs="?",
        const=True,
        type=_redis_url,
        metavar="URL",
        help="let the run be watched and steered through this Redis server; without a URL that "
        "of REDIS_URL, else one that is started for the run",
    )
    add(
        "--backup",
        type=Path,
        metavar="DIR",
        help="save the run in this folder now and then; the same command line again goes on "
        "from there",
    )
    add(
        "--keep-redis",
        action="store_true",
        help="let a Redis server that --redis starts stay when the run is over",
    )
    add(
        "--quiet",
        action="store_true",
        help="show no progress; the result, and where its files are, is printed all the same",
    )
    parser.set_defaults(command=_fit)
    return parser


def _add_validate(commands: "argparse._SubParsersAction[_Parser]") -> _Parser:
    parser = commands.add_parser(
        "validate",
        help="check a timetable and count its cost",
        description="Print the violations or cost of each constraint, and the totals.",
        allow_abbrev=False,
    )
    parser.add_argument("instance", type=Path, metavar="INSTANCE", help="a .ctt or .ectt file")
    parser.add_argument(
        "solution",
        type=Path,
        metavar="SOLUTION",
        help="a line per lecture: course room day timeslot",
    )
    _add_formulation(parser)
    parser.add_argument(
        "--details",
        action="store_true",
        help="list every violation in words, and why no timetable can be feasible, if so",
    )
    parser.set_defaults(command=_validate)
    return parser


def _add_generate(commands: "argparse._SubParsersAction[_Parser]") -> _Parser:
    parser = commands.add_parser(
        "generate",
        help="generate an instance that has a timetable",
        description="Generate a realistic instance that has a timetable without violations.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--courses", type=_count, required=True, metavar="N", help="number of courses")
    add("--seed", type=_seed, default=0, metavar="N", help="seed of the generator (default: 0)")
    add("--out", type=Path, metavar="FILE", help="a .ctt or .ectt file; stdout without it")
    parser.set_defaults(command=_generate)
    return parser


def _add_train_agent(commands: "argparse._SubParsersAction[_Parser]") -> _Parser:
    parser = commands.add_parser(
        "train-agent",
        help="train the agent that chooses repair operators",
        description="Train the agent that chooses repair operators, on many instances.",
        epilog="Use it with: schoolbell fit INSTANCE --set rl.agent=FILE",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "instances",
        nargs="*",
        type=Path,
        metavar="INSTANCE",
        help=".ctt or .ectt files; without any, crowded instances are generated from the seed",
    )
    add("--out", type=Path, required=True, metavar="FILE", help="the agent's file, .npz")
    _add_formulation(parser)
    add("--episodes", type=_count, metavar="N", help="episodes in all (default: 200,000)")
    add("--time-limit", type=_seconds, metavar="SECONDS", help="end after this time at the latest")
    add("--seed", type=_seed, default=0, metavar="N", help="seed of the training (default: 0)")
    add("--start", type=Path, metavar="FILE", help="an agent to go on with")
    add("--quiet", action="store_true", help="show no progress")
    parser.set_defaults(command=_train_agent)
    return parser


def _add_replay(commands: "argparse._SubParsersAction[_Parser]") -> _Parser:
    parser = commands.add_parser(
        "replay",
        help="show a recorded run again, or make a TensorBoard folder of it",
        description="Fire a recorded run's events again, at once or at a pace.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="the log.csv of a run, or redis:JOB_ID for one that Redis knows",
    )
    add(
        "--speed",
        type=_seconds,
        metavar="X",
        help="recorded seconds in one: 1 for the run's own pace (default: all at once)",
    )
    add("--tensorboard", type=Path, metavar="DIR", help="write what TensorBoard reads")
    add("--csv", type=Path, metavar="FILE", help="write a log, a row per batch")
    add("--plot", type=Path, metavar="FILE", help="draw the cost over time, as .png, .svg or .pdf")
    add("--quiet", action="store_true", help="show no progress")
    _add_server(parser)
    parser.set_defaults(command=_replay)
    return parser


def _add_watch(commands: "argparse._SubParsersAction[_Parser]") -> _Parser:
    parser = commands.add_parser(
        "watch",
        help="show a run that goes on elsewhere, or ask something of it",
        description="Show a run that goes on elsewhere until it ends, or ask something of it.",
        allow_abbrev=False,
    )
    parser.add_argument("job", metavar="JOB_ID", help="the run's id, as fit tells it")
    _add_server(parser)
    parser.add_argument(
        "--patience",
        type=_seconds,
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
    parser.set_defaults(command=_watch)
    return parser


def _add_jobs(commands: "argparse._SubParsersAction[_Parser]") -> _Parser:
    parser = commands.add_parser(
        "jobs",
        help="list the runs that a Redis server knows",
        description="List the runs that a Redis server knows, the latest first.",
        allow_abbrev=False,
    )
    _add_server(parser)
    parser.set_defaults(command=_jobs)
    return parser


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--redis",
        type=_redis_url,
        metavar="URL",
        help="the Redis server (default: the environment's REDIS_URL)",
    )
    parser.add_argument(
        "--prefix",
        default="schoolbell",
        metavar="NAME",
        help="what the keys begin with (default: schoolbell)",
    )


def _add_formulation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--formulation",
        default="UD2",
        metavar="NAME",
        help="the constraints that count: UD1, UD2, UD3, UD4 or UD5 (default: UD2); what they "
        "mean is at the end of schoolbell fit --help",
    )


if __name__ == "__main__":
    program()
