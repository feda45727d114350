"""What watching costs: how late events come, and how much slower the jobs become.

    python benchmarks/service_watchers.py [--jobs 10] [--clients 50] [--seconds 20]
        [--repeats 3] [--format markdown]

A service of real processes has as many workers as jobs, each of which adds
numbers, a unit after the other, for so many seconds from one moment on. They run
unwatched and watched by clients that share them, in turns. One process has all
the clients, which do no more with an event than to look when it happened: in life
they are other machines, and what they take here is taken from the jobs.

Told are the latest that an event came after its time (`updated_at`), and which
one that was, the units a second of the jobs, watched beside unwatched, and, which
says more on a machine that others keep busy, how much of one processor was taken
while the jobs ran: by the web application and by Redis, in brackets without
watchers, and by the clients.
"""

import argparse
import asyncio
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import count
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
    "which",
    "units a second, watched",
    "beside unwatched",
    "of a processor: web",
    "Redis",
    "clients",
)
# An event as the stream has it; the job's own and the last tell of no moment.
EVENT = re.compile(rb'event: (\w+)\ndata: .*"updated_at": ([0-9.e+]+)')
END = b"event: end\n"
GATES = count()


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
                (_round(service, args, 0), _round(service, args, args.clients))
                for _ in range(args.repeats)
            ]
        finally:
            service.stop()
    alone, watched = [one for one, _ in rounds], [one for _, one in rounds]
    late = [each for one in watched for each in one.late]
    speed = _median(one.speed for one in watched)
    table.row(
        args.jobs,
        args.clients,
        len(late),
        round(statistics.median(seconds for seconds, _ in late), 3),
        round(max(late)[0], 3),
        max(late)[1],
        round(speed),
        f"{speed / _median(one.speed for one in alone) - 1:+.1%}",
        *(
            f"{_median(one.parts[name] for one in watched):.1%} "
            f"({_median(one.parts[name] for one in alone):.1%})"
            for name in ("web", "Redis")
        ),
        f"{_median(one.parts['clients'] for one in watched):.1%}",
    )


def _median(values: Any) -> float:
    return statistics.median(values)


@dataclass(frozen=True)
class Round:
    """What one round of the jobs has shown.

    Attributes
    ----------
    speed
        Units a second of all jobs.
    parts
        How much of one processor was taken, by the processes' names.
    late
        By how many seconds each event came after its time, and what it was called.
    """

    speed: float
    parts: dict[str, float]
    late: list[tuple[float, str]]


def _round(service: Any, args: argparse.Namespace, clients: int) -> Round:
    """Run the jobs once."""
    gate = next(GATES)
    parameters = {"additions.seconds": args.seconds, "additions.gate": gate}
    with service.client() as client:
        jobs = [client.submit(_instance(), parameters=parameters).id for _ in range(args.jobs)]
    return asyncio.run(_run(service, args, jobs, clients, gate))


async def _run(
    service: Any, args: argparse.Namespace, jobs: list[str], clients: int, gate: int
) -> Round:
    from schoolbell.runner.service.jobs.job_store import JobStore

    folder = service.settings.folder
    store = JobStore(folder)
    watchers = [await _watch(service.port, jobs[one % len(jobs)]) for one in range(clients)]
    while len(list(folder.glob(f"ready-{gate}-*"))) < len(jobs):
        await asyncio.sleep(0.1)
    processes = {
        "web": psutil.Process(service.web.pid),
        "Redis": psutil.Process(service.redis.pid),
        "clients": psutil.Process(),
    }
    before = {name: _busy(process) for name, process in processes.items()}
    (folder / f"go-{gate}").touch()
    await asyncio.sleep(args.seconds)
    parts = {
        name: (_busy(process) - before[name]) / args.seconds for name, process in processes.items()
    }
    await asyncio.gather(*(watcher.over for watcher in watchers))
    results: list[Any] = [None]
    # From the folder: to ask the service would cost it more than to be watched.
    while not all(results):
        await asyncio.sleep(0.1)
        results = [store.get(job).result for job in jobs]  # pyright: ignore[reportOptionalMemberAccess]
    speed = sum(result["cost"] for result in results) / args.seconds
    return Round(speed, parts, [each for watcher in watchers for each in watcher.late])


def _busy(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


class Watcher(asyncio.Protocol):
    """A client that reads the events of one job, and no more of them than it must."""

    def __init__(self, request: bytes) -> None:
        self.late: list[tuple[float, str]] = []
        self.over = asyncio.get_running_loop().create_future()
        self._request = request
        self._rest = b""
        self._first = True

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            if END in event:
                self.over.set_result(None)
                self._transport.close()
            elif found := EVENT.search(event):
                # The first one is as old as it is.
                if not self._first:
                    self.late.append((now - float(found[2]), found[1].decode()))
                self._first = False

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(exc or EOFError("the stream ended before the job"))


async def _watch(port: int, job: str) -> Watcher:
    request = f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    make = asyncio.get_running_loop().create_connection
    return (await make(lambda: Watcher(request), "127.0.0.1", port))[1]


def _instance() -> Any:
    from schoolbell.stages.timetable import generate

    return generate(4, seed=1)


if __name__ == "__main__":
    main()
