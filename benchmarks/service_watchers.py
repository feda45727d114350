"""What watching costs: how late events come, and how much slower the jobs become.

    python benchmarks/service_watchers.py [--jobs 10] [--clients 50] [--seconds 20]
        [--repeats 3] [--format markdown]

A service of real processes has as many workers as jobs, each of which adds
numbers, a unit after the other, for so many seconds. They run unwatched and
watched by clients that share them, in turns; one process has all the clients.
Told are the latest that an event came after its time (`updated_at`), the units
a second of the jobs, watched beside unwatched, and, which says more on a machine
that others keep busy, how much of one processor watching took of the web
application and of the clients while the jobs ran.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from measuring import Table, add_format

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "runner" / "service")]
COLUMNS = (
    "jobs",
    "clients",
    "events",
    "late: median (s)",
    "late: most (s)",
    "units a second, watched",
    "beside unwatched",
    "of a processor: web",
    "clients",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--repeats", type=int, default=3)
    add_format(parser)
    args = parser.parse_args()
    from service_processes import ServiceProcesses

    table = Table(COLUMNS, args.format)
    with tempfile.TemporaryDirectory() as folder:
        service = ServiceProcesses(
            Path(folder), workers=args.jobs, pipeline="service_pipeline:additions", max_jobs=1_000
        ).start()
        try:
            rounds = [
                (_round(service, args, False), _round(service, args, True))
                for _ in range(args.repeats)
            ]
        finally:
            service.stop()
    unwatched = statistics.median(one.speed for one, _ in rounds)
    watched = statistics.median(one.speed for _, one in rounds)
    late = [each for _, one in rounds for each in one.late]
    table.row(
        args.jobs,
        args.clients,
        len(late),
        round(statistics.median(late), 3),
        round(max(late), 3),
        round(watched),
        f"{watched / unwatched - 1:+.1%}",
        f"{statistics.median(one.web for _, one in rounds):.1%}",
        f"{statistics.median(one.clients for _, one in rounds):.1%}",
    )


@dataclass(frozen=True)
class Round:
    """What one round of the jobs has shown: parts of a processor, and seconds of delay."""

    speed: float
    web: float
    clients: float
    late: list[float]


def _round(service: Any, args: argparse.Namespace, watched: bool) -> Round:
    """Run the jobs once."""
    processes = [psutil.Process(service.web.pid), psutil.Process()]
    with service.client() as client:
        parameters = {"additions.seconds": args.seconds}
        jobs = [client.submit(_instance(), parameters=parameters).id for _ in range(args.jobs)]
        before, began = [_busy(process) for process in processes], time.monotonic()
        late = asyncio.run(_watch(service, jobs, args.clients)) if watched else []
        spent, seconds = [_busy(process) for process in processes], time.monotonic() - began
        while any(not client.job(job).ended for job in jobs):
            time.sleep(1.0)
        speed = sum(client.job(job).cost for job in jobs) / args.seconds
    web, clients = ((after - first) / seconds for first, after in zip(before, spent, strict=True))
    return Round(speed, web, clients, late)


def _busy(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def _watch(service: Any, jobs: list[str], clients: int) -> list[float]:
    late: list[float] = []

    async def follow(number: int) -> None:
        first = True
        with service.client() as client:
            async for snapshot in client.awatch(jobs[number % len(jobs)]):
                # The first one is as old as it is, and so is what the end repeats.
                if not first and not snapshot.outcome:
                    late.append(time.time() - snapshot.updated_at)
                first = False

    await asyncio.gather(*(follow(number) for number in range(clients)))
    return late


def _instance() -> Any:
    from schoolbell.stages.timetable import generate

    return generate(4, seed=1)


if __name__ == "__main__":
    main()
