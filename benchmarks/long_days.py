"""Days of many timeslots: whether the search counts them right, and how fast it is.

    python benchmarks/long_days.py [--formulations UD1,UD2,UD3,UD4,UD5]
        [--timeslots 5,17,18,20,28,32,33,64] [--moves 200000] [--format markdown]

An instance of 60 courses with that many timeslots a day is annealed from hot to cold,
and from a timetable full of violations. After every 10,000 moves the violations and the
cost that the moves' changes have summed up to are compared with those of a plain
evaluation; the run ends where they differ. Up to 16 timeslots a day a day's cost is
looked up in a table, from 17 on it is computed. The speed is of processor time, without
the comparisons.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
from measuring import Table, add_format
from schoolbell.stages.timetable import Formulation, Instance, Solution, evaluate, generate
from schoolbell.stages.timetable.search import (
    Anneal,
    Schedule,
    anneal_chunk,
    build_search_problem,
    random_state,
    start_anneal,
)
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable

COLUMNS = ("formulation", "timeslots a day", "moves accepted", "comparisons", "million moves/s")
BETWEEN = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Check and time the search of long days.")
    parser.add_argument("--formulations", default="UD1,UD2,UD3,UD4,UD5")
    parser.add_argument("--timeslots", default="5,17,18,20,28,32,33,64")
    parser.add_argument("--moves", type=int, default=200_000)
    add_format(parser)
    args = parser.parse_args()
    table = Table(COLUMNS, args.format)
    for name in args.formulations.split(","):
        for slots in map(int, args.timeslots.split(",")):
            instance = replace(generate(60, seed=1), periods_per_day=slots, unavailability=())
            table.row(name, slots, *_row(instance, Formulation.of(name), args.moves))


def _row(instance: Instance, formulation: Formulation, moves: int) -> tuple[int, int, float]:
    problem = build_search_problem(instance, formulation)
    start = greedy_timetable(instance, np.random.default_rng(1))
    schedules = (
        Schedule(30.0, 0.16, moves),
        Schedule(1e6, 1e5, moves, violation=1.0, kempe=0.3),
    )
    accepted = comparisons = 0
    seconds = 0.0
    for schedule in schedules:
        rng = random_state(np.random.SeedSequence(1))
        anneal = start_anneal(problem, *start, schedule, rng)
        anneal_chunk(problem, anneal, schedule, 1)
        while anneal.moves_left:
            begun = time.process_time()
            anneal_chunk(problem, anneal, schedule, BETWEEN)
            seconds += time.process_time() - begun
            _compare(instance, formulation, anneal)
            comparisons += 1
        accepted += int(anneal.clock[5])
    return accepted, comparisons, len(schedules) * moves / seconds / 1e6


def _compare(instance: Instance, formulation: Formulation, anneal: Anneal) -> None:
    places = (anneal.timetable.period, anneal.timetable.room)
    solution = Solution.of_lectures(instance, *(one.astype(np.int32) for one in places))
    found = evaluate(solution, formulation)
    summed = anneal.timetable.total.tolist()
    if summed != [found.violations, found.cost]:
        raise SystemExit(f"summed up {summed}, evaluated {[found.violations, found.cost]}")


if __name__ == "__main__":
    main()
