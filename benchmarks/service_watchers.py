"""What watching costs: how late events come, and how much slower the jobs become.

    python benchmarks/service_watchers.py [--jobs 10] [--clients 50] [--seconds 20]
        [--repeats 3] [--format markdown]

A service of real processes has as many workers as jobs, each of which adds
numbers, a unit after the other, for so many seconds. They run unwatched and
watched by clients that share them, in turns; one process has all the clients.
Told are the latest that an event came after its time (`updated_at`), and the
units a second of the jobs, watched beside unwatched.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

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
                _round(service, args, watched) for _ in range(args.repeats) for watched in (0, 1)
            ]
        finally:
            service.stop()
    unwatched = statistics.median(speed for speed, late in rounds if late is None)
    watched = statistics.median(speed for speed, late in rounds if late is not None)
    late = [one for _, found in rounds for one in found or ()]
    table.row(
        args.jobs,
        args.clients,
        len(late),
        round(statistics.median(late), 3),
        round(max(late), 3),
        round(watched),
        f"{watched / unwatched - 1:+.1%}",
    )


def _round(
    service: Any, args: argparse.Namespace, watched: int
) -> tuple[float, list[float] | None]:
    """Run the jobs once; return their units a second, and how late each event came."""
    with service.client() as client:
        parameters = {"additions.seconds": args.seconds}
        jobs = [client.submit(_instance(), parameters=parameters).id for _ in range(args.jobs)]
        late = asyncio.run(_watch(service, jobs, args.clients)) if watched else None
        while any(not client.job(job).ended for job in jobs):
            time.sleep(1.0)
        return sum(client.job(job).cost for job in jobs) / args.seconds, late


async def _watch(service: Any, jobs: list[str], clients: int) -> list[float]:
    late: list[float] = []

    async def follow(number: int) -> None:
        first = True
        async for snapshot in service.client().awatch(jobs[number % len(jobs)]):
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
