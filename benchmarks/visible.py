"""What a person sees of a run: how long nothing moves, how far it jumps, how wrong the ETA is.

    python benchmarks/visible.py [--data ../shared/data/cbctt] [--busy N] [--format markdown]
        [SCENARIO…]

Each scenario is run by a process of its own, which draws its bars in a pseudo-terminal and tells a
Redis server of itself. This process reads both ten times a second: the screen as a terminal would
show it, and the hash. What counts as seen is what is shown: the run's number, the present stage's
number, the units and the message. Of each scenario a row tells, of the screen and of Redis,

- the longest time in which nothing of that changed, and in which message;
- the largest jump of the run's number in half a second, in points, and in which message; apart from
  it the largest where a stage ended before its last unit, which is allowed to jump, and that to
  the finished run;
- when the run's number came to a half, in per cent of the run's time;
- the error of the ETA at each tenth of the run, in per cent of the run's time; a dash where none
  was shown.

`tqdm` and `rich` are fed with the same batches in the same process, each with one bar of the run by
the stages' shares, in pseudo-terminals of their own, as one would use them.

Nothing is shown before a process has drawn for the first time, so the time counts from there.
`--busy N` keeps N processes at work beside.
"""

import argparse
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measuring import Table, add_format
from schoolbell.callbacks import Callback, RedisLogger
from schoolbell.callbacks.remote.embedded_redis import EmbeddedRedis
from schoolbell.callbacks.remote.job_keys import JobKeys
from schoolbell.callbacks.remote.redis_connection import connect
from schoolbell.runner import Pipeline, timetabling_pipeline
from schoolbell.runner.cli.fit_command import DEMO_SECONDS, demo_instance
from schoolbell.stages import MapBatches
from schoolbell.stages.timetable import generate

POLL_SECONDS = 0.1
JUMP_SECONDS = 0.5
COLUMNS, LINES = 110, 24
TENTHS = range(1, 10)
# A process that has shown nothing by then never will.
BEGIN_SECONDS = 120.0
BATCHES, BATCH_SECONDS, PULSE_SECONDS = 7, 3.0, 0.25

# The option by which the benchmark starts itself for one run: scenario, server, terminals.
ONE = "--run-one"


def slow_batch(items: Any) -> Iterator[float]:
    """Take a while, and tell how far it is."""
    steps = round(BATCH_SECONDS / PULSE_SECONDS)
    for step in range(steps):
        yield step / steps
        time.sleep(PULSE_SECONDS)


def timetable(file: str, **options: Any) -> Callable[[argparse.Namespace], dict[str, Any]]:
    return lambda args: {"problem": args.data / file, **options}


@dataclass(frozen=True)
class Scenario:
    """A run to look at.

    Attributes
    ----------
    fit
        Returns what `Pipeline.fit` is given.
    cold
        Whether there are no compiled kernels.
    pipeline
        Makes the pipeline.
    """

    fit: Callable[[argparse.Namespace], dict[str, Any]]
    cold: bool = False
    pipeline: Callable[[], Pipeline] = timetabling_pipeline


def _demo(args: argparse.Namespace) -> dict[str, Any]:
    return {"problem": demo_instance(), "time_limit": DEMO_SECONDS}


SCENARIOS = {
    "demo, cold": Scenario(_demo, cold=True),
    "demo, warm": Scenario(_demo),
    "comp05, 30 s": Scenario(timetable("comp05.ctt", time_limit=30)),
    "comp05, no limit": Scenario(timetable("comp05.ctt")),
    "erlangen2012_1, 60 s": Scenario(timetable("erlangen2012_1.ectt", time_limit=60)),
    "20,000 courses, 60 s": Scenario(
        lambda args: {"problem": generate(args.courses, seed=1), "time_limit": 60}
    ),
    "batches, 7 of 3 s": Scenario(
        lambda args: {"workers": 1},
        pipeline=lambda: Pipeline([MapBatches(slow_batch, range(BATCHES))], name="batches"),
    ),
}


class Peers(Callback):
    """Feeds a bar of tqdm and one of rich with the batches, and tells when a stage is cut short."""

    def __init__(self, tqdm: Any, rich: Any, cut: Any) -> None:
        super().__init__()
        self.streams = tqdm, rich
        self.cut = cut

    def on_pipeline_begin(self, logs=None):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from tqdm.std import tqdm

        stages = self.pipeline.stages
        whole = sum(stage.share for stage in stages)
        ends, end = {}, 0.0
        for stage in stages:
            ends[stage.name] = end, stage.share / whole
            end += stage.share / whole
        self.ends = ends
        tqdm_stream, rich_stream = self.streams
        self.tqdm = tqdm(
            total=1.0,
            file=tqdm_stream,
            ncols=COLUMNS,
            miniters=0,
            bar_format="{percentage:.1f} %|{bar}| ETA {remaining}",
        )
        self.rich = Progress(
            TextColumn("{task.percentage:.1f} %"),
            BarColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=Console(file=rich_stream, force_terminal=True, width=COLUMNS),
        )
        self.task = self.rich.add_task("run", total=1.0)
        self.rich.start()

    def on_batch_end(self, batch, logs=None):
        start, share = self.ends[logs["stage"]]
        self._show(start + share * min(1.0, logs["done"] / (logs["total"] or logs["done"])))

    def on_stage_end(self, stage, logs=None):
        done, total = logs.get("done"), logs.get("total")
        if total is None or done is None or done < total:
            print(time.monotonic(), file=self.cut, flush=True)
        start, share = self.ends[stage]
        self._show(start + share)

    def on_pipeline_end(self, logs=None):
        self.tqdm.close()
        self.rich.stop()

    def _show(self, progress: float) -> None:
        self.tqdm.update(progress - self.tqdm.n)
        self.rich.update(self.task, completed=progress)


