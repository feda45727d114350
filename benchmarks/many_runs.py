"""Many runs at once against one Redis server.

    python benchmarks/many_runs.py [--runs 200] [--processes 4] [--seconds 20]
        [--format markdown]

Each run is a stage of short units in a thread, so many threads to a process. This process
reads all hashes every 50 ms and tells the worst of all runs: the longest
time without a change of `progress`, the longest gap between two updates, how
often progress went back; then it asks every run to stop and takes the time until
its outcome is there. The same runs without a logger come first, for the units
that a run finishes a second.
"""

import argparse
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

from measuring import Table, add_format
from schoolbell.callbacks import RedisLogger
from schoolbell.callbacks.remote.embedded_redis import EmbeddedRedis
from schoolbell.callbacks.remote.job_keys import JobKeys
from schoolbell.callbacks.remote.redis_connection import connect
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage
from watching import POLL_SECONDS, Watched

COLUMNS = ("runs", "standing still (s)", "gap between updates (s)", "went back", "stopped in (s)")
COLUMNS += ("units a second", "without logger", "warnings", "server's memory (MB)", "late poll (s)")

# The option by which the benchmark starts its processes: number of the first run, and server.
SOME = "--run-some"

UNIT_SECONDS = 0.02
BEGIN_SECONDS = 60.0
STOP_SECONDS = 30.0


class Light(Stage):
    """Units of a fiftieth of a second until the run is stopped or its time is over."""

    name, unit = "light", "unit"

    def __init__(self) -> None:
        self.units = 0

    def run(self, state: Any, budget: Any) -> Iterator[Batch]:
        while not budget.should_end:
            time.sleep(UNIT_SECONDS)
            self.units += 1
            state.offer(self.units, -self.units, 0)
            yield Batch(self.units, 1_000_000)


def main() -> None:
    args = _arguments()
    if args.run_some:
        _run_some(args, int(args.run_some[0]), args.run_some[1])
        return
    _, plain = _finish(_start(args, ""))
    server = EmbeddedRedis.start()
    try:
        processes = _start(args, server.url)
        with connect(server.url) as client:
            keys = [JobKeys(str(number)) for number in range(args.runs)]
            _wait_for_all(client, keys)
            seen, late = _watch(client, keys, args.seconds)
            stopped = _stop(client, keys)
            memory: Any = client.info("memory")
        warned, units = _finish(processes)
    finally:
        server.stop()
    table = Table(COLUMNS, args.format)
    table.row(
        args.runs,
        round(max(one.still for one in seen), 2),
        round(max(one.gap for one in seen), 2),
        sum(one.back for one in seen),
        round(stopped, 2),
        round(units, 1),
        round(plain, 1),
        warned,
        round(memory["used_memory"] / 1e6, 1),
        round(late, 2),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Watch many runs at once.")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0, help="to watch (20)")
    parser.add_argument(SOME, nargs=2, help=argparse.SUPPRESS)
    add_format(parser)
    return parser.parse_args()


def _start(args: argparse.Namespace, url: str) -> list[subprocess.Popen[str]]:
    share = args.runs // args.processes
    command = [sys.executable, __file__, *sys.argv[1:], SOME]
    return [
        subprocess.Popen([*command, str(first), url], stdout=subprocess.PIPE, text=True)
        for first in range(0, share * args.processes, share)
    ]


def _finish(processes: list[subprocess.Popen[str]]) -> tuple[int, float]:
    """Wait for the processes; return their warnings, and the units a second of a run on average."""
    outputs = [process.communicate()[0].split() for process in processes]
    warned = sum(int(output[0]) for output in outputs)
    return warned, sum(float(output[1]) for output in outputs) / len(outputs)


def _run_some(args: argparse.Namespace, first: int, url: str) -> None:
    """Do the runs of one process, and print how many warnings and units a second there were."""
    rates: list[float] = []

    def run(number: int) -> None:
        stage = Light()
        logger = [RedisLogger(url, str(number), announce=False)] if url else []
        limit = BEGIN_SECONDS + args.seconds + STOP_SECONDS if url else args.seconds
        done = Pipeline([stage]).fit(callbacks=logger, time_limit=limit, verbose=False)
        rates.append(stage.units / done.seconds)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        numbers = range(first, first + args.runs // args.processes)
        threads = [threading.Thread(target=run, args=[number]) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(len(caught), sum(rates) / len(rates))


def _wait_for_all(client: Any, keys: list[JobKeys]) -> None:
    deadline = time.monotonic() + BEGIN_SECONDS
    while client.exists(*[one.alive for one in keys]) < len(keys):
        if time.monotonic() > deadline:
            raise SystemExit("not all runs have begun")
        time.sleep(POLL_SECONDS)


def _watch(client: Any, keys: list[JobKeys], seconds: float) -> tuple[list[Watched], float]:
    """Watch all runs for so long; return what was seen of each, and the latest poll."""
    seen, late = [Watched() for _ in keys], 0.0
    began = last_poll = time.monotonic()
    while last_poll - began < seconds:
        time.sleep(POLL_SECONDS)
        with client.pipeline(transaction=False) as pipe:
            for one in keys:
                pipe.hmget(one.snapshot, "progress", "seq", "message")
            answers = pipe.execute()
        now = time.monotonic()
        late, last_poll = max(late, now - last_poll - POLL_SECONDS), now
        for one, (progress, seq, message) in zip(seen, answers, strict=True):
            one.look(now, float(progress), seq, message)
    return seen, late


def _stop(client: Any, keys: list[JobKeys]) -> float:
    """Ask all runs to stop; return the seconds until the last of them has."""
    for one in keys:
        client.xadd(one.commands, {"command": "stop"})
    began = time.monotonic()
    waiting = keys
    while waiting:
        if time.monotonic() - began > STOP_SECONDS:
            raise SystemExit("not all runs have stopped")
        time.sleep(0.01)
        waiting = [one for one in waiting if not client.hget(one.snapshot, "outcome")]
    return time.monotonic() - began


if __name__ == "__main__":
    main()
