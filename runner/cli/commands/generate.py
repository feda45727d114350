"""``schoolbell generate``: generate an instance."""

import argparse
from pathlib import Path

from ..arguments import count, seed
from ..parser import Commands, Parser, fail


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "generate",
        help="generate an instance that has a timetable",
        description="Generate a realistic instance that has a timetable without violations.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--kind",
        choices=("timetable", "university"),
        default="timetable",
        help="a curriculum's timetable (the default), or a whole university as ITC-2019 has it",
    )
    add("--courses", type=count, metavar="N", help="number of courses of a timetable")
    add("--classes", type=count, metavar="N", help="number of classes of a university")
    add("--students", type=seed, metavar="N", help="students of a university (default: 3 a class)")
    add("--seed", type=seed, default=0, metavar="N", help="seed of the generator (default: 0)")
    add("--out", type=Path, metavar="FILE", help="a .ctt, .ectt or .xml file; stdout without it")
    return parser


def run(args: argparse.Namespace) -> int:
    """Write an instance to a file or stdout."""
    from ....stages.files.check_writable import check_writable

    university = args.kind == "university"
    size = "classes" if university else "courses"
    foreign = ("courses",) if university else ("classes", "students")
    for name in foreign:
        if getattr(args, name) is not None:
            fail(args, f"argument --{name}: not of --kind {args.kind}")
    if getattr(args, size) is None:
        fail(args, f"the following arguments are required: --{size}")
    if args.out is not None:
        check_writable(args.out)
    if university:
        return _generate_university(args)
    from ....stages.timetable import generate

    instance = generate(args.courses, seed=args.seed)
    if args.out is None:
        print(instance.dumps(), end="")
    elif args.out.suffix == ".ctt":
        # The older format has no place for buildings, double lectures and the like.
        instance.without_extensions().write(args.out)
    else:
        instance.write(args.out)
    return 0


def _generate_university(args: argparse.Namespace) -> int:
    from ....stages.university import generate

    instance = generate(args.classes, args.students, args.seed)
    if args.out is None:
        print(instance.dumps(), end="")
    else:
        instance.write(args.out)
    return 0
