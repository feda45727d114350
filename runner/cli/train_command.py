"""``schoolbell train-agent``: from instances to an agent's file."""

import argparse
import sys

from ...stages.files.check_writable import check_writable
from ...stages.timetable.steps.train_agent import TrainAgent
from ..engine.interrupts import put_off
from ..pipeline import Pipeline
from ..results.run import format_seconds
from .fit_command import progress_display, status_of
from .output import complain, while_read


def train_command(args: argparse.Namespace) -> int:
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
        count = len(args.instances) or stage.instances
        with while_read(sys.stdout):
            print(
                f"{args.out}: {done:,} episodes on {count} instances in "
                f"{format_seconds(run.seconds)}, {run.outcome}"
            )
    return status_of(run)
