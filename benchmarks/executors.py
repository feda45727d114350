"""What a run makes of the workers that it is given: threads, processes, Dask's.

    python benchmarks/executors.py [--instances erlangen2012_1,comp12] [--time 60]
        [--seeds 1] [--executors threads-2,dask-1,dask-2] [--format markdown]
    python benchmarks/executors.py --ends [--time 10] [--executors ...]

Each run is in a process of its own, with a time limit, by the whole pipeline.
Executors are ``threads``, ``processes``, ``loky``, ``dask`` (workers of one thread each,
joined by TCP) and ``mpi``, with the number of workers. Moves are those of the genetic
algorithm's anneals; `seconds` is what `fit` took, and `end` what the process took from
there to its end, once nobody holds it. Processor seconds are those of the process and of
all that it has started: on a busy machine moves in these compare, and moves do not. A
first, uncounted run compiles the kernels.

With ``--ends`` it is only measured how soon a process ends once a time limit has ended
its run: without a run, in which the workers do nothing; with batches that sleep for a
minute; and with the whole pipeline.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from measuring import Table, add_format, seeds_of
from schoolbell.runner import Pipeline, timetabling_pipeline
from schoolbell.stages import MapBatches
from schoolbell.stages.evolution.evolution import Evolution
from schoolbell.stages.needing import needing
from schoolbell.stages.timetable import generate

COLUMNS = ("instance", "executor", "workers", "seed", "cost", "violations", "million moves")
COLUMNS += ("seconds", "end (s)", "processor (s)", "thousand moves a processor second")
INSTANCES = Path(__file__).resolve().parents[2] / "shared" / "data" / "cbctt"

ENDS = ("executor", "workers", "run", "fit (s)", "end (s)")
NOTHING, SLEEP, WHOLE = "none", "batches that sleep", "the whole pipeline"

# The option by which the benchmark starts itself for one run.
ONE = "--measure-one"


def main() -> None:
    args = _arguments()
    if args.measure_one:
        _measure(json.loads(args.measure_one))
        return
    timetabling_pipeline().fit(generate(30), time_limit=2.0, verbose=False)
    if args.ends:
        _measure_ends(args)
        return
    table = Table(COLUMNS, args.format)
    for instance in args.instances.split(","):
        for seed in args.seeds:
            for executor in args.executors.split(","):
                kind, workers = executor.rsplit("-", 1)
                table.row(*_in_a_process(args, instance, kind, int(workers), seed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare executors.")
    parser.add_argument("--instances", default="erlangen2012_1,comp12", help="with commas")
    parser.add_argument("--time", type=float, default=60.0, help="seconds a run (60)")
    parser.add_argument("--seeds", type=seeds_of, default=[1], help="as 1-3 or 1,2 (1)")
    parser.add_argument("--executors", default="threads-2,dask-1,dask-2", help="with commas")
    parser.add_argument("--ends", action="store_true", help="measure the ends of processes")
    parser.add_argument(ONE, help=argparse.SUPPRESS)
    add_format(parser)
    return parser.parse_args()


def _measure_ends(args: argparse.Namespace) -> None:
    table = Table(ENDS, args.format)
    for executor in args.executors.split(","):
        kind, workers = executor.rsplit("-", 1)
        for run in (NOTHING, SLEEP, WHOLE):
            (seconds, ended), now, _ = _started([run, kind, int(workers), 1, args.time])
            table.row(kind, workers, run, round(seconds, 1), round(now - ended, 1))


def _in_a_process(
    args: argparse.Namespace, instance: str, kind: str, workers: int, seed: int
) -> tuple[Any, ...]:
    path = next(INSTANCES.rglob(f"{instance}.*ctt"))
    told, now, taken = _started([str(path), kind, workers, seed, args.time])
    cost, violations, moves, seconds, ended = told
    end = now - ended
    values = cost, violations, round(moves / 1e6), round(seconds, 1), round(end, 1)
    values += round(taken, 1), round(moves / taken / 1e3)
    return instance, kind, workers, seed, *values


def _started(task: list[Any]) -> tuple[list[Any], float, float]:
    """Measure in a process; return what it tells, when it ended, and its processor seconds."""
    command = [sys.executable, __file__, ONE, json.dumps(task)]
    before = _processor_seconds()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    now = time.time()
    return json.loads(done.stdout.splitlines()[-1]), now, _processor_seconds() - before


def _processor_seconds() -> float:
    """Return what processes that have ended have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _measure(task: list[Any]) -> None:
    path, kind, workers, seed, seconds = task
    made = _count_moves()
    with _executor(kind, workers) as executor:
        if path in (NOTHING, SLEEP, WHOLE):
            print(json.dumps([_run_to_end(path, executor, workers, seconds), time.time()]))
            return
        run = timetabling_pipeline().fit(
            path,
            seed=seed,
            time_limit=seconds,
            executor=executor,
            workers=workers,
            verbose=False,
        )
        print(json.dumps([run.cost, run.violations, sum(made), run.seconds, time.time()]))


def _run_to_end(what: str, executor: Any, workers: int, seconds: float) -> float:
    """Have a run ended by its time limit; return what it took."""
    # Here the workers are at last there.
    list(executor.map(abs, range(2 * workers)))
    if what == NOTHING:
        return 0.0
    stage, problem = MapBatches(_sleep, range(2 * workers)), None
    pipeline = Pipeline([stage])
    if what == WHOLE:
        pipeline, problem = timetabling_pipeline(), generate(60)
    run = pipeline.fit(
        problem, time_limit=seconds, executor=executor, workers=workers, verbose=False
    )
    return run.seconds


def _sleep(batch: Any) -> None:
    time.sleep(60)


def _count_moves() -> list[int]:
    """Have the moves of anneals noted, wherever they are made."""
    made: list[int] = []
    anneal = Evolution._anneal

    def counting(self: Evolution, brood: Any, steps: int | None) -> Iterator[Any]:
        before = sum(job.moves_made for job in brood.jobs)
        try:
            yield from anneal(self, brood, steps)
        finally:
            made.append(sum(job.moves_made for job in brood.jobs) - before)

    Evolution._anneal = counting  # pyright: ignore[reportAttributeAccessIssue]
    return made


@contextmanager
def _executor(kind: str, workers: int) -> Iterator[Any]:
    with ExitStack() as stack:
        if kind == "threads":
            yield stack.enter_context(ThreadPoolExecutor(workers))
        elif kind == "processes":
            context = get_context("spawn")
            yield stack.enter_context(ProcessPoolExecutor(workers, mp_context=context))
        elif kind == "loky":
            with needing("this executor"):
                from loky import get_reusable_executor
            yield get_reusable_executor(workers)
        elif kind == "mpi":
            with needing("this executor"):
                from mpi4py.futures import MPIPoolExecutor
            yield stack.enter_context(MPIPoolExecutor(workers))
        else:
            with needing("this executor", "dask"):
                from dask.distributed import Client, LocalCluster
            cluster = stack.enter_context(
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            )
            client = stack.enter_context(Client(cluster))
            yield client.get_executor(pure=False)


if __name__ == "__main__":
    main()
