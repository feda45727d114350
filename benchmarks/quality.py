"""How good the timetables are: cost by instance and stage beside the best known.

    python benchmarks/quality.py [--time 60] [--workers 1] [--seeds 1,2,3]
        [--formulation UD2] [--set STAGE.PARAMETER=VALUE]… [--format markdown]
        [--peer "COMMAND {instance} {solution} {seconds} {seed}"] FILES…

Every run is a process of its own, ``schoolbell fit``, and every timetable is
evaluated anew from its file. A first, uncounted run compiles the kernels. Medians
are over the seeds; the stages' columns are the cost when the stage ended, empty
where most seeds had violations left or the stage finished no unit.

A peer program is run on the same instances and seeds with the same time. It is
started without a shell, its solution file is evaluated as ours is, and it is
killed when it overruns its time by far; what went wrong stands below the table
(on stderr for CSV and JSON). A run without a feasible timetable counts as
infinitely dear.
"""

import argparse
import math
import sys
import tempfile
from pathlib import Path

from measuring import (
    BEST_KNOWN,
    Outcome,
    Table,
    Task,
    add_fits,
    fit,
    gap,
    median,
    peer_command,
    run_peer,
)

STAGES = ("cp_sat", "ga", "rl")
OURS = ("instance", "best known", *STAGES, "median", "gap %", "all seeds", "longest process (s)")
PEERS = ("peer", "peer, all seeds", "ratio")


def main() -> None:
    args = _arguments()
    table = Table(OURS + (PEERS if args.peer else ()), args.format)
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fit(Task(args.files[0], args.formulation, 2.0, 1), folder)
        rows = [_measure(args, file, folder, table, failures) for file in args.files]
    _sum_up(args, rows, table)
    for failure in failures:
        print(failure, file=sys.stdout if args.format == "markdown" else sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the cost of timetables.")
    add_fits(parser, 60.0)
    parser.add_argument("--formulation", default="UD2")
    parser.add_argument("--peer", help="a command with {instance} {solution} {seconds} {seed}")
    parser.add_argument("--set", action="append", default=[], help="STAGE.PARAMETER=VALUE")
    args = parser.parse_args()
    if args.peer:
        try:
            peer_command(args.peer, Task(args.files[0], "UD2", args.time, 1), Path("peer.sol"))
        except ValueError as error:
            parser.error(f"argument --peer: {error}")
    return args


def _measure(
    args: argparse.Namespace, file: Path, folder: Path, table: Table, failures: list[str]
) -> tuple[float | None, float | None, float | None]:
    """Print an instance's row; return our median, the best known cost and the peer's median."""
    tasks = [Task(file, args.formulation, args.time, seed) for seed in args.seeds]
    runs = [fit(task, folder, args.workers, args.set) for task in tasks]
    failures += _complaints("schoolbell", tasks, runs)
    ours = median([run.value for run in runs])
    known = BEST_KNOWN.get(file.stem) if args.formulation == "UD2" else None
    part = None if ours is None else gap(ours, known)
    row = [file.stem, known]
    row += [median([run.stages.get(stage) for run in runs]) for stage in STAGES]
    row += [ours, None if part is None else round(100 * part, 1)]
    row += [_listed(runs), round(max(run.seconds for run in runs), 1)]
    peers = None
    if args.peer:
        others = [run_peer(args.peer, task, folder) for task in tasks]
        failures += _complaints("peer", tasks, others)
        peers = median([run.value for run in others])
        row += [peers, _listed(others), _ratio(ours, peers)]
    table.row(*row)
    return ours, known, peers


def _sum_up(args: argparse.Namespace, rows: list[tuple], table: Table) -> None:
    """Add the sums up over the instances where there is something to compare with."""
    for column, what in ((1, "the best known"), (2, "the peer's")):
        pairs = [(row[0], row[column]) for row in rows if row[column] is not None]
        if not pairs:
            continue
        ours = math.fsum(math.inf if cost is None else cost for cost, _ in pairs)
        other = math.fsum(cost for _, cost in pairs)
        ratio = f", ratio {ours / other:.3f}" if other else ""
        table.note(
            f"Over {len(pairs)} instances our medians sum to {ours:g}, {what} to {other:g}{ratio}."
        )
    if args.peer and any(row[2] is None for row in rows):
        table.note("Instances that the peer did not solve are left out of its sum.")


def _complaints(program: str, tasks: list[Task], runs: list[Outcome]) -> list[str]:
    return [
        f"{program} on {task.instance.stem}, seed {task.seed}: {run.failure}"
        for task, run in zip(tasks, runs, strict=True)
        if run.failure
    ]


def _listed(runs: list[Outcome]) -> str:
    return " ".join("-" if math.isinf(run.value) else str(run.cost) for run in runs)


def _ratio(ours: float | None, other: float | None) -> float | None:
    return round(ours / other, 3) if ours is not None and other else None


if __name__ == "__main__":
    main()
