"""Memory over a run of a million batches with all callbacks that keep or write something.

    python benchmarks/memory.py [--batches 1000000]

Two stages of half the batches each yield as fast as they can, with a new best now
and then. The process's resident memory is read at every tenth of the batches.
The History keeps at most 1,024 rows a stage, the writers of files hand over what
they have, and a backup is written every second.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from schoolbell.callbacks import (
    AdjustOnPlateau,
    BackupAndRestore,
    BatchScheduler,
    Callback,
    CSVLogger,
    EarlyStopping,
    ProgbarLogger,
    SolutionCheckpoint,
    TensorBoard,
    TerminateOnNaN,
    TerminateOnTarget,
    Timer,
)
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


def callbacks(folder: Path) -> list[Callback]:
    """Return all that keep or write something; those that could end the run never have to."""
    return [
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
    with tempfile.TemporaryDirectory() as folder:
        run = Pipeline([Counting("one", half), Counting("two", half)]).fit(
            callbacks=[*callbacks(Path(folder)), memory], verbose=False
        )
    print("| batches | resident memory (MB) |\n| --- | --- |")
    for tenth, megabytes in enumerate(memory.megabytes, start=1):
        print(f"| {tenth * args.batches // 10:,} | {megabytes:.1f} |")
    seconds = time.monotonic() - began
    print(f"{run.status} after {seconds:.0f} s, {len(run.history)} rows in the history")
    return 0


if __name__ == "__main__":
    sys.exit(main())
