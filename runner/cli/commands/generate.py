"""``schoolbell generate``: generate an instance."""

import argparse
from pathlib import Path

from ..arguments import count, seed
from ..parser import Commands, Parser


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "generate",
        help="generate an instance that has a timetable",
        description="Generate a realistic instance that has a timetable without violations.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--courses", type=count, required=True, metavar="N", help="number of courses")
    add("--seed", type=seed, default=0, metavar="N", help="seed of the generator (default: 0)")
    add("--out", type=Path, metavar="FILE", help="a .ctt or .ectt file; stdout without it")
    return parser


def run(args: argparse.Namespace) -> int:
    """Write an instance to a file or stdout."""
    from ....stages.files.check_writable import check_writable
    from ....stages.timetable import generate

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
