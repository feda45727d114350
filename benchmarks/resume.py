"""Kill a run with SIGKILL again and again, resume it, and compare with a run never killed.

    python benchmarks/resume.py [--kills 60] [--seed 0] [--workers 2] [INSTANCE]

A child process makes a timetable with all six stages and budgets in units, and
saves a backup after every batch. It is killed at a random moment of a stage (the
stages in turn), every second time in the midst of writing a backup: when the new
file has been opened, or when it is about to take the old one's place. The next
child resumes it. What the run that gets to its end has found is compared bit for
bit: the arrays of the solution, and every row of the history without
``elapsed``, the seconds. Then the next run begins, until there were enough kills.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from schoolbell.callbacks import BackupAndRestore, Callback
from schoolbell.runner import Run, timetabling_pipeline
from schoolbell.stages.timetable import Instance, generate

STAGES = ("load", "clustering", "cp_sat", "ga", "rl", "finalize")
UNITS: dict[str, dict[str, Any]] = {
    "clustering": {"chunk_size": 200},
    "cp_sat": {"effort": 0.02, "rounds": 2},
    "ga": {"generations": 12, "founder_moves": 1500, "child_moves": 800},
    "rl": {"episodes": 400, "patience": 400},
}
# Stages that write several backups.
LONG = ("clustering", "cp_sat", "ga", "rl")


class Announce(Callback):
    """Tells the parent which stage has begun, and when this process is about to die.

    Given a stage, it kills the process while a backup of that stage is written:
    when the file has been opened, or when it is about to be renamed.
    """

    def __init__(self, parent: Connection, doomed: str | None, event: str, number: int) -> None:
        super().__init__()
        self._parent = parent
        self._doomed = doomed
        self._event = event
        self._number = number
        self._stage = ""
        self._lock = threading.Lock()
        sys.addaudithook(self._audit)

    def on_stage_begin(self, stage: str, logs: Any = None) -> None:
        self._stage = stage
        with self._lock:
            self._parent.send(stage)

    def end(self, found: dict[str, Any]) -> None:
        """Tell what was found."""
        with self._lock:
            self._parent.send(found)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != self._event or self._doomed is None or not self._stage:
            return
        # The backup of a stage's end may be written when the next one has begun.
        if STAGES.index(self._stage) < STAGES.index(self._doomed):
            return
        if str(arguments[0]).endswith(".part"):
            self._number -= 1
            if self._number < 0:
                with self._lock:
                    self._parent.send(None)
                os.kill(os.getpid(), signal.SIGKILL)


def fit(instance: Instance, args: argparse.Namespace, callbacks: list[Callback]) -> Run:
    """Make the timetable."""
    pipeline = timetabling_pipeline(**UNITS)
    return pipeline.fit(
        instance, callbacks=callbacks, seed=args.seed, workers=args.workers, verbose=False
    )


def outcome(run: Run) -> dict[str, Any]:
    """Return what is compared."""
    return {
        "solution": [
            np.asarray(getattr(run.solution, name)).tolist()
            for name in ("courses", "periods", "rooms")
        ],
        "best": [run.cost, run.violations],
        "history": [{k: v for k, v in row.items() if k != "elapsed"} for row in run.history],
        "stages": [[one.name, one.done, one.total, one.cost, one.ended_by] for one in run.stages],
    }


def child(instance: Instance, args: argparse.Namespace, folder: Path, announce: Announce) -> None:
    """Be one life of the run."""
    backup = BackupAndRestore(folder, save_freq=1, interval=None, delete_checkpoint=False)
    announce.end(outcome(fit(instance, args, [backup, announce])))


class Killing:
    """Lives and deaths of one run after another."""

    def __init__(self, instance: Instance, args: argparse.Namespace, reference: Run) -> None:
        self.instance = instance
        self.args = args
        self.seconds = {one.name: one.seconds for one in reference.stages}
        self.expected = json.loads(json.dumps(outcome(reference)))
        self.random = random.Random(args.seed)
        self.kills: Counter[str] = Counter()
        self.while_writing: Counter[str] = Counter()
        self.runs = self.different = 0

    def until_enough(self, folder: Path) -> None:
        """Go on until there were enough kills and the last run is at its end."""
        while sum(self.kills.values()) < self.args.kills:
            shutil.rmtree(folder, ignore_errors=True)
            while (found := self._live(folder)) is None:
                pass
            self.runs += 1
            found = json.loads(json.dumps(found))
            if found != self.expected:
                self.different += 1
                where = ", ".join(name for name in found if found[name] != self.expected[name])
                print(f"run {self.runs} ended otherwise than the one never killed: {where}")

    def _live(self, folder: Path) -> dict[str, Any] | None:
        """Start or resume the run and kill it; return what it has found if it came to its end."""
        total = sum(self.kills.values())
        target = STAGES[total // 2 % len(STAGES)] if total < self.args.kills else None
        writing = total % 2 == 1
        wait = self.random.random() * self.seconds.get(target or "", 0.0)
        event, number = self.random.choice(("open", "os.rename")), self.random.randrange(3)
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(
            target=begin,
            args=(self.instance, self.args, folder, theirs, target if writing else None, event),
            kwargs={"number": number if target in LONG else 0},
        )
        process.start()
        theirs.close()
        stage = ""
        try:
            while True:
                message = ours.recv()
                if isinstance(message, dict):
                    return message
                if message is None:
                    self.kills[stage] += 1
                    self.while_writing[stage] += 1
                    return None
                stage = message
                if stage == target and not writing:
                    time.sleep(wait)
                    if process.is_alive():
                        process.kill()
                        self.kills[stage] += 1
                        return None
        finally:
            process.join()


def begin(
    instance: Instance,
    args: argparse.Namespace,
    folder: Path,
    parent: Connection,
    doomed: str | None,
    event: str,
    number: int,
) -> None:
    """Begin the life of a child."""
    child(instance, args, folder, Announce(parent, doomed, event, number))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("instance", nargs="?", type=Path, help="a generated one by default")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    instance = Instance.read(args.instance) if args.instance else generate(60, seed=1)
    reference = fit(instance, args, [])
    # Once more, warm, for how long the stages take; and the answer must be the same.
    again = fit(instance, args, [])
    assert outcome(again) == outcome(reference), "two runs of one seed differ"
    killing = Killing(instance, args, again)
    with tempfile.TemporaryDirectory() as folder:
        killing.until_enough(Path(folder) / "backup")
    print("| stage | kills | of them while a backup was written |\n| --- | --- | --- |")
    for stage in STAGES:
        print(f"| {stage} | {killing.kills[stage]} | {killing.while_writing[stage]} |")
    same = killing.runs - killing.different
    print(
        f"{sum(killing.kills.values())} kills over {killing.runs} runs of {len(reference.history)} "
        f"batches: {same} ended with the same solution and history, {killing.different} did not"
    )
    return 1 if killing.different else 0


if __name__ == "__main__":
    sys.exit(main())