@dataclass(frozen=True)
class Seen:
    """What was shown at one moment; whether the run was over then."""

    at: float
    progress: float
    eta: float | None
    shown: tuple[str, ...]
    message: str
    over: bool = False


@dataclass
class Watcher:
    """What was seen in one place, in order."""

    seen: list[Seen] = field(default_factory=list)

    def look(self, one: Seen | None) -> None:
        if one is not None:
            self.seen.append(one)

    def still(self) -> tuple[float, str]:
        """Return the longest time without a change, and what was shown then."""
        longest, text = 0.0, ""
        since = self.seen[0] if self.seen else None
        for one in self.seen:
            if since is not None and one.at - since.at > longest:
                longest, text = one.at - since.at, since.message
            if since is None or one.shown != since.shown:
                since = one
        return longest, text

    def jumps(self, cut: list[float]) -> tuple[float, str, float, float]:
        """Return the largest jump in points, where it was, the largest allowed, and the last."""
        largest, text, allowed, last, first = 0.0, "", 0.0, 0.0, 0
        for one in self.seen:
            while one.at - self.seen[first].at >= JUMP_SECONDS:
                first += 1
            before = self.seen[first]
            jump = 100 * (one.progress - before.progress)
            if one.over:
                last = max(last, jump)
            # What is shown follows within a display's interval.
            elif any(before.at - 2 * JUMP_SECONDS <= moment <= one.at for moment in cut):
                allowed = max(allowed, jump)
            elif jump > largest:
                largest, text = jump, one.message
        return largest, text, allowed, last

    def half(self, over: float) -> float | None:
        """Return when a half was shown, in per cent of the time."""
        if not self.seen:
            return None
        began = self.seen[0].at
        at = next((one.at for one in self.seen if one.progress >= 0.5), over)
        return 100 * (at - began) / (over - began)

    def errors(self, over: float) -> str:
        """Return the error of the ETA at each tenth, in per cent of the time."""
        if not self.seen:
            return ""
        began, cells = self.seen[0].at, []
        for tenth in TENTHS:
            moment = began + (over - began) * tenth / 10
            one = [one for one in self.seen if one.at <= moment][-1]
            left = over - one.at
            error = None if one.eta is None else 100 * (one.eta - left) / (over - began)
            cells.append("-" if error is None else f"{error:+.0f}")
        return " ".join(cells)


class Terminal:
    """A pseudo-terminal whose screen can be read."""

    def __init__(self) -> None:
        import pyte

        self.screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self.screen)
        self._lock = threading.Lock()
        self.master, self.slave = pty.openpty()
        _set_size(self.slave)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            with self._lock:
                self._stream.feed(data)

    def lines(self) -> list[str]:
        with self._lock:
            return [line.rstrip() for line in self.screen.display if line.strip()]


def _set_size(terminal: int) -> None:
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))


_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_ETA = re.compile(r"ETA (?:(\d+):)?(\d+):(\d\d)")
_BAR = re.compile(r"[━╸╺█-▏|]+")
# Units, and what a message counts, seconds among it.
_COUNT = re.compile(r"[\d,]*\d/[\d,]*\d|(?<=, )\d+ s\b")


def read_screen(lines: list[str]) -> Seen | None:
    """Return what the screen shows: the run's line, and those of its stages that have begun."""
    rows = [line for line in lines if _PERCENT.search(line)]
    if not rows:
        return None
    eta = _ETA.search(rows[0])
    left = None
    if eta:
        hours, minutes, seconds = (int(one or 0) for one in eta.groups())
        left = 3600.0 * hours + 60 * minutes + seconds
    numbers = [found[1] for row in rows if (found := _PERCENT.search(row))]
    present = rows[-1]
    counts = _COUNT.findall(" ".join(lines))
    shown = (*numbers, *counts)
    words = " ".join(_BAR.sub(" ", present).split())
    progress = float(numbers[0]) / 100
    return Seen(time.monotonic(), progress, left, shown, words, progress >= 1.0)


