"""How soon a signal ends the command line, at random moments of all stages.

    python benchmarks/interrupts.py [--times 28] [--time 20] [--courses 20000] [--cold]
        [--signal INT] [FILES…]

``schoolbell fit`` runs on each file, and on a generated instance of so many courses
(0 for none), and gets a signal (SIGINT of Ctrl-C unless ``--signal`` says TERM or
HUP): once, and every second time again a moment later. The stages take turns, the
start of the program as the first. The program tells when a stage begins, and the
signal comes at a random moment of as long as the stage took in a run without one.
Told are the seconds from the signal to the end of the process, from the second signal
where there are two, and what went wrong: an exit status other than 130 (143, 129), a
traceback, or a timetable that the log knows of and that was not written.

``--cold`` gives every run an empty cache of compiled kernels and sends the signals
while it loads, most of which is numba compiling for the first time.
"""

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from measuring import Table, add_format
from schoolbell.stages.timetable import generate

STARTING = "start"

# The command line, but for a line at the beginning of each stage.
PROGRAM = """
from schoolbell.callbacks import CSVLogger
from schoolbell.runner import cli, fit_command

class Telling(CSVLogger):
    def on_stage_begin(self, stage, logs=None):
        print("stage", stage, flush=True)
        super().on_stage_begin(stage, logs)

fit_command.CSVLogger = Telling
cli.program()
"""
COLUMNS = ("instance", "stage", "once", "longest (s)", "twice", "longest, twice (s)", "faults")

# A process that has not ended by then is killed.
PATIENCE = 60.0

# Longest pause between two signals: nobody is faster.
AGAIN = 0.4


@dataclass
class Ends:
    """How processes ended that were interrupted in one stage.

    Attributes
    ----------
    once, twice
        Seconds from the last signal to the end, for one signal and for two.
    faults
        What went wrong, in words.
    """

    once: list[float] = field(default_factory=list)
    twice: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def main() -> int:
    args = _arguments()
    table = Table(COLUMNS, args.format)
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        for path in _instances(args, Path(name)):
            ends = measure(path.resolve(), args)
            for stage, one in ends.items():
                faults += len(one.faults)
                table.row(
                    path.stem,
                    stage,
                    len(one.once),
                    round(max(one.once), 2) if one.once else None,
                    len(one.twice),
                    round(max(one.twice), 2) if one.twice else None,
                    "; ".join(one.faults),
                )
    return 1 if faults else 0


def measure(path: Path, args: argparse.Namespace) -> dict[str, Ends]:
    """Interrupt runs on one instance, in each stage by turns."""
    draw = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = stage_seconds(path, folder, args)
        ends = {stage: Ends() for stage in seconds}
        for number in range(args.times):
            target = list(seconds)[number % len(seconds)]
            moment = draw.uniform(0.0, seconds[target])
            again = draw.uniform(0.0, AGAIN) if number // len(seconds) % 2 == 1 else None
            stage, waited, fault = interrupt(
                path, folder / str(number), args, target, moment, again
            )
            one = ends.setdefault(stage, Ends())
            (one.once if again is None else one.twice).append(waited)
            if fault:
                one.faults.append(fault)
    return ends


def stage_seconds(path: Path, folder: Path, args: argparse.Namespace) -> dict[str, float]:
    """Run to the end; return what each stage took, and the start of the program before them."""
    if not args.cold:
        # The run that is timed finds the kernels compiled.
        start(path, folder, args).communicate()
    process = start(path, folder, args)
    stage, began = STARTING, time.monotonic()
    seconds: dict[str, float] = {}
    while (new := next_stage(process)) is not None:
        seconds[stage] = time.monotonic() - began
        stage, began = new, time.monotonic()
    process.communicate()
    seconds[stage] = time.monotonic() - began
    return {"load": seconds["load"]} if args.cold else seconds


def next_stage(process: "subprocess.Popen[str]") -> str | None:
    """Wait for the beginning of the next stage; None when there is none."""
    assert process.stdout is not None
    told = process.stdout.readline().split()
    return told[1] if told[:1] == ["stage"] else None


def interrupt(
    path: Path,
    folder: Path,
    args: argparse.Namespace,
    target: str,
    moment: float,
    again: float | None,
) -> tuple[str, float, str]:
    """Interrupt one run; return the stage, the seconds to its end and what went wrong."""
    folder.mkdir()
    process = start(path, folder, args)
    stage: str | None = STARTING
    while stage not in (target, None):
        stage = next_stage(process)
    time.sleep(moment)
    process.send_signal(args.signal)
    if again is not None:
        time.sleep(again)
        process.send_signal(args.signal)
    began = time.monotonic()
    try:
        said, complaint = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        said, complaint = process.communicate()
    seconds = time.monotonic() - began
    stages = [line.split()[1] for line in said.splitlines() if line.startswith("stage ")]
    last = stages[-1] if stages else target
    rows = _rows(folder / "log.csv")
    fault = _fault(
        process.returncode, args.signal, complaint, last, rows, folder, again is not None
    )
    return last, seconds, fault


def start(path: Path, folder: Path, args: argparse.Namespace) -> "subprocess.Popen[str]":
    """Start the command line in a folder of its own."""
    command = [sys.executable, "-c", PROGRAM, "fit", str(path), "--quiet"]
    command += ["--time-limit", f"{args.time:g}"]
    command += ["--seed", str(args.seed), "--out", "best.sol", "--csv", "log.csv"]
    if args.workers:
        command += ["--workers", str(args.workers)]
    environment = dict(os.environ)
    if args.cold:
        environment["NUMBA_CACHE_DIR"] = str(folder / "numba")
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs this in the background may have had the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def _fault(
    status: int,
    number: signal.Signals,
    complaint: str,
    stage: str,
    rows: list[dict[str, str]],
    folder: Path,
    twice: bool,
) -> str:
    if status == 0 and stage == "finalize":
        # It was quicker than the signal.
        return ""
    # Before the program's first line, and after its last, the interpreter dies of the signal,
    # which a shell reports as 130 too.
    at_an_end = twice or stage in (STARTING, "finalize")
    if status != 128 + number and not (status == -number and at_an_end):
        return f"exit status {status}: {complaint.strip()[-200:]}"
    if "Traceback" in complaint and stage != STARTING:
        return complaint.strip()[-200:]
    if not twice and rows and rows[-1]["cost"] and not (folder / "best.sol").exists():
        return "the best was not written"
    return ""


def _rows(log: Path) -> list[dict[str, str]]:
    if not log.exists():
        return []
    with log.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _instances(args: argparse.Namespace, folder: Path) -> Iterator[Path]:
    yield from args.files
    if args.courses:
        path = folder / f"generated_{args.courses}.ectt"
        generate(args.courses, seed=1).write(path)
        yield path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--times", type=int, default=28, help="signals for each instance (28)")
    parser.add_argument("--time", type=float, default=20.0, help="time limit of a run (20)")
    parser.add_argument("--courses", type=int, default=20_000)
    parser.add_argument("--workers", type=int, help="tasks that run at once (the processors)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cold", action="store_true", help="with an empty cache of kernels")
    parser.add_argument(
        "--signal",
        type=lambda name: signal.Signals[f"SIG{name}"],
        default=signal.SIGINT,
        metavar="NAME",
        help="INT, TERM or HUP (INT)",
    )
    add_format(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
