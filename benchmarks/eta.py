"""How well the time left is foretold, beside what tqdm and rich say of the same events.

    python benchmarks/eta.py [--data ../shared/data/cbctt] [--keep FOLDER]

Five runs of different instances and settings, with and without a time limit, are recorded with
two seeds each: when each stage began and ended, what the stages expected to take, when each batch
was done and what pulses told of the unit in hand. The first seed's events are played on a clock
of our own to the run's `ProgressTracker`, read twice a second as a display does, and, as progress
of the whole run, to tqdm and rich with their own estimators. At every 10 % of the run's time each
says how long it will still take; the error is the difference from the truth, in per cent of the
run's time. "With timings" is the tracker when `fit` is given the second seed's run as its
timings.

With `--keep`, recordings are left in a folder and found there the next time.
"""

import argparse
import io
import json
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from schoolbell.callbacks import Callback
from schoolbell.runner import ProgressTracker, timetabling_pipeline
from schoolbell.runner.progress.stage_timing import StageTiming

READ_SECONDS = 0.5
TENTHS = range(1, 10)
# A fit of fewer moves than by default, so that a run without a limit takes no ten minutes.
FEW = {"ga__founder_moves": 12_000, "ga__child_moves": 6_000}

Events = list[list[Any]]


@dataclass(frozen=True)
class Setting:
    """A run that is recorded."""

    name: str
    file: str
    time_limit: float | None = None
    workers: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)


SETTINGS = (
    Setting("comp05, 30 s", "comp05.ctt", 30),
    Setting("comp07, 20 s, two workers", "comp07.ctt", 20, 2),
    Setting("comp12, fewer moves", "comp12.ctt", None, 1, FEW),
    Setting(
        "DDS1, two workers",
        "DDS1.ectt",
        None,
        2,
        FEW | {"ga__generations": 10, "ga__population": 8},
    ),
    Setting("erlangen2012_1, 60 s", "erlangen2012_1.ectt", 60),
)


class Recorder(Callback):
    """Notes when something happened in a run."""

    def __init__(self) -> None:
        super().__init__()
        self.events: Events = []

    def on_pipeline_begin(self, logs=None):
        tracker = self.pipeline.tracker
        begin, note, expect = tracker.begin_stage, tracker.note_pulse, tracker.expect
        began = time.monotonic() - logs["elapsed"]

        def begin_stage(name, total=None, seconds=None, expected=None):
            event = ["begin", time.monotonic() - began, name, seconds, expected]
            self.events.append(event)
            begin(name, total, seconds, expected)

        def note_pulse(part, message=None):
            total = tracker.stage_items_total
            self.events.append(["pulse", time.monotonic() - began, part, message, total])
            note(part, message)

        def note_expected(expected):
            self.events.append(["expect", time.monotonic() - began, expected])
            expect(expected)

        # No hook tells of these.
        tracker.begin_stage = begin_stage
        tracker.note_pulse = note_pulse
        tracker.expect = note_expected

    def on_batch_end(self, batch, logs=None):
        self.events.append(["batch", logs["elapsed"], logs["done"], logs["total"]])

    def on_stage_end(self, stage, logs=None):
        self.events.append(["end", logs["elapsed"]])

    def on_pipeline_end(self, logs=None):
        self.events.append(["over", logs["elapsed"]])


class Tracked:
    """What the tracker of this package says."""

    def __init__(self, setting: Setting, timings: Mapping[str, StageTiming] | None = None) -> None:
        stages = timetabling_pipeline().stages
        self.now = 0.0
        self.tracker = ProgressTracker(
            {stage.name: stage.share for stage in stages},
            time_shares={stage.name: stage.time_share or stage.share for stage in stages},
            time_limit=setting.time_limit,
            timings=timings,
            clock=lambda: self.now,
        )

    def play(self, event: list[Any]) -> None:
        self._read_until(event[1])
        kind = event[0]
        if kind == "begin":
            self.tracker.begin_stage(event[2], seconds=event[3], expected=event[4])
        elif kind == "expect":
            self.tracker.expect(event[2])
        elif kind == "pulse":
            if event[4] is not None:
                self.tracker.stage_items_total = event[4]
            self.tracker.note_pulse(event[2], event[3])
        elif kind == "batch":
            self.tracker.update_work_progress(event[2], event[3])
        elif kind == "end":
            self.tracker.end_stage()

    def left(self, now: float) -> float | None:
        self._read_until(now)
        return self.tracker.eta()

    def _read_until(self, now: float) -> None:
        while self.now + READ_SECONDS < now:
            self.now += READ_SECONDS
            self.tracker.snapshot()
        self.now = now


class OfTqdm:
    """What tqdm says: its own rate, smoothed as by default, and its own text of the time left."""

    def __init__(self) -> None:
        import tqdm.std

        self.now = 0.0
        tqdm.std.tqdm.monitor_interval = 0
        with mock.patch("tqdm.std.time", lambda: self.now):
            self.bar = tqdm.std.tqdm(total=1.0, file=io.StringIO(), miniters=0)

    def progress(self, progress: float, now: float) -> None:
        self.now = now
        self.bar.update(progress - self.bar.n)

    def left(self, now: float) -> float | None:
        self.now = now
        known = self.bar.format_dict
        if not known["n"]:
            return None
        text = self.bar.format_meter(**known | {"bar_format": "{remaining_s}"})
        return float(text)


