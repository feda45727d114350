"""How the solver grows with the instance: speed, memory and time to a feasible timetable.

    python benchmarks/scaling.py [--lectures 2000,10000,50000] [--time 120]
        [--workers 2] [--formulation UD2] [--seed 1] [--format markdown]

Instances are generated, of about the lectures asked for. Each is measured in a
process of its own, by the whole pipeline from the file's path to the end of its time:
the time to the first timetable without violations (reading included), the peak of
the process's memory, and for each stage the longest time between two of its
yields, which is how long a stop, a pause or Ctrl-C may wait. Then one core
anneals alone for some seconds: million moves in a second of processor time, in the
usual mix of moves, and the size of the arrays that describe the instance and one
timetable. A first, uncounted run compiles the kernels.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from measuring import FirstFeasible, Table, add_format
from schoolbell.runner import timetabling_pipeline
from schoolbell.stages import Batch, Stage
from schoolbell.stages.timetable import Formulation, Instance, generate
from schoolbell.stages.timetable.search import (
    Schedule,
    anneal_chunk,
    build_search_problem,
    random_state,
    start_anneal,
)
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable

COLUMNS = ("lectures", "courses", "rooms", "feasible after (s)", "violations", "cost")
COLUMNS += ("million moves/s", "arrays (MB)", "arrays, bytes a lecture", "peak memory (MB)")
COLUMNS += ("longest gap between yields (s)", "in stage")

# The option by which the benchmark starts itself for one instance.
ONE = "--measure-one"

# Lectures of a generated course, on average.
LECTURES_A_COURSE = 3.45

# What the speed is measured with: moves in a chunk, seconds in all, and a
# temperature at which about one move in twenty is accepted.
CHUNK, SECONDS, TEMPERATURE = 100_000, 5.0, 2.0


def main() -> None:
    args = _arguments()
    if args.measure_one:
        print(json.dumps(measure(args, args.measure_one)))
        return
    table = Table(COLUMNS, args.format)
    with tempfile.TemporaryDirectory() as folder:
        _warm_up(args.formulation)
        for lectures in args.lectures:
            path = Path(folder, f"{lectures}.ectt")
            generate(round(lectures / LECTURES_A_COURSE), args.seed).write(path)
            table.row(*_in_a_process(path).values())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how the solver grows.")
    parser.add_argument(
        "--lectures",
        type=lambda text: [int(size) for size in text.split(",")],
        default=[2000, 10_000, 50_000],
        help="sizes, with commas (2000,10000,50000)",
    )
    parser.add_argument("--time", type=float, default=120.0, help="seconds a run (120)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--formulation", default="UD2")
    parser.add_argument(ONE, type=Path, help=argparse.SUPPRESS)
    add_format(parser)
    return parser.parse_args()


def _in_a_process(path: Path) -> dict[str, Any]:
    """Measure one instance where no other one has used memory before."""
    command = [sys.executable, __file__, *sys.argv[1:], ONE, str(path)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output)


def _warm_up(formulation: str) -> None:
    timetabling_pipeline(formulation).fit(generate(30), time_limit=2.0, verbose=False)


def measure(args: argparse.Namespace, path: Path) -> dict[str, Any]:
    """Return a row of the table by its columns."""
    pipeline = timetabling_pipeline(args.formulation)
    gaps = {stage.name: _watch_yields(stage) for stage in pipeline.stages}
    watch = FirstFeasible()
    run = pipeline.fit(
        path,
        callbacks=[watch],
        seed=args.seed,
        time_limit=args.time,
        workers=args.workers,
        verbose=False,
    )
    # Of the pipeline alone: the anneals below come on top of what it holds.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    longest = {name: max(times, default=0.0) for name, times in gaps.items()}
    stage = max(longest, key=lambda name: longest[name])
    instance = run.state.instance
    speed, size = _speed_and_size(instance, Formulation.of(args.formulation), args.seed)
    values = (
        instance.n_lectures,
        instance.n_courses,
        instance.n_rooms,
        None if watch.seconds is None else round(watch.seconds, 2),
        run.violations,
        run.cost,
        round(speed / 1e6, 2),
        round(size / 1e6, 2),
        round(size / instance.n_lectures),
        round(peak),
        round(longest[stage], 2),
        stage,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _watch_yields(stage: Stage) -> list[float]:
    """Have a stage note the seconds between its yields; what the runner takes is not counted."""
    times: list[float] = []
    run = stage.run

    def watched(state: Any, budget: Any) -> Iterator[Batch | None]:
        began = time.perf_counter()
        for batch in run(state, budget):
            times.append(time.perf_counter() - began)
            yield batch
            began = time.perf_counter()
        times.append(time.perf_counter() - began)

    stage.run = watched
    return times


def _speed_and_size(instance: Instance, formulation: Formulation, seed: int) -> tuple[float, int]:
    """Return the moves a second of one core, and the bytes of the search's arrays."""
    problem = build_search_problem(instance, formulation)
    schedule = Schedule(TEMPERATURE, TEMPERATURE / 2, moves=2**40)
    rng = np.random.default_rng(seed)
    anneal = start_anneal(
        problem,
        *greedy_timetable(instance, rng),
        schedule,
        random_state(np.random.SeedSequence(seed)),
    )
    size = _bytes(problem) + _bytes(anneal.timetable)
    anneal_chunk(problem, anneal, schedule, CHUNK)
    moves, began = 0, time.process_time()
    while time.process_time() - began < SECONDS:
        anneal_chunk(problem, anneal, schedule, CHUNK)
        moves += CHUNK
    return moves / (time.process_time() - began), size


def _bytes(arrays: Any) -> int:
    values = (getattr(arrays, field.name) for field in fields(arrays))
    # By their addresses: some arrays are another view of the same memory.
    sizes = {value.ctypes.data: value.nbytes for value in values if isinstance(value, np.ndarray)}
    return sum(sizes.values())


if __name__ == "__main__":
    main()
