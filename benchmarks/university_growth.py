"""How the search for whole universities grows with them.

    python benchmarks/university_growth.py [--classes 500,2000,10000] [--time 120]
        [--format markdown]

Each size is a generated university of twice as many students, in a process of its own:
what reading, reducing and laying it out take, moves a second by kind (of one class, of
chains of classes, of students) from hot to warm, and one run of the whole pipeline with
one worker and a time limit: when its first timetable without violations was there, what it
leaves, and the most memory. Moves are counted in seconds of the thread's own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Table, add_format
from schoolbell.runner import university_pipeline
from schoolbell.stages.search.random import random_state
from schoolbell.stages.university import Instance, generate, reduce
from schoolbell.stages.university.search.annealing import Schedule, anneal_chunk, start_anneal
from schoolbell.stages.university.search.places import Translation
from schoolbell.stages.university.search.search_problem import build_search_problem
from schoolbell.stages.university.search.temperatures import usual_change
from schoolbell.stages.university.search.timetable import build_timetable
from university import FirstFeasible

COLUMNS = ("classes", "students", "read (s)", "reduced (s)", "laid out (s)")
COLUMNS += ("thousand moves a second: a class", "chains", "students", "feasible (s)")
COLUMNS += ("violations", "cost", "memory (MB)")

# Moves until the worst is settled, and moves that are measured, of each kind.
SETTLING, MOVES = 200_000, 50_000

# Parts of moves that are of students, and of those of classes that are chains.
KINDS = {"a class": (0.0, 0.0), "chains": (0.0, 1.0), "students": (1.0, 0.0)}

USUAL = 0.4, 0.15

# The option by which the benchmark starts itself for one size.
ONE = "--measure-one"


def main() -> None:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--classes", default="500,2000,10000", help="with commas")
    parser.add_argument("--time", type=float, default=120.0, help="seconds a run (120)")
    parser.add_argument(ONE, type=int)
    add_format(parser)
    args = parser.parse_args()
    if args.measure_one:
        print(json.dumps(_measure(args.measure_one, args.time)))
        return
    table = Table(COLUMNS, args.format)
    for classes in args.classes.split(","):
        command = [sys.executable, __file__, ONE, classes, "--time", str(args.time)]
        found = subprocess.run(command, check=True, capture_output=True, text=True)
        table.row(*json.loads(found.stdout.splitlines()[-1]))


def _measure(classes: int, seconds: float) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "university.xml.gz"
        # In another process, whose memory is not this one's.
        making = (
            "import sys; from schoolbell.stages.university import generate;"
            "n = int(sys.argv[1]); generate(n, 2 * n, seed=1).write(sys.argv[2])"
        )
        subprocess.run([sys.executable, "-c", making, str(classes), str(path)], check=True)
        first = FirstFeasible()
        university_pipeline().fit(generate(20), time_limit=3.0, seed=0, verbose=0)
        run = university_pipeline().fit(
            path, callbacks=[first], verbose=0, seed=1, workers=1, time_limit=seconds
        )
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        began = time.perf_counter()
        instance = Instance.read(path)
        read = time.perf_counter() - began
    began = time.perf_counter()
    reduction = reduce(instance)
    reduced = time.perf_counter() - began
    began = time.perf_counter()
    problem = build_search_problem(reduction.instance)
    laid_out = time.perf_counter() - began
    places = Translation(reduction, problem).draw(np.random.default_rng(0))
    timetable = build_timetable(problem, *places)
    warm = usual_change(problem, instance)
    speeds = []
    for students, chains in (USUAL, *KINDS.values()):
        schedule = Schedule(warm, 0.5 * warm, MOVES, chains=chains, students=students)
        state = random_state(np.random.SeedSequence(0))
        anneal = start_anneal(timetable, schedule, state)
        moves = MOVES if speeds else SETTLING
        began = time.thread_time()
        anneal_chunk(problem, timetable, anneal, schedule, moves)
        speeds.append(moves / (time.thread_time() - began) / 1000)
    return [
        classes,
        2 * classes,
        *(round(one, 2) for one in (read, reduced, laid_out)),
        *(round(one) for one in speeds[1:]),
        None if first.seconds is None else round(first.seconds, 1),
        run.violations,
        run.cost,
        memory,
    ]


if __name__ == "__main__":
    main()
