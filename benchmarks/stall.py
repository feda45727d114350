"""Whether a watcher ever sees a running job stand still.

    python benchmarks/stall.py [--courses 20000] [--time 60] [--workers 2]
        [--warm] [--format markdown] [FILES…]

The whole pipeline runs in a process of its own, on each file and on a generated
instance of so many courses (0 for none), with an empty cache of compiled
kernels unless `--warm`. This process reads its hash in Redis every 50 ms and
tells, for the time from the first snapshot to the last: the longest time without a change
of `progress` and in which message, the longest gap between two updates, how often
progress went back, and how many updates there were. A poll that came late itself, since this
process did not get the processor, is told too: the other figures are no better than that.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measuring import Table, add_format
from schoolbell.callbacks import RedisLogger
from schoolbell.callbacks.remote.embedded_redis import EmbeddedRedis
from schoolbell.callbacks.remote.job_keys import JobKeys
from schoolbell.callbacks.remote.redis_connection import connect
from schoolbell.runner import timetabling_pipeline
from schoolbell.stages.timetable import generate
from watching import POLL_SECONDS, Watched

COLUMNS = ("instance", "standing still (s)", "at", "gap between updates (s)", "in", "went back")
COLUMNS += ("updates", "seconds", "late poll (s)", "outcome")

# The option by which the benchmark starts itself for one run: path, server, id.
ONE = "--run-one"

# A process that has not begun by then never will.
BEGIN_SECONDS = 60.0


def main() -> None:
    args = _arguments()
    if args.run_one:
        _run(args, *args.run_one)
        return
    table = Table(COLUMNS, args.format)
    server = EmbeddedRedis.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for path in _instances(args, Path(folder)):
                seen, late, outcome = _watched_run(path, server.url, args.warm)
                table.row(
                    path.stem,
                    round(seen.still, 2),
                    seen.message,
                    round(seen.gap, 2),
                    seen.gap_message,
                    seen.back,
                    seen.updates,
                    round(seen.seconds, 1),
                    round(late, 2),
                    outcome,
                )
    finally:
        server.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Look for times when a run seems to stand still.")
    parser.add_argument("files", nargs="*", type=Path, help=".ctt or .ectt files")
    parser.add_argument("--courses", type=int, default=20_000, help="of the generated one (20000)")
    parser.add_argument("--time", type=float, default=60.0, help="seconds a run (60)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warm", action="store_true", help="use the kernels compiled before")
    parser.add_argument(ONE, nargs=3, help=argparse.SUPPRESS)
    add_format(parser)
    return parser.parse_args()


def _instances(args: argparse.Namespace, folder: Path) -> Iterator[Path]:
    yield from args.files
    if args.courses:
        path = folder / f"generated_{args.courses}.ectt"
        generate(args.courses, args.seed).write(path)
        yield path


def _run(args: argparse.Namespace, path: str, url: str, job_id: str) -> None:
    timetabling_pipeline().fit(
        path,
        callbacks=RedisLogger(url, job_id, announce=False),
        seed=args.seed,
        time_limit=args.time,
        workers=args.workers,
        verbose=False,
    )


def _watched_run(path: Path, url: str, warm: bool) -> tuple[Watched, float, str]:
    """Run one instance in a process; return what was seen, the latest poll, and the outcome."""
    command = [sys.executable, __file__, *sys.argv[1:], ONE, str(path), url, path.stem]
    with tempfile.TemporaryDirectory() as cache:
        environment = dict(os.environ) if warm else {**os.environ, "NUMBA_CACHE_DIR": cache}
        process = subprocess.Popen(command, env=environment)
        try:
            return _watch(process, url, JobKeys(path.stem))
        finally:
            process.kill()
            process.wait()


def _watch(process: subprocess.Popen[bytes], url: str, keys: JobKeys) -> tuple[Watched, float, str]:
    seen, late = Watched(), 0.0
    fields = ("progress", "seq", "message", "outcome")
    with connect(url) as client:
        client.delete(keys.snapshot)
        began = last_poll = time.monotonic()
        while True:
            answer: Any = client.hmget(keys.snapshot, fields)
            now = time.monotonic()
            progress, seq, message, outcome = answer
            if progress is not None:
                seen.look(now, float(progress), seq, message)
                late = max(late, now - last_poll - POLL_SECONDS)
            elif now - began > BEGIN_SECONDS:
                return seen, late, "never began"
            if outcome or process.poll() is not None:
                return seen, late, outcome or "the process ended"
            last_poll = now
            time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
