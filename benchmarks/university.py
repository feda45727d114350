"""What whole universities cost after a time, beside the best known.

Runs ``university_pipeline`` on the instances of ITC-2019 in a folder, with several seeds, and
prints for each the median cost, its parts, its ratio to the best known cost and when the first
timetable without violations was there. Evaluated by `schoolbell.stages.university.evaluate`.

    python benchmarks/university.py --time 120 --workers 1 --seeds 1,2,3
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from schoolbell.callbacks import Callback
from schoolbell.runner import university_pipeline
from schoolbell.stages.university import evaluate

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "itc2019"
# From itc2019.org, November 2026.
BEST_KNOWN = {
    "bet-fal17": 289_452,
    "lums-spr18": 95,
    "mary-spr17": 14_910,
    "muni-fi-spr16": 3_752,
    "muni-fi-spr17": 3_738,
    "muni-fsps-spr17": 868,
    "pu-d5-spr17": 15_184,
    "tg-fal17": 4_215,
    "yach-fal17": 1_074,
}


class FirstFeasible(Callback):
    """Remembers when the first timetable without violations was there."""

    seconds: float | None = None

    def on_pipeline_begin(self, logs: Any = None) -> None:
        """Start the clock."""
        self.began = time.monotonic()

    def on_solution(self, solution: Any, logs: Any = None) -> None:
        """Look whether it is one."""
        if self.seconds is None and logs and not logs["violations"]:
            self.seconds = time.monotonic() - self.began


def main() -> None:
    """Run all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instances", nargs="*", help="names; all of the folder by default")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--time", type=float, default=120.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--set", action="append", default=[], metavar="STAGE__PARAMETER=VALUE")
    arguments = parser.parse_args()
    names = arguments.instances or sorted(
        path.name.removesuffix(".xml.gz") for path in arguments.folder.glob("*.xml.gz")
    )
    if not names:
        sys.exit(f"no instances in {arguments.folder}")
    changes = dict(text.split("=", 1) for text in arguments.set)
    options = {name: _value(value) for name, value in changes.items()}
    print(f"{arguments.time:g} s, {arguments.workers} workers, seeds {arguments.seeds}")
    print(
        "| instance | cost | time / room / distribution / student | best known | ratio | feasible |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    ratios = []
    for name in names:
        rows = []
        for seed in map(int, arguments.seeds.split(",")):
            first = FirstFeasible()
            run = university_pipeline(**options).fit(
                arguments.folder / f"{name}.xml.gz",
                callbacks=[first],
                verbose=0,
                seed=seed,
                workers=arguments.workers,
                time_limit=arguments.time,
            )
            found = evaluate(run.solution)
            rows.append((found.violations, found.cost, found, first.seconds))
        rows.sort(key=lambda row: row[:2])
        violations, cost, found, _ = rows[(len(rows) - 1) // 2]
        seconds = [row[3] for row in rows if row[3] is not None]
        parts = " / ".join(str(value) for value in found.units.values())
        known = BEST_KNOWN.get(name)
        ratio = cost / known if known else float("nan")
        ratios.append(ratio)
        shown = f"{cost:,}" if violations == 0 else f"{violations} violations"
        when = f"{statistics.median(seconds):.1f} s" if len(seconds) == len(rows) else "not always"
        costs = ", ".join(f"{row[1]:,}" for row in rows)
        print(
            f"| {name} | {shown} ({costs}) | {parts} | {known or ''} | {ratio:.3f} | {when} |",
            flush=True,
        )
    print(f"mean ratio {statistics.mean(ratios):.3f}")


def _value(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    if text.startswith("("):
        return tuple(float(part) for part in text.strip("(),").split(","))
    return None if text == "None" else text


if __name__ == "__main__":
    main()
