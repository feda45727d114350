"""Settings of the search beside each other, by moves and not by time.

    python benchmarks/settings.py [--moves 20] [--seeds 1,2,3,4] [--engine anneal|ga]
        [--formulation UD2] [--format markdown] [--setting NAME=VALUE,…]… FILES…

Mean cost over the seeds, by instance, and the sum. Each ``--setting`` is one row:
values of the schedule of one anneal from a greedy timetable (``--engine anneal``),
or of the genetic algorithm's parameters without CP-SAT before it (``--engine ga``;
its founders get `FOUNDERS` of the moves, its children as long an anneal each as the
setting's ``child_part`` of a founder's). The moves are the same whatever the machine
does beside, so the costs repeat exactly; the time for them is the machine's.
"""

import argparse
import ast
import statistics
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measuring import FORMATS, Table
from schoolbell.runner import timetabling_pipeline
from schoolbell.stages.timetable import Formulation, Instance
from schoolbell.stages.timetable.search import (
    Schedule,
    anneal_chunk,
    build_search_problem,
    random_state,
    start_anneal,
)
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable

# Part of the moves that the founders of a population get.
FOUNDERS = 0.6
# What a violation adds to the cost in the table.
VIOLATION = 1000


def main() -> None:
    args = _arguments()
    table = Table(["setting", *(file.stem for file in args.files), "sum"], args.format)
    run = partial({"anneal": anneal, "ga": evolve}[args.engine], args.formulation)
    for text in args.setting or [""]:
        means = [
            statistics.fmean(
                run(Instance.read(file), args.moves * 1e6, seed, _values(text))
                for seed in args.seeds
            )
            for file in args.files
        ]
        table.row(text or "(defaults)", *means, sum(means))


def anneal(
    formulation: str, instance: Instance, moves: float, seed: int, values: Mapping[str, Any]
) -> int:
    """Anneal a greedy timetable once; return the cost."""
    problem = build_search_problem(instance, Formulation.of(formulation))
    schedule = Schedule(**{"start": 30.0, "end": 0.16, "moves": int(moves), **values})
    start = greedy_timetable(instance, np.random.default_rng(seed))
    rng = random_state(np.random.SeedSequence(seed))
    result = anneal_chunk(
        problem, start_anneal(problem, *start, schedule, rng), schedule, schedule.moves
    )
    violations, cost = (int(value) for value in result.best_total)
    return cost + VIOLATION * violations


def evolve(
    formulation: str, instance: Instance, moves: float, seed: int, values: Mapping[str, Any]
) -> int:
    """Evolve a population with a number of moves in all; return the cost."""
    options = {"population": 4, "offspring": 1, "child_part": 0.5, **values}
    child_part = options.pop("child_part")
    per_lecture = moves / instance.n_lectures
    founder_moves = max(int(per_lecture * FOUNDERS / options["population"]), 1)
    child_moves = max(int(founder_moves * child_part), 1)
    children = per_lecture * (1 - FOUNDERS) / child_moves
    options |= {
        "founder_moves": founder_moves,
        "child_moves": child_moves,
        "generations": int(children / options["offspring"]),
    }
    pipeline = timetabling_pipeline(formulation, cp_sat=None, rl=None, ga=options)
    run = pipeline.fit(instance, seed=seed, workers=1, verbose=False)
    if run.cost is None or run.violations is None:
        raise SystemExit(f"no timetable for {instance.name}")
    return int(run.cost) + VIOLATION * run.violations


def _values(text: str) -> dict[str, Any]:
    """Read ``NAME=VALUE,…``; commas within brackets belong to a value."""
    call = ast.parse(f"settings({text})", mode="eval").body
    if not isinstance(call, ast.Call) or call.args:
        raise SystemExit(f"a setting is NAME=VALUE,…, not {text!r}")
    return {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare settings of the search by moves.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILES")
    parser.add_argument("--moves", type=float, default=20.0, help="million moves a run")
    parser.add_argument(
        "--seeds", type=lambda text: [int(one) for one in text.split(",")], default=[1, 2, 3, 4]
    )
    parser.add_argument("--engine", choices=("anneal", "ga"), default="anneal")
    parser.add_argument("--formulation", default="UD2")
    parser.add_argument("--setting", action="append", metavar="NAME=VALUE,…")
    parser.add_argument("--format", choices=FORMATS, default="markdown")
    return parser.parse_args()


if __name__ == "__main__":
    main()
