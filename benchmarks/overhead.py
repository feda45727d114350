"""What the frame costs a batch, beside Keras, Lightning, tqdm and alive-progress.

A stage that does nothing is run from beginning to end, so what is measured is the whole of
`Pipeline.fit`, its generator and its `Batch` objects included. Keras and Lightning are called as
their own training loops call them, one begin and one end a batch. Cases take turns, so that a
machine that slows down slows all of them.

    pip install keras torch lightning alive-progress     # for the comparison only
    python benchmarks/overhead.py [--batches 200000] [--repeats 9]
    python benchmarks/overhead.py --pair ../shared/data/cbctt/comp05.ctt [--repeats 3]

With `--pair`, the same run of an instance, the same work to the last move, is made by two
processes, one with ProgbarLogger, CSVLogger, RedisLogger and TensorBoard, one without, which take
turns of half a second: while one works the other is stopped. So both meet the same machine, and
what is compared is the time that each had until it was ready.
"""

import argparse
import os
import platform
import random
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from schoolbell.callbacks import Callback, CSVLogger, ProgbarLogger, RedisLogger, TensorBoard
from schoolbell.runner import Pipeline, timetabling_pipeline, track
from schoolbell.stages import Batch, Budget, Stage, State

# Wall-clock time, and processor time of the thread that runs the stage: the first is what counts,
# the second is what it would be on a machine that has nothing else to do.
Seconds = tuple[float, float]
# Runs so many batches and returns what they took.
Case = Callable[[int], Seconds]

CALLBACKS = 4
FOUR = "fit, four callbacks"
# These get a tenth of the batches, so that all cases take about as long.
SLOW = {"fit, CSVLogger", "Keras, four callbacks", "Lightning, four callbacks"}
TOGETHER = "fit, all four loggers"
TURN_SECONDS = 0.5
# Of a run that takes about a minute of one core's time on comp05.
GENERATIONS = 28


class Empty(Stage):
    """Yields batches and does nothing."""

    name = "empty"

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def run(self, state: State, budget: Budget) -> Iterator[Batch]:
        total = self.batches
        for i in range(total):
            yield Batch(i + 1, total)


class Idle(Callback):
    """Wants every batch and does nothing with it."""

    def on_batch_end(self, batch, logs=None):
        pass


def timed(work: Callable[[], object]) -> Seconds:
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    return time.perf_counter() - wall, time.thread_time() - cpu


def bare_generator(batches: int) -> Seconds:
    def work() -> None:
        stream = Empty(batches).run(None, None)  # type: ignore[arg-type]
        for _ in stream:
            pass

    return timed(work)


def fit_with(*callbacks: Callback, time_limit: float | None = None) -> Case:
    def case(batches: int) -> Seconds:
        pipeline = Pipeline([Empty(batches)])
        return timed(
            lambda: pipeline.fit(callbacks=callbacks, verbose=False, time_limit=time_limit)
        )

    return case


def tqdm_update(batches: int) -> Seconds:
    from tqdm.std import tqdm

    with Path(os.devnull).open("w") as sink, tqdm(total=batches, file=sink) as bar:
        update = bar.update

        def work() -> None:
            for _ in range(batches):
                update()

        return timed(work)


def track_with(**options) -> Case:
    """A loop of one's own that `track` makes a run of."""

    def case(batches: int) -> Seconds:
        def work() -> None:
            for _ in track(range(batches), **options):
                pass

        return timed(work)

    return case


def tqdm_loop(batches: int) -> Seconds:
    from tqdm.std import tqdm

    def work() -> None:
        with Path(os.devnull).open("w") as sink:
            for _ in tqdm(range(batches), file=sink):
                pass

    return timed(work)


def alive_loop() -> Case:
    from alive_progress import alive_it

    def case(batches: int) -> Seconds:
        def work() -> None:
            with Path(os.devnull).open("w") as sink:
                for _ in alive_it(range(batches), file=sink, force_tty=True):
                    pass

        return timed(work)

    return case


