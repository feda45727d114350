"""``schoolbell train-agent``: from instances to an agent's file."""

import argparse
import sys
from pathlib import Path

from ..arguments import add_formulation, count, seconds, seed
from ..output import complain, while_read
from ..parser import Commands, Parser


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
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
    add_formulation(parser)
    add("--episodes", type=count, metavar="N", help="episodes in all (default: 200,000)")
    add("--time-limit", type=seconds, metavar="SECONDS", help="end after this time at the latest")
    add("--seed", type=seed, default=0, metavar="N", help="seed of the training (default: 0)")
    add("--start", type=Path, metavar="FILE", help="an agent to go on with")
    add("--quiet", action="store_true", help="show no progress")
    return parser


def run(args: argparse.Namespace) -> int:
    """Train an agent as the command line asks, and write it.

    However the run ends, what the agent has learned is written.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    TimetableError, OSError
        If the arguments or the files they name are wrong.
    """
    from ....stages.files.check_writable import check_writable
    from ....stages.timetable.steps.train_agent import TrainAgent
    from ...engine.interrupts import put_off
    from ...pipeline import Pipeline
    from ...results.run import format_seconds
    from ..fit_command import progress_display, status_of

    check_writable(args.out)
    stage = TrainAgent(formulation=args.formulation, agent=args.start)
    if args.episodes is not None:
        stage.set_params(episodes=args.episodes)
    with put_off():
        run = Pipeline([stage]).fit(
            args.instances or None,
            seed=args.seed,
            time_limit=args.time_limit,
            callbacks=progress_display(args),
            verbose=False,
            started=args.started,
        )
        done = run.stages[0].done if run.stages else 0
        if not done:
            complain("stopped before the first episode, nothing written")
            return status_of(run) or 1
        run.state.agent.save(args.out)
        instances = len(args.instances) or stage.instances
        with while_read(sys.stdout):
            print(
                f"{args.out}: {done:,} episodes on {instances} instances in "
                f"{format_seconds(run.seconds)}, {run.outcome}"
            )
    return status_of(run)
