"""Memory over a run of a million batches with all callbacks.

    python benchmarks/memory.py [--batches 1000000]

Two stages of half the batches each yield as fast as they can, with a new best now
and then. The process's resident memory is read at every tenth of the batches.
The History keeps at most 1,024 rows a stage, the writers of files hand over what
they have, and a backup is written every second. `RedisLogger` writes to a real
redis-server and `RemoteMonitor` to a web server, each a process of its own whose
memory does not count.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

from schoolbell.callbacks import (
    AdjustOnPlateau,
    BackupAndRestore,
    BatchScheduler,
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    ProgbarLogger,
    RedisLogger,
    RemoteMonitor,
    SolutionCheckpoint,
    TensorBoard,
    TerminateOnNaN,
    TerminateOnTarget,
    Timer,
)
from schoolbell.callbacks.remote.embedded_redis import EmbeddedRedis
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Budget, Stage, State

SOLUTION_EVERY = 5_000


class Found:
    """A solution: the batch that found it."""

    def __init__(self, batch: int) -> None:
        self.batch = batch

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file."""
        Path(path).write_text(f"{self.batch}\n")


class Counting(Stage):
    """Counts, and keeps its count."""

    metrics = ("speed",)
    tunable = ("pace",)

    def __init__(self, name: str, batches: int, pace: float = 1.0) -> None:
        self.name = name
        self.batches = batches
        self.pace = pace
        self._done = 0

    def run(self, state: State, budget: Budget) -> Iterator[Batch]:
        state.pack_solutions(vars, lambda packed: Found(**packed))
        for done in range(1, self.batches + 1):
            self._done = done
            if done % SOLUTION_EVERY == 0:
                state.offer(Found(done), 1e9 - state.version, 0)
            yield Batch(done, self.batches, {"speed": self.pace})

    def state_dict(self) -> dict[str, int]:
        return {"done": self._done}


class Memory(Callback):
    """Reads the resident memory at every tenth of the batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._every = max(batches // 10, 1)
        self._seen = 0
        self.megabytes: list[float] = []

    def on_batch_end(self, batch: int, logs=None) -> None:
        self._seen += 1
        if self._seen % self._every == 0:
            self.megabytes.append(resident())


def resident() -> float:
    """Return the resident memory of this process in MB."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        # Elsewhere than on Linux the peak has to do.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return pages * resource.getpagesize() / 1e6


class Posts(BaseHTTPRequestHandler):
    """Takes what is posted, and keeps nothing."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def serve(parent: Connection) -> None:
    """Be a web server; tell its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Posts)
    parent.send(server.server_port)
    server.serve_forever()


@contextmanager
def web_server() -> Iterator[str]:
    """Run a web server in a process of its own, and give its URL."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()


def callbacks(folder: Path, redis: str, web: str) -> list[Callback]:
    """Return one of each callback; those that could end the run never have to."""
    return [
        History(),
        LambdaCallback(on_batch_end=lambda batch, logs: None),
        RedisLogger(redis),
        RemoteMonitor(web),
        CSVLogger(folder / "log.csv"),
        TensorBoard(folder / "board"),
        SolutionCheckpoint(folder / "best.txt", save_best_only=True),
        BackupAndRestore(folder / "backup", interval=1.0),
        EarlyStopping("cost", patience=10**9),
        AdjustOnPlateau("pace", patience=10**9, stage="two"),
        BatchScheduler("pace", lambda batch, value: value, stage="one"),
        TerminateOnTarget(cost=-1.0),
        TerminateOnNaN(),
        Timer(10**6),
        ProgbarLogger("plain"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batches", type=int, default=1_000_000)
    args = parser.parse_args()
    memory = Memory(args.batches)
    half = args.batches // 2
    began = time.monotonic()
    redis = EmbeddedRedis.start()
    try:
        with tempfile.TemporaryDirectory() as folder, web_server() as web:
            run = Pipeline([Counting("one", half), Counting("two", half)]).fit(
                callbacks=[*callbacks(Path(folder), redis.url, web), memory], verbose=False
            )
    finally:
        redis.stop()
    print("| batches | resident memory (MB) |\n| --- | --- |")
    for tenth, megabytes in enumerate(memory.megabytes, start=1):
        print(f"| {tenth * args.batches // 10:,} | {megabytes:.1f} |")
    seconds = time.monotonic() - began
    print(f"{run.status} after {seconds:.0f} s, {len(run.history)} rows in the history")
    return 0


if __name__ == "__main__":
    sys.exit(main())
