"""What it costs to come back from the kernels for callbacks, stops and the clock.

    python benchmarks/chunks.py [--moves 20] [--repeats 9] [--format markdown] FILES…

One anneal of UD2 does the same million moves in one call of the kernel and in
chunks as the genetic algorithm makes them, in turns; medians of the ratios, and how
long a chunk takes at most.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
from measuring import Table, add_format
from schoolbell.stages.evolution.annealing_job import AnnealingJob
from schoolbell.stages.timetable import Formulation, Instance
from schoolbell.stages.timetable.breeding.timetable_anneal import TimetableAnneal
from schoolbell.stages.timetable.search import (
    Schedule,
    anneal_chunk,
    build_search_problem,
    random_state,
    start_anneal,
)
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable
from schoolbell.stages.timetable.timetable_problem import MOVES_PER_SECOND

COLUMNS = ("instance", "chunks", "in chunks / in one call", "median chunk (ms)", "longest (ms)")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what chunks cost.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILES")
    parser.add_argument("--moves", type=float, default=20.0, help="million moves")
    parser.add_argument("--repeats", type=int, default=9)
    add_format(parser)
    args = parser.parse_args()
    table = Table(COLUMNS, args.format)
    for file in args.files:
        instance = Instance.read(file)
        problem = build_search_problem(instance, Formulation.UD2)
        schedule = Schedule(start=1.0, end=0.2, moves=int(args.moves * 1e6))
        start = greedy_timetable(instance, np.random.default_rng(1))

        def job(problem=problem, schedule=schedule, start=start) -> AnnealingJob:
            rng = random_state(np.random.SeedSequence(1))
            anneal = start_anneal(problem, *start, schedule, rng)
            return AnnealingJob(TimetableAnneal(problem, anneal, schedule), MOVES_PER_SECOND)

        anneal_chunk(problem, job().anneal.anneal, schedule, 1000)
        ratios, chunks = [], []
        for _ in range(args.repeats):
            whole = _in_one_call(job())
            chunks = _in_chunks(job())
            ratios.append(sum(chunks) / whole)
        longest = max(chunks)
        row = (len(chunks), statistics.median(ratios), 1e3 * statistics.median(chunks))
        table.row(file.stem, *row, 1e3 * longest)


def _in_one_call(job: AnnealingJob) -> float:
    begun = time.process_time()
    job.anneal.chunk(job.anneal.moves).run()
    return time.process_time() - begun


def _in_chunks(job: AnnealingJob) -> list[float]:
    """Return the processor time of each chunk, with what is done between two."""
    took = []
    while job.moves_left > 0:
        begun = time.process_time()
        job.take(job.anneal.chunk(job.next_chunk()).run())
        took.append(time.process_time() - begun)
    return took


if __name__ == "__main__":
    main()
