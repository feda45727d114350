"""What kills do to the jobs of a service: nothing, it should be.

    python benchmarks/service_kills.py [--kills 200] [--minutes 60] [--seed 0] [--workers 2]
        [--format markdown]

A service of real processes (Redis with its append-only file, workers, the web
application) has jobs of a stage of short units, and at random moments one of its
processes is killed by SIGKILL: that of a job, of a worker, of the web
application, or of Redis, which are started again as whoever keeps a service
going would do. Every job must end once, with the result of an undisturbed one,
and a client that watches it and reconnects must see that.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measuring import Table, add_format

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "runner" / "service")]
COLUMNS = ("kills", "jobs", "of them as undisturbed", "attempts", "longest job (s)")
KINDS = ("job", "worker", "web", "redis")
# Seconds between two kills: a job's process takes most of one to begin.
LEAST_GAP, MOST_GAP = 0.5, 4.0
PARAMETERS = {"sums.units": 60, "sums.seconds": 0.05}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=60.0, help="fewer kills after so many")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    add_format(parser)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = kill_and_count(Path(folder), args.kills, args.workers, args.seed, args.minutes)
    table = Table(COLUMNS, args.format)
    table.row(found["kills"], found["jobs"], found["same"], found["attempts"], found["longest"])
    if found["same"] != found["jobs"]:
        sys.exit(f"{found['jobs'] - found['same']} jobs ended otherwise: {found['others']}")


def kill_and_count(
    folder: Path, kills: int, workers: int, seed: int, minutes: float = 60.0
) -> dict[str, Any]:
    """Run jobs while processes are killed; tell how many ended as an undisturbed one."""
    deadline = time.monotonic() + 60.0 * minutes
    from service_processes import ServiceProcesses

    service = ServiceProcesses(folder, workers=workers, retries=1_000).start()
    try:
        with service.client() as client:
            undisturbed = _end(client, client.submit(_instance(), parameters=PARAMETERS).id)
        return _under_fire(service, kills, deadline, random.Random(seed), undisturbed)
    finally:
        service.stop()


def _under_fire(
    service: Any, kills: int, deadline: float, chance: random.Random, undisturbed: Any
) -> dict[str, Any]:
    over = threading.Event()
    ends: dict[str, Any] = {}
    watchers: list[threading.Thread] = []

    def submit() -> None:
        number = 0
        while not over.is_set():
            waiting = sum(thread.is_alive() for thread in watchers)
            if waiting > len(service.workers):
                over.wait(0.2)
                continue
            number += 1
            thread = threading.Thread(target=_follow, args=(service, f"key-{number}", ends))
            watchers.append(thread)
            thread.start()

    submitter = threading.Thread(target=submit)
    submitter.start()
    kinds: list[str] = []
    done = 0
    while done < kills and time.monotonic() < deadline:
        time.sleep(chance.uniform(LEAST_GAP, MOST_GAP))
        # Each kind as often as the others.
        kinds = kinds or chance.sample(KINDS, len(KINDS))
        done += _kill(service, chance, kinds.pop())
    over.set()
    submitter.join()
    for thread in watchers:
        thread.join()
    same = {job: end for job, end in ends.items() if end["told"] == undisturbed["told"]}
    return {
        "kills": done,
        "jobs": len(watchers),
        "same": len(same),
        "attempts": sum(end["attempts"] for end in ends.values()),
        "longest": max(end["seconds"] for end in ends.values()),
        "others": [end for job, end in ends.items() if job not in same],
    }


def _kill(service: Any, chance: random.Random, kind: str) -> bool:
    """Kill a process of a kind; tell whether there was one."""
    if kind == "job":
        pids = [service.job_process(job.name) for job in service.job_folders()]
        pids = [pid for pid in pids if pid is not None]
        if not pids:
            return False
        os.kill(chance.choice(pids), signal.SIGKILL)
    elif kind == "worker":
        number = chance.randrange(len(service.workers))
        service.kill_worker(number)
        service.start_worker(number)
    elif kind == "web":
        service.kill_web()
        service.start_web()
    else:
        service.kill_redis()
        service.redis.start()
    return True


def _follow(service: Any, key: str, ends: dict[str, Any]) -> None:
    """Submit one job, as often as it takes, and watch it to its end."""
    with service.client() as client:
        # The key lets the same request be made again.
        job = _ask(lambda: client.submit(_instance(), parameters=PARAMETERS, key=key))
        ends[job.id] = _end(client, job.id)


def _ask(request: Callable[[], Any]) -> Any:
    """Make a request as often as it takes while the service is away."""
    from schoolbell.runner.service import ServiceError

    while True:
        try:
            return request()
        except ServiceError as error:
            if error.status is not None and error.status < 500:
                raise
            time.sleep(0.2)


def _end(client: Any, job_id: str) -> dict[str, Any]:
    *_, last = client.watch(job_id, patience=600.0)
    job = _ask(lambda: client.job(job_id))
    rows = _ask(lambda: client.read(job_id, "log")).count(b"\n")
    return {
        "told": (last.status, last.cost, job.status, job.cost, rows),
        "attempts": job.attempts,
        "seconds": job.ended_at - job.created_at,
    }


def _instance() -> Any:
    from schoolbell.stages.timetable import generate

    return generate(4, seed=1)


if __name__ == "__main__":
    main()
