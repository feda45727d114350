"""How good the timetables are: cost by instance and stage beside the best known.

    python benchmarks/quality.py [--time 60] [--workers 1] [--seeds 1,2,3]
        [--formulation UD2] [--peer "COMMAND {instance} {solution} {seconds} {seed}"] FILES…

Every run is a process of its own, ``schoolbell fit``, and every timetable is
evaluated anew from its file. A first, uncounted run compiles the kernels. A peer
program is run beside it with the same time, and its solution file is evaluated
in the same way.
"""

import argparse
import csv
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from schoolbell.stages.timetable import Instance, Solution, evaluate

# UD2, from the literature.
BEST_KNOWN = {
    "comp01": 5,
    "comp02": 24,
    "comp03": 64,
    "comp04": 35,
    "comp05": 284,
    "comp06": 27,
    "comp07": 6,
    "comp08": 37,
    "comp09": 96,
    "comp10": 4,
    "comp11": 0,
    "comp12": 294,
    "comp13": 59,
    "comp14": 51,
}
STAGES = ("cp_sat", "ga", "rl")
PROGRAM = Path(sys.executable).with_name("schoolbell")


def main() -> None:
    args = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        _fit(args, args.files[0], 1, Path(folder), seconds=2)
        columns = ["instance", "best known", *STAGES, "median", "gap", "all seeds", "seconds"]
        if args.peer:
            columns += ["peer", "ratio"]
        _print_row(columns)
        _print_row(["---"] * len(columns))
        totals = [_measure(args, file, Path(folder)) for file in args.files]
    ours, known = sum(t[0] for t in totals), sum(t[1] for t in totals)
    ratio = f", best known {known}, ratio {ours / known:.3f}" if known else ""
    print(f"\nSum of medians {ours:g}{ratio}")
    if args.peer:
        peer = sum(t[2] for t in totals)
        print(f"Sum of the peer's medians {peer:g}, ratio {ours / peer:.3f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the cost of timetables.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--time", type=float, default=60.0, help="seconds a run (60)")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seeds", default="1,2,3", help="seeds, with commas (1,2,3)")
    parser.add_argument("--formulation", default="UD2")
    parser.add_argument("--peer", help="a command with {instance} {solution} {seconds} {seed}")
    parser.add_argument("--set", action="append", default=[], help="STAGE.PARAMETER=VALUE")
    args = parser.parse_args()
    args.seeds = [int(seed) for seed in args.seeds.split(",")]
    return args


def _measure(args: argparse.Namespace, file: Path, folder: Path) -> tuple[float, float, float]:
    runs = [_fit(args, file, seed, folder, args.time) for seed in args.seeds]
    costs = [run["cost"] for run in runs]
    median = statistics.median(costs)
    known = BEST_KNOWN.get(file.stem) if args.formulation == "UD2" else None
    stages = [_median([run[stage] for run in runs]) for stage in STAGES]
    seconds = max(run["seconds"] for run in runs)
    gap = "" if not known else f"{100 * (median / known - 1):.0f} %"
    row = [file.stem, known, *stages, median, gap, " ".join(map(str, costs)), f"{seconds:.1f}"]
    peer = 0.0
    if args.peer:
        peer = statistics.median(_run_peer(args, file, seed, folder) for seed in args.seeds)
        row += [peer, f"{median / peer:.2f}" if peer else ""]
    _print_row(row)
    return median, known or 0, peer


def _fit(args: argparse.Namespace, file: Path, seed: int, folder: Path, seconds: float) -> dict:
    """Run the command line; return cost, seconds and the cost after each stage."""
    solution, log = folder / "ours.sol", folder / "log.csv"
    command = [str(PROGRAM), "fit", str(file.resolve()), "--quiet"]
    command += ["--time-limit", str(seconds), "--workers", str(args.workers)]
    command += ["--seed", str(seed), "--formulation", args.formulation]
    command += ["--out", str(solution), "--csv", str(log), "--html", str(folder / "page.html")]
    for setting in args.set:
        command += ["--set", setting]
    began = time.perf_counter()
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - began
    result = {"seconds": took, "cost": _cost(file, solution, args.formulation)}
    with log.open() as rows:
        for row in csv.DictReader(rows):
            feasible = row["violations"] in ("0", "0.0")
            result[row["stage"]] = int(float(row["cost"])) if feasible else None
    return {stage: result.get(stage) for stage in STAGES} | result


def _run_peer(args: argparse.Namespace, file: Path, seed: int, folder: Path) -> float:
    solution = folder / "peer.sol"
    solution.unlink(missing_ok=True)
    command = args.peer.format(
        instance=shlex.quote(str(file.resolve())),
        solution=shlex.quote(str(solution)),
        seconds=args.time,
        seed=seed,
    )
    subprocess.run(shlex.split(command), check=False, stdout=subprocess.DEVNULL)
    return _cost(file, solution, args.formulation)


def _cost(file: Path, solution: Path, formulation: str) -> float:
    if not solution.exists():
        return float("inf")
    evaluation = evaluate(Solution.read(solution, Instance.read(file)), formulation)
    return float("inf") if evaluation.violations else evaluation.cost


def _median(values: list) -> object:
    return "" if None in values else statistics.median(values)


def _print_row(row: list) -> None:
    print("|", " | ".join("" if value is None else str(value) for value in row), "|", flush=True)


if __name__ == "__main__":
    main()
