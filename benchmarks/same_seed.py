"""Whether one seed and budgets in units give one answer, however they are computed.

    python benchmarks/same_seed.py [INSTANCE]

The six stages run in processes of their own: with one, two and three workers, in
threads and in processes, with and without callbacks, and with an empty cache of
compiled kernels. Told is a digest of the solution's arrays and of every row of the
history without ``elapsed``, the seconds.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from schoolbell.callbacks import BackupAndRestore, Callback, CSVLogger, TensorBoard
from schoolbell.runner import timetabling_pipeline
from schoolbell.stages.timetable import Instance, generate

UNITS = {
    "cp_sat": {"effort": 0.05},
    "ga": {"generations": 6, "founder_moves": 2000, "child_moves": 1000},
    "rl": {"episodes": 400, "patience": 400},
}
WAYS = {
    "1 worker": ["--workers", "1"],
    "2 workers": ["--workers", "2"],
    "3 workers": ["--workers", "3"],
    "2 processes": ["--workers", "2", "--processes"],
    "callbacks": ["--workers", "2", "--callbacks"],
    "cold cache": ["--workers", "2"],
}


def digest(args: argparse.Namespace) -> str:
    """Run the stages in this process."""
    instance = Instance.read(args.instance) if args.instance else generate(60, seed=1)
    pool = ProcessPoolExecutor(args.workers, get_context("spawn")) if args.processes else None
    with tempfile.TemporaryDirectory() as folder:
        callbacks: list[Callback] = []
        if args.callbacks:
            callbacks = [
                CSVLogger(Path(folder) / "log.csv"),
                TensorBoard(Path(folder) / "board"),
                BackupAndRestore(Path(folder) / "backup", save_freq=1),
            ]
        run = timetabling_pipeline(**UNITS).fit(
            instance,
            callbacks=callbacks,
            seed=1,
            workers=args.workers,
            executor=pool,
            verbose=False,
        )
    if pool is not None:
        pool.shutdown()
    found = [getattr(run.solution, name).tolist() for name in ("courses", "periods", "rooms")]
    rows = [{name: row[name] for name in row if name != "elapsed"} for row in run.history]
    return hashlib.sha256(json.dumps([found, rows]).encode()).hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("instance", nargs="?", type=Path, help="a generated one by default")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--processes", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--callbacks", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.workers:
        print(digest(args))
        return 0
    found = set()
    print("| computed with | digest |\n| --- | --- |")
    for way, options in WAYS.items():
        command = [sys.executable, __file__, *options, *([args.instance] if args.instance else [])]
        with tempfile.TemporaryDirectory() as cache:
            cold = {"NUMBA_CACHE_DIR": cache} if way == "cold cache" else {}
            done = subprocess.run(
                command, env=os.environ | cold, stdout=subprocess.PIPE, text=True, check=True
            )
        print(f"| {way} | {done.stdout.strip()} |", flush=True)
        found.add(done.stdout)
    print("one answer" if len(found) == 1 else f"{len(found)} different answers")
    return 0 if len(found) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