def read_hash(client: Any, keys: JobKeys) -> Seen | None:
    """Return what Redis tells, as precisely as displays show it."""
    names = ("progress", "stage_progress", "eta", "message", "done", "total")
    answer = client.hmget(keys.snapshot, names)
    if answer[0] is None:
        return None
    progress, of_stage, eta, message, done, total = answer
    numbers = f"{int(float(progress) * 1000)}", f"{int(float(of_stage) * 100)}"
    shown = (*numbers, message, done, total)
    left = float(eta) if eta else None
    return Seen(time.monotonic(), float(progress), left, shown, message, float(progress) >= 1.0)


def main() -> None:
    args = _arguments()
    if args.run_one:
        _run(args, *args.run_one)
        return
    columns = ("scenario", "seen in", "seconds", "standing still (s)", "at", "jump (points)")
    columns += ("in", "stage cut short", "to the end", "half at (%)")
    columns += ("ETA's error at each tenth (%)",)
    table = Table(columns, args.format)
    server = EmbeddedRedis.start()
    try:
        for name in args.scenarios or SCENARIOS:
            with busy(args.busy):
                places, cut, over = watch(name, server.url, args)
            for place, watcher in places.items():
                still, at = watcher.still()
                jump, where, allowed, last = watcher.jumps(cut)
                seconds = over - watcher.seen[0].at if watcher.seen else None
                half = watcher.half(over)
                table.row(
                    name,
                    place,
                    None if seconds is None else round(seconds, 1),
                    round(still, 1),
                    at[:60],
                    round(jump, 1),
                    where[:60],
                    round(allowed, 1),
                    round(last, 1),
                    None if half is None else round(half),
                    watcher.errors(over),
                )
    finally:
        server.stop()


def job_id(name: str) -> str:
    """Return what Redis calls a scenario's run."""
    return re.sub(r"\W+", "-", name)


def watch(
    name: str, url: str, args: argparse.Namespace
) -> tuple[Mapping[str, Watcher], list[float], float]:
    """Run a scenario; return what was seen where, when stages were cut short, and the end."""
    terminals = {place: Terminal() for place in ("terminal", "tqdm", "rich")}
    places = {place: Watcher() for place in ("terminal", "Redis", "tqdm", "rich")}
    keys = JobKeys(job_id(name))
    slaves = [terminal.slave for terminal in terminals.values()]
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.NamedTemporaryFile("r") as cut,
        connect(url) as client,
    ):
        client.delete(keys.snapshot)
        arguments = [name, url, json.dumps(slaves), cut.name]
        command = [sys.executable, __file__, *sys.argv[1:], ONE, *arguments]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(COLUMNS)}
        if SCENARIOS[name].cold:
            environment["NUMBA_CACHE_DIR"] = folder
        process = subprocess.Popen(command, env=environment, pass_fds=slaves)
        began = time.monotonic()
        try:
            while process.poll() is None:
                if not places["Redis"].seen and time.monotonic() - began > BEGIN_SECONDS:
                    raise RuntimeError(f"{name} has shown nothing for {BEGIN_SECONDS:.0f} s")
                for place, terminal in terminals.items():
                    places[place].look(read_screen(terminal.lines()))
                places["Redis"].look(read_hash(client, keys))
                if client.hget(keys.snapshot, "outcome"):
                    break
                time.sleep(POLL_SECONDS)
            over = time.monotonic()
            process.wait()
        finally:
            process.kill()
            process.wait()
            for terminal in terminals.values():
                os.close(terminal.slave)
        moments = [float(line) for line in Path(cut.name).read_text().splitlines()]
    return places, moments, over


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many processes at work."""
    work = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(work) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _run(args: argparse.Namespace, name: str, url: str, slaves: str, cut: str) -> None:
    from schoolbell.callbacks import ProgbarLogger

    scenario = SCENARIOS[name]
    terminal, tqdm, rich = (os.fdopen(one, "w") for one in json.loads(slaves))
    with Path(cut).open("a") as moments:
        scenario.pipeline().fit(
            callbacks=[
                ProgbarLogger("rich", terminal),
                RedisLogger(url, job_id(name), announce=False),
                Peers(tqdm, rich, moments),
            ],
            **{"seed": 1, "workers": args.workers, **scenario.fit(args)},
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Look at runs as a person does.")
    parser.add_argument(
        "scenarios",
        nargs="*",
        metavar="SCENARIO",
        help=f"one of {'; '.join(SCENARIOS)} (all)",
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/cbctt"))
    parser.add_argument("--courses", type=int, default=20_000, help="of the generated one (20000)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--busy", type=int, default=0, help="processes at work beside (0)")
    parser.add_argument(ONE, nargs=4, help=argparse.SUPPRESS)
    add_format(parser)
    args = parser.parse_args()
    for name in args.scenarios:
        if name not in SCENARIOS:
            parser.error(f"there is no scenario {name!r}; there are {'; '.join(SCENARIOS)}")
    return args


if __name__ == "__main__":
    main()
