"""``schoolbell fit``: make a timetable."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..arguments import add_formulation, of_fit, redis_url
from ..parser import EXIT_STATUS, Commands, Parser

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


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
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
        help="a .ctt or .ectt file, or a whole university as .xml or .xml.gz; without one, a "
        "generated demo is solved in about 20 s",
    )
    add_formulation(parser)
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
        type=of_fit("checked_time_limit", float),
        metavar="SECONDS",
        help="time for the whole command; without it, the stages' own amounts of work",
    )
    seed, workers = of_fit("checked_seed", int), of_fit("checked_workers", int)
    add("--seed", type=seed, metavar="N", help="seed of the run (default: 0)")
    add("--workers", type=workers, metavar="N", help="tasks that run at once (default: the cores)")
    add(
        "--job-id",
        type=of_fit("checked_job_id", str),
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
        type=redis_url,
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
    return parser


def run(args: argparse.Namespace) -> int:
    """Make a timetable."""
    from ..fit_command import fit_command

    return fit_command(args)


class _PrintParameters(argparse.Action):
    """Prints what ``--set`` can set, and ends the program."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from ...timetabling import timetabling_pipeline
        from ..parameter_list import parameter_list

        print(parameter_list(timetabling_pipeline().stages))
        parser.exit(0)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    stage, dot, parameter = name.partition(".")
    if not (equals and dot and stage and parameter):
        raise argparse.ArgumentTypeError(f"must read STAGE.PARAMETER=VALUE, got {text!r}")
    return f"{stage}__{parameter}", value