def keras_case() -> Case:
    # Its lightest backend will do: nothing is computed.
    os.environ.setdefault("KERAS_BACKEND", "torch")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    class IdleKeras(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    def case(batches: int) -> Seconds:
        model = keras.Sequential([keras.layers.Dense(1)])
        callbacks = keras.callbacks.CallbackList(
            [IdleKeras() for _ in range(CALLBACKS)], add_history=True, model=model
        )
        logs = {"loss": 1.0, "cost": 2.0}

        def work() -> None:
            callbacks.on_train_begin()
            for batch in range(batches):
                callbacks.on_train_batch_begin(batch)
                callbacks.on_train_batch_end(batch, logs)
            callbacks.on_train_end()

        return timed(work)

    return case


def lightning_case() -> Case:
    import logging

    import lightning.pytorch as lightning
    from lightning.pytorch.trainer.call import _call_callback_hooks

    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.ERROR)

    class IdleLightning(lightning.Callback):
        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
            pass

    def case(batches: int) -> Seconds:
        trainer = lightning.Trainer(
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[IdleLightning() for _ in range(CALLBACKS)],
        )
        trainer.strategy.connect(lightning.LightningModule())

        def work() -> None:
            for batch in range(batches):
                _call_callback_hooks(trainer, "on_train_batch_start", None, batch)
                _call_callback_hooks(trainer, "on_train_batch_end", None, None, batch)

        return timed(work)

    return case


def cases(folder: Path) -> Iterator[tuple[str, Case | str]]:
    """Yield the name of each case with the case, or with what is missing for it."""
    four = [Idle() for _ in range(CALLBACKS)]
    sink = Path(os.devnull).open("w")  # noqa: SIM115
    yield "bare generator", bare_generator
    yield "fit, no callbacks", fit_with()
    yield "fit, no callbacks, time limit", fit_with(time_limit=3600)
    yield FOUR, fit_with(*four)
    yield "fit, ProgbarLogger (plain)", fit_with(ProgbarLogger("plain", sink))
    yield "fit, ProgbarLogger (rich)", fit_with(ProgbarLogger("rich", _Terminal()))
    yield "fit, CSVLogger", fit_with(CSVLogger(folder / "log.csv"))
    yield "fit, TensorBoard", fit_with(TensorBoard(folder / "board"))
    try:
        loggers = all_loggers(folder)
    except OSError as error:
        yield TOGETHER, f"not measured: {error}"
    else:
        yield TOGETHER, fit_with(*loggers)
    yield "tqdm.update", tqdm_update
    yield "track, no bar", track_with(verbose=False)
    yield "track, bar (plain)", track_with(callbacks=ProgbarLogger("plain", sink))
    yield "track, bar (rich)", track_with(callbacks=ProgbarLogger("rich", _Terminal()))
    yield "for _ in tqdm(...)", tqdm_loop
    try:
        yield "for _ in alive_it(...)", alive_loop()
    except ImportError as error:
        yield "for _ in alive_it(...)", f"not measured: {error}; pip install alive-progress"
    for name, make in (("Keras", keras_case), ("Lightning", lightning_case)):
        title = f"{name}, four callbacks"
        try:
            yield title, make()
        except ImportError as error:
            yield title, f"not measured: {error}; pip install keras torch lightning"


def all_loggers(folder: Path) -> list[Callback]:
    """Return the loggers of a run that is watched everywhere; Redis is one of its own."""
    redis = RedisLogger(announce=False, keep_server=False)
    return [
        ProgbarLogger("rich", _Terminal()),
        CSVLogger(folder / "all.csv"),
        redis,
        TensorBoard(folder / "all"),
    ]


