"""How soon there is a timetable without violations, for every instance given.

    python benchmarks/feasible.py [--time 60] [--within 10] [--workers 1] [--seeds 1]
        [--formulation UD2] [--format markdown] FILES…

Every instance is solved by the whole pipeline in this process, whose kernels a
first, uncounted run has compiled: a warm start. The time counts from `fit` with
the file's path, reading included, and a run ends at its first timetable without
violations, at the latest after its time limit. With several seeds the longest
time counts.
"""

import argparse
import math
from pathlib import Path
from typing import Any

from measuring import FirstFeasible, Table, add_fits
from schoolbell.runner import timetabling_pipeline

COLUMNS = ("instance", "lectures", "courses", "rooms", "periods", "curricula")
COLUMNS += ("feasible after (s)", "violations at the end")


class StopWhenFeasible(FirstFeasible):
    """End the run at the first timetable without violations."""

    def on_solution(self, solution: Any, logs: Any) -> None:
        super().on_solution(solution, logs)
        if self.seconds is not None:
            self.pipeline.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the time to a feasible timetable.")
    add_fits(parser, 60.0)
    parser.add_argument("--within", type=float, default=10.0, help="seconds of the target (10)")
    parser.add_argument("--formulation", default="UD2")
    parser.set_defaults(seeds=[1])
    args = parser.parse_args()
    _fit(args, args.files[0], 1, seconds=1.0)
    table = Table(COLUMNS, args.format)
    late = [file.name for file in args.files if not _measure(args, file, table) <= args.within]
    table.note(
        f"{len(args.files) - len(late)} of {len(args.files)} feasible within {args.within:g} s"
        + (f"; not {', '.join(late)}." if late else ".")
    )


def _measure(args: argparse.Namespace, file: Path, table: Table) -> float:
    """Print an instance's row; return the seconds until the last of its runs was feasible."""
    runs = [_fit(args, file, seed, args.time) for seed in args.seeds]
    instance = runs[0][0].state.instance
    longest = max(math.inf if watch.seconds is None else watch.seconds for _, watch in runs)
    table.row(
        file.name,
        instance.n_lectures,
        instance.n_courses,
        instance.n_rooms,
        instance.n_periods,
        instance.n_curricula,
        None if math.isinf(longest) else round(longest, 2),
        max(run.violations for run, _ in runs),
    )
    return longest


def _fit(
    args: argparse.Namespace, file: Path, seed: int, seconds: float
) -> tuple[Any, StopWhenFeasible]:
    watch = StopWhenFeasible()
    run = timetabling_pipeline(args.formulation).fit(
        file,
        callbacks=[watch],
        seed=seed,
        time_limit=seconds,
        workers=args.workers,
        verbose=False,
    )
    return run, watch


if __name__ == "__main__":
    main()
