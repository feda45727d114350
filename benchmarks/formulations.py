"""What it is worth to optimise a formulation itself, and not UD2 in its place.

    python benchmarks/formulations.py [--time 60] [--workers 1] [--seeds 1,2,3]
        [--formulations UD1,UD3,UD4,UD5] [--format markdown] FILES…

For each formulation and instance: the cost that ``schoolbell fit`` reaches in its
time under that formulation, beside what its UD2 timetable of the same time and
seed costs there; medians over the seeds. Where the latter is over 20 the former
should be at most half of it. Under UD4 the UD2 timetable may also break the hard
RoomSuitability, and is no timetable there: its violations are listed, not counted
in its cost, and there is no ratio. UD1 has hardly another constraint than UD2, so
that a good timetable of the one is nearly a good one of the other. Take
``.ectt`` files: ``.ctt`` files have no buildings, daily bounds, unsuitable rooms
or double lectures. Three instances: ``comp03.ectt DDS2.ectt Udine2.ectt``, say.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from measuring import Table, Task, add_fits, fit, median
from schoolbell.stages.timetable import Instance, Solution, evaluate

COLUMNS = ("formulation", "instance", "cost", "cost of the UD2 timetable", "its violations")
COLUMNS += ("ratio", "at most half")

# The target counts where the UD2 timetable costs more than this.
COUNTS_ABOVE = 20


def main() -> None:
    args = _arguments()
    table = Table(COLUMNS, args.format)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for formulation in ("UD2", *args.formulations):
            fit(Task(args.files[0], formulation, 1.0, 1), folder)
        others = {
            file: [_ud2_timetable(args, file, seed, folder) for seed in args.seeds]
            for file in args.files
        }
        for formulation in args.formulations:
            for file in args.files:
                tasks = [Task(file, formulation, args.time, seed) for seed in args.seeds]
                runs = [fit(task, folder, args.workers) for task in tasks]
                ours = median([run.value for run in runs])
                found = [evaluate(timetable, formulation) for timetable in others[file]]
                other = statistics.median(evaluation.cost for evaluation in found)
                violations = statistics.median(evaluation.violations for evaluation in found)
                row = (formulation, file.stem, ours, other, violations)
                table.row(*row, *judge(ours, other, violations))


def judge(ours: float | None, other: float, violations: float) -> tuple[float | None, str]:
    """Return the ratio and whether it meets the target: yes, no, or why it does not count."""
    if ours is None:
        return None, "no feasible timetable"
    if violations:
        return None, "(the other is infeasible)"
    ratio = round(ours / other, 3) if other else None
    if other <= COUNTS_ABOVE:
        return ratio, f"(not over {COUNTS_ABOVE})"
    return ratio, "yes" if 2 * ours <= other else "no"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare formulations with UD2 in their place.")
    add_fits(parser, 60.0)
    parser.add_argument(
        "--formulations",
        type=lambda text: text.split(","),
        default=["UD1", "UD3", "UD4", "UD5"],
        help="with commas (UD1,UD3,UD4,UD5)",
    )
    return parser.parse_args()


def _ud2_timetable(args: argparse.Namespace, file: Path, seed: int, folder: Path) -> Solution:
    name = f"ud2-{file.stem}-{seed}"
    fit(Task(file, "UD2", args.time, seed), folder, args.workers, name=name)
    return Solution.read(folder / f"{name}.sol", Instance.read(file))


if __name__ == "__main__":
    main()
