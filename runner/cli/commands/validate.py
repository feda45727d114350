"""``schoolbell validate``: check a timetable and count its cost."""

import argparse
from pathlib import Path

from ..arguments import add_formulation
from ..parser import Commands, Parser, fail


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "validate",
        help="check a timetable and count its cost",
        description="Print the violations or cost of each constraint, and the totals. Instances "
        "of ITC-2019 (.xml, .xml.gz) are told from those of a curriculum by what they hold.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "instance", type=Path, metavar="INSTANCE", help="a .ctt, .ectt or .xml file"
    )
    parser.add_argument(
        "solution",
        type=Path,
        metavar="SOLUTION",
        help="a line per lecture: course room day timeslot; of ITC-2019 a .xml file",
    )
    add_formulation(parser)
    parser.add_argument(
        "--details",
        action="store_true",
        help="list every violation in words, and why no timetable can be feasible, if so",
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the violations or cost of each constraint; 0 if the timetable is feasible."""
    # Here and not above: who asks for help waits for nothing.
    from ...problems.problem_kind import problem_kind

    if problem_kind(args.instance) == "university":
        return _validate_university(args)
    from ....stages.timetable import Instance, Solution, evaluate
    from ....stages.timetable.bounds.infeasibility import infeasibility

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


def _validate_university(args: argparse.Namespace) -> int:
    from ....stages.university import Instance, Solution, evaluate

    if args.formulation != "UD2":
        fail(args, "argument --formulation: not of a whole university")
    evaluation = evaluate(Solution.read(args.solution, Instance.read(args.instance)))
    if args.details:
        for line in evaluation.details():
            print(line)
        print()
    print(evaluation)
    return 0 if evaluation.feasible else 1
