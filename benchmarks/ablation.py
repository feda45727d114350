"""What each stage is worth: the pipeline with one stage left out at a time.

    python benchmarks/ablation.py [--time 30] [--workers 2] [--seed 1] FILES…

Prints a Markdown table: when the first timetable without violations was found,
and the violations and the cost at the end. A first, uncounted run compiles the
kernels.
"""

import argparse
import time
from pathlib import Path

from schoolbell.callbacks import Callback
from schoolbell.runner import timetabling_pipeline

LEFT_OUT = ("clustering", "cp_sat", "ga", "rl", "finalize")
NOTHING = "(nothing)"


class FirstFeasible(Callback):
    """Note when the first timetable without violations was found."""

    def __init__(self) -> None:
        self.seconds: float | None = None

    def on_pipeline_begin(self, logs: dict) -> None:
        self.began = time.perf_counter()

    def on_solution(self, solution: object, logs: dict) -> None:
        if self.seconds is None and logs["violations"] == 0:
            self.seconds = time.perf_counter() - self.began


def main() -> None:
    parser = argparse.ArgumentParser(description="Leave out one stage at a time.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--time", type=float, default=30.0, help="seconds a run (30)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    timetabling_pipeline(cp_sat=None, rl=None).fit(args.files[0], time_limit=1.0, verbose=False)
    print("| instance | left out | first feasible (s) | violations | cost |")
    print("| --- | --- | --- | --- | --- |")
    for file in args.files:
        for name in (NOTHING, *LEFT_OUT):
            feasible = FirstFeasible()
            run = timetabling_pipeline(**({} if name == NOTHING else {name: None})).fit(
                file,
                callbacks=[feasible],
                seed=args.seed,
                time_limit=args.time,
                workers=args.workers,
                verbose=False,
            )
            first = "never" if feasible.seconds is None else f"{feasible.seconds:.1f}"
            row = (file.stem, name, first, run.violations, run.cost)
            print("|", " | ".join(str(value) for value in row), "|", flush=True)


if __name__ == "__main__":
    main()
