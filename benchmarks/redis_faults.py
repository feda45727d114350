"""What a failing Redis server costs a run: nothing, it should be.

    python benchmarks/redis_faults.py [--seconds 5] [--repeats 3]
        [--format markdown]

A stage of short units, a little arithmetic each, runs for some seconds without a
logger and with a `RedisLogger` whose server is well, was killed, is stopped by
SIGSTOP, or is full; the cases take turns. Told are the median of the units a
second, the same beside the run without a logger, the longest unit of all runs,
what a run's end took at most, and by how much the process's memory grew.
"""

import argparse
import os
import resource
import signal
import statistics
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from measuring import Table, add_format
from redis.exceptions import OutOfMemoryError
from schoolbell.callbacks import RedisLogger
from schoolbell.callbacks.remote.embedded_redis import EmbeddedRedis
from schoolbell.callbacks.remote.redis_connection import connect
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

COLUMNS = ("server", "units a second", "beside none", "longest unit (s)", "end (s)", "memory (MB)")
CASES = ("none", "well", "killed", "stopped", "full")
ADDITIONS = 20_000


class Sums(Stage):
    """Adds numbers for so many seconds, and does something to the server at the beginning."""

    name, unit = "sums", "sum"

    def __init__(self, seconds: float, server: EmbeddedRedis | None, case: str) -> None:
        self.seconds, self.server, self.case = seconds, server, case
        self.units, self.longest, self.ended_at = 0, 0.0, 0.0

    def run(self, state: Any, budget: Any) -> Iterator[Batch]:
        if self.server is not None:
            _hurt(self.server, self.case)
        began = last = time.perf_counter()
        while last - began < self.seconds:
            sum(range(ADDITIONS))
            self.units += 1
            yield Batch(self.units, 1_000_000)
            now = time.perf_counter()
            self.longest, last = max(self.longest, now - last), now
        self.ended_at = time.perf_counter()


def main() -> None:
    args = _arguments()
    rates, units, ends, memory = (defaultdict(list) for _ in range(4))
    for _ in range(args.repeats):
        for case in CASES:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            stage, end = _run(case, args.seconds)
            memory[case].append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
            rates[case].append(stage.units / args.seconds)
            units[case].append(stage.longest)
            ends[case].append(end)
    table = Table(COLUMNS, args.format)
    plain = statistics.median(rates["none"])
    for case in CASES:
        rate = statistics.median(rates[case])
        grown = round(sum(memory[case]) / 1000, 1)
        ratio, longest, end = rate / plain, max(units[case]), max(ends[case])
        table.row(case, round(rate), round(ratio, 3), round(longest, 3), round(end, 2), grown)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run beside a Redis server that fails.")
    parser.add_argument("--seconds", type=float, default=5.0, help="a run (5)")
    parser.add_argument("--repeats", type=int, default=3)
    add_format(parser)
    return parser.parse_args()


def _run(case: str, seconds: float) -> tuple[Sums, float]:
    """Return the stage of one run, and the seconds from its last unit to the end of `fit`."""
    if case == "none":
        stage = Sums(seconds, None, case)
        Pipeline([stage]).fit(verbose=False)
        return stage, time.perf_counter() - stage.ended_at
    server = EmbeddedRedis.start()
    try:
        stage = Sums(seconds, server, case)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logger = RedisLogger(server.url, announce=False)
            Pipeline([stage]).fit(callbacks=logger, verbose=False)
        return stage, time.perf_counter() - stage.ended_at
    finally:
        server.stop()


def _hurt(server: EmbeddedRedis, case: str) -> None:
    if case == "killed":
        os.kill(server.pid, signal.SIGKILL)
    elif case == "stopped":
        os.kill(server.pid, signal.SIGSTOP)
    elif case == "full":
        _fill(server)


def _fill(server: EmbeddedRedis) -> None:
    with connect(server.url) as client:
        for size in (2**20, 2**10, 1):
            number = 0
            try:
                while True:
                    client.set(f"{size}:{number}", bytes(size))
                    number += 1
            except OutOfMemoryError:
                continue


if __name__ == "__main__":
    main()