class OfRich:
    """What rich says: its own speed of the last 30 seconds."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self.now = 0.0
        console = Console(file=io.StringIO())
        self.bars = Progress(console=console, auto_refresh=False, get_time=lambda: self.now)
        self.task = self.bars.add_task("run", total=1.0)

    def progress(self, progress: float, now: float) -> None:
        self.now = now
        self.bars.update(self.task, completed=progress)

    def left(self, now: float) -> float | None:
        self.now = now
        return self.bars.tasks[0].time_remaining


def record(setting: Setting, seed: int, data: Path, keep: Path | None) -> Events:
    """Return a run's events, from a recording where there is one."""
    kept = keep and keep / f"{setting.name}, seed {seed}.json"
    if kept and kept.exists():
        return json.loads(kept.read_text())
    print(f"recording {setting.name}, seed {seed} …", file=sys.stderr)
    recorder = Recorder()
    timetabling_pipeline(**setting.options).fit(
        data / setting.file,
        callbacks=recorder,
        seed=seed,
        time_limit=setting.time_limit,
        workers=setting.workers,
        verbose=False,
    )
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(recorder.events))
    return recorder.events


def timings_of(events: Events) -> dict[str, StageTiming]:
    """Return what `fit` would have kept as the run's timings."""
    timings = {}
    for kind, when, *about in events:
        if kind == "begin":
            (stage, budget, _), began, finished, total = about, when, [], None
        elif kind == "batch":
            done, total = about
            finished.append((done, when - began))
        elif kind == "end":
            timings[stage] = StageTiming.of(finished, when - began, budget, total)
    return timings


def work_progress(events: Events) -> Iterator[tuple[list[Any], float]]:
    """Yield each event with the progress of the run's work after it."""
    tracked = Tracked(Setting("", ""))
    for event in events:
        tracked.play(event)
        yield event, 1.0 if event[0] == "over" else tracked.tracker.work_progress


def answers(setting: Setting, events: Events, other: Events) -> dict[str, list[float | None]]:
    """Return what each estimator says at each tenth of the run."""
    over = events[-1][1]
    named: dict[str, Any] = {
        "schoolbell": Tracked(setting),
        "with timings": Tracked(setting, timings_of(other)),
        "tqdm": OfTqdm(),
        "rich": OfRich(),
    }
    said: dict[str, list[float | None]] = {name: [] for name in named}
    moments = [over * tenth / 10 for tenth in TENTHS]
    for event, progress in work_progress(events):
        while moments and moments[0] <= event[1]:
            for name, estimator in named.items():
                said[name].append(estimator.left(moments[0]))
            moments.pop(0)
        for estimator in named.values():
            if isinstance(estimator, Tracked):
                estimator.play(event)
            else:
                estimator.progress(progress, event[1])
    return said


def errors(said: list[float | None], over: float) -> list[float | None]:
    """Return the errors in per cent of the run's time; None where nothing was said."""
    left = [over * (10 - tenth) / 10 for tenth in TENTHS]
    return [
        None if answer is None else 100 * abs(answer - truth) / over
        for answer, truth in zip(said, left, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare predictions of the time left.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/cbctt"))
    parser.add_argument("--keep", type=Path, help="folder for the recordings")
    parser.add_argument("--details", action="store_true", help="every error, not only the summary")
    args = parser.parse_args()
    if args.keep is None or not args.keep.exists():
        # Compiles the kernels, which no run here is to count.
        timetabling_pipeline().fit(args.data / "toy.ectt", time_limit=2, verbose=False)
    found: dict[str, dict[str, list[float | None]]] = {}
    seconds: dict[str, float] = {}
    for setting in SETTINGS:
        events, other = (record(setting, seed, args.data, args.keep) for seed in (1, 2))
        seconds[setting.name] = events[-1][1]
        said = answers(setting, events, other)
        found[setting.name] = {name: errors(one, events[-1][1]) for name, one in said.items()}
    report(found, seconds, args.details)


def report(
    found: Mapping[str, Mapping[str, list[float | None]]],
    seconds: Mapping[str, float],
    details: bool,
) -> None:
    names = list(next(iter(found.values())))
    if details:
        for run, of_run in found.items():
            for name in names:
                cells = " ".join("   -" if e is None else f"{e:4.0f}" for e in of_run[name])
                print(f"{run:28}{name:14}{cells}")
    print(f"| run | seconds | {' | '.join(names)} |")
    print("| --- " * (len(names) + 2) + "|")
    for run, of_run in found.items():
        cells = [figures(of_run[name]) for name in names]
        print(f"| {run} | {seconds[run]:.0f} | {' | '.join(cells)} |")
    everything = {name: [e for of_run in found.values() for e in of_run[name]] for name in names}
    print(f"| all | | {' | '.join(figures(everything[name]) for name in names)} |")
    silent = [f"{name} {everything[name].count(None)}" for name in names]
    print(f"\nMean and worst error in % of the run's time. No answer: {', '.join(silent)}.")


def figures(errors: list[float | None]) -> str:
    known = [error for error in errors if error is not None]
    return f"{statistics.mean(known):.1f}, {max(known):.0f}" if known else "-"


if __name__ == "__main__":
    main()