class _Terminal:
    """A terminal that swallows what rich draws."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for package in ("schoolbell", "keras", "lightning", "tqdm"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def make_run(instance: Path, watched: bool, folder: Path) -> None:
    """Be one of the two processes of a pair: get ready, wait for a line, run, tell the time."""
    timetabling_pipeline().fit(instance, verbose=False, time_limit=2)
    callbacks = all_loggers(folder) if watched else []
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    run = timetabling_pipeline(ga__generations=GENERATIONS).fit(
        instance, callbacks=callbacks, seed=1, workers=1, verbose=False
    )
    print(f"{time.process_time() - began} {run.cost}", flush=True)


def take_turns(instance: Path, folder: Path) -> list[Seconds]:
    """Run a pair and return wall and processor time of each, the one without loggers first."""
    command = [sys.executable, __file__, "--run", str(instance), "--folder", str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    pair = [subprocess.Popen(command + more, **pipes) for more in ([], ["--watched"])]
    walls, told = [0.0, 0.0], ["", ""]
    try:
        for one in pair:
            assert one.stdout.readline() == "ready\n"
            one.send_signal(signal.SIGSTOP)
            one.stdin.write("go\n")
            one.stdin.flush()
        turn = random.randrange(2)
        while not all(told):
            if not told[turn]:
                told[turn], seconds = one_turn(pair[turn])
                walls[turn] += seconds
            turn = 1 - turn
    finally:
        for one in pair:
            # When it is done it ends by itself.
            one.send_signal(signal.SIGCONT)
            if not all(told):
                one.terminate()
            one.wait()
    cpus, costs = zip(*(map(float, text.split()) for text in told), strict=True)
    if costs[0] != costs[1]:
        sys.exit(f"the two runs did not do the same work: costs {costs}")
    return list(zip(walls, cpus, strict=True))


def one_turn(process: subprocess.Popen) -> tuple[str, float]:
    """Let a process work for a moment; return what it told at its end, if it came to that."""
    began = time.perf_counter()
    process.send_signal(signal.SIGCONT)
    ready, _, _ = select.select([process.stdout], [], [], TURN_SECONDS)
    # Before it is stopped, which may be in the midst of the line.
    told = process.stdout.readline() if ready else ""
    process.send_signal(signal.SIGSTOP)
    return told, time.perf_counter() - began


def compare(instance: Path, repeats: int) -> None:
    """Print the pairs, and by how much the loggers lengthen the run."""
    print(f"{versions()}; {instance.stem}, turns of {TURN_SECONDS} s")
    columns = {"without": 10, "with": 10, "more": 9, "cpu": 10, "cpu with": 10, "more cpu": 9}
    print(f"{'seconds':12}{''.join(name.rjust(width) for name, width in columns.items())}")
    more: list[Seconds] = []
    for number in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            (wall, cpu), (wall_with, cpu_with) = take_turns(instance, Path(folder))
        more.append((wall_with / wall - 1, cpu_with / cpu - 1))
        cells = f"{wall:10.2f}{wall_with:10.2f}{more[-1][0]:9.2%}"
        print(f"pair {number + 1:<7}{cells}{cpu:10.2f}{cpu_with:10.2f}{more[-1][1]:9.2%}")
    medians = [statistics.median(one) for one in zip(*more, strict=True)]
    print(f"{'median':32}{medians[0]:9.2%}{'':20}{medians[1]:9.2%}")


def main() -> None:
    parser = argparse.ArgumentParser(description="What the frame costs a batch.")
    parser.add_argument("--batches", type=int, default=200_000, help="batches a measurement")
    parser.add_argument("--repeats", type=int, default=9, help="measurements a case")
    parser.add_argument("--pair", type=Path, help="an instance, for a run with and without loggers")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--watched", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        make_run(args.run, args.watched, args.folder)
    elif args.pair:
        compare(args.pair, args.repeats)
    else:
        measure(args.batches, args.repeats)


def measure(batches_of_fast: int, repeats: int) -> None:
    """Print what a batch costs in each case."""
    taken: dict[str, list[Seconds]] = {}
    with tempfile.TemporaryDirectory() as folder:
        listed = dict(cases(Path(folder)))
        for _ in range(repeats):
            for name, case in listed.items():
                if not isinstance(case, str):
                    batches = max(1, batches_of_fast // (10 if name in SLOW else 1))
                    wall, cpu = case(batches)
                    taken.setdefault(name, []).append((wall / batches, cpu / batches))

    print(f"{versions()}; medians of {repeats} repeats of {batches_of_fast:,} batches")
    print(f"{'µs a batch':32}{'wall':>9}{'least':>9}{'most':>9}{'cpu':>9}{'x four':>9}")
    four = statistics.median(wall for wall, _ in taken[FOUR])
    for name, case in listed.items():
        if isinstance(case, str):
            print(f"{name:32}{case}")
            continue
        walls, cpus = zip(*taken[name], strict=True)
        wall, cpu = statistics.median(walls), statistics.median(cpus)
        figures = (wall, min(walls), max(walls), cpu)
        print(f"{name:32}{''.join(f'{one * 1e6:9.3f}' for one in figures)}{wall / four:9.2f}")


if __name__ == "__main__":
    main()
