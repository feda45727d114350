"""What the frame costs a batch, beside Keras, Lightning and tqdm.

A stage that does nothing is run from beginning to end, so what is measured is the whole of
`Pipeline.fit`, its generator and its `Batch` objects included. Keras and Lightning are called as
their own training loops call them, one begin and one end a batch. Cases take turns, so that a
machine that slows down slows all of them.

    pip install keras torch lightning     # for the comparison only
    python benchmarks/overhead.py [--batches 200000] [--repeats 9]
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from schoolbell.callbacks import Callback, CSVLogger, ProgbarLogger
from schoolbell.runner import Pipeline
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
    yield "tqdm.update", tqdm_update
    for name, make in (("Keras", keras_case), ("Lightning", lightning_case)):
        title = f"{name}, four callbacks"
        try:
            yield title, make()
        except ImportError as error:
            yield title, f"not measured: {error}; pip install keras torch lightning"


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


def main() -> None:
    parser = argparse.ArgumentParser(description="What the frame costs a batch.")
    parser.add_argument("--batches", type=int, default=200_000, help="batches a measurement")
    parser.add_argument("--repeats", type=int, default=9, help="measurements a case")
    args = parser.parse_args()

    taken: dict[str, list[Seconds]] = {}
    with tempfile.TemporaryDirectory() as folder:
        listed = dict(cases(Path(folder)))
        for _ in range(args.repeats):
            for name, case in listed.items():
                if not isinstance(case, str):
                    batches = max(1, args.batches // (10 if name in SLOW else 1))
                    wall, cpu = case(batches)
                    taken.setdefault(name, []).append((wall / batches, cpu / batches))

    print(f"{versions()}; medians of {args.repeats} repeats of {args.batches:,} batches")
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
