"""Whether large neighbourhoods that CP-SAT solves improve what the search has found.

    python benchmarks/neighbourhoods.py [--time 20] [--workers 1] [--seeds 1,2,3]
        [--before 20] [--solve 1.0] [--formulation UD2] [--format markdown] FILES…

The pipeline makes a timetable in ``--before`` seconds. From it, each row spends
``--time`` seconds in another way: the genetic algorithm goes on, or CP-SAT frees
some courses, solves for their periods from the present ones as a hint, at most
``--solve`` seconds at a time, gives rooms anew and keeps what is no worse. Freed are
one of Louvain's clusters, as many courses at random, or the courses of a day.
Medians over the seeds.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measuring import Table, add_fits, median
from numpy.typing import NDArray
from schoolbell.runner import Pipeline, timetabling_pipeline
from schoolbell.stages import Batch, Budget, Stage, State
from schoolbell.stages.problem import SolveLimits
from schoolbell.stages.tasks.stop_flag import StopFlag
from schoolbell.stages.timetable import Formulation, Solution, evaluate
from schoolbell.stages.timetable.periods.draft import Draft
from schoolbell.stages.timetable.periods.period_model import improve
from schoolbell.stages.timetable.periods.period_problem import PeriodRelaxation
from schoolbell.stages.timetable.search.building.room_assignment import RoomProblem, assign_rooms

COLUMNS = ("instance", "way", "before", "after", "tries", "better", "proved best of the part")

Choice = Callable[[Draft, NDArray[np.int64], np.random.Generator], NDArray[np.intp]]


def one_cluster(
    draft: Draft, clusters: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Free the courses of a cluster."""
    return np.flatnonzero(clusters == rng.choice(clusters))


def random_courses(
    draft: Draft, clusters: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Free as many courses as a cluster has, drawn at random."""
    return np.sort(rng.permutation(len(clusters))[: len(one_cluster(draft, clusters, rng))])


def one_day(
    draft: Draft, clusters: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Free the courses that have a lecture on a day."""
    instance = draft.instance
    by_day = draft.placed.reshape(instance.n_courses, instance.days, -1).any(axis=2)
    return np.flatnonzero(by_day[:, rng.integers(instance.days)])


WAYS: dict[str, Choice] = {
    "CP-SAT, a cluster": one_cluster,
    "CP-SAT, random courses": random_courses,
    "CP-SAT, a day": one_day,
}


class KeepClusters(Stage):
    """Keep the clusters that the stage before has found."""

    name, unit, share = "keeping", "step", 0.01
    clusters: NDArray[np.int64]

    def run(self, state: State, budget: Budget) -> Iterator[Batch]:
        self.clusters = state.clusters.astype(np.int64)
        yield Batch(1, 1)


@dataclass(frozen=True)
class Start:
    """A timetable, its clusters of courses, and the seed that it was made with."""

    solution: Solution
    cost: int
    clusters: NDArray[np.int64]
    seed: int


def main() -> None:
    args = _arguments()
    formulation = Formulation.of(args.formulation)
    table = Table(COLUMNS, args.format)
    timetabling_pipeline(formulation).fit(args.files[0], time_limit=2.0, verbose=False)
    for file in args.files:
        starts = [_start(args, file, seed) for seed in args.seeds]
        before = median([start.cost for start in starts])
        after = [_evolve(args, file, start) for start in starts]
        table.row(file.stem, "genetic algorithm", before, median(after), None, None, None)
        for way, choose in WAYS.items():
            results = [_solve_parts(args, formulation, start, choose) for start in starts]
            medians = [median(one) for one in zip(*results, strict=True)]
            table.row(file.stem, way, before, *medians)


def _start(args: argparse.Namespace, file: Path, seed: int) -> Start:
    keep = KeepClusters()
    stages = list(timetabling_pipeline(args.formulation, rl=None, finalize=None).stages)
    place = [stage.name for stage in stages].index("clustering") + 1
    pipeline = Pipeline([*stages[:place], keep, *stages[place:]])
    run = pipeline.fit(file, seed=seed, time_limit=args.before, workers=args.workers, verbose=False)
    if run.violations != 0:
        raise SystemExit(f"no feasible timetable of {file} in {args.before} s")
    return Start(run.solution, int(run.cost), keep.clusters, seed)


def _evolve(args: argparse.Namespace, file: Path, start: Start) -> int:
    pipeline = timetabling_pipeline(args.formulation, cp_sat=None, rl=None, finalize=None)
    run = pipeline.fit(
        file,
        initial=start.solution,
        seed=start.seed,
        time_limit=args.time,
        workers=args.workers,
        verbose=False,
    )
    return int(run.cost)


def _solve_parts(
    args: argparse.Namespace, formulation: Formulation, start: Start, choose: Choice
) -> tuple[int, int, int, int]:
    """Solve parts of a timetable until the time is over.

    Returns
    -------
    tuple of int
        The cost in the end, the parts tried, those that made the timetable better, and
        those whose solution was proved to be the best.
    """
    instance = start.solution.instance
    problems, rooms = PeriodRelaxation(instance, formulation), RoomProblem.of(instance, formulation)
    draft = Draft.of_lectures(instance, *start.solution.lecture_arrays())
    rng, everything = np.random.default_rng(start.seed), np.ones(instance.n_lectures, np.bool_)
    cost, tries, better, proved = start.cost, 0, 0, 0
    end = time.monotonic() + args.time
    while time.monotonic() < end and cost > 0:
        courses = choose(draft, start.clusters, rng)
        limits = SolveLimits(1e9, min(args.solve, end - time.monotonic()))
        problem = problems.part(courses, draft.placed)
        result = improve(problem, limits, int(rng.integers(2**31)), StopFlag())
        tries += 1
        proved += result.optimal
        if result.placed is None:
            continue
        changed = draft.change(courses, result.placed)
        periods, _ = changed.lecture_arrays()
        new_rooms = assign_rooms(rooms, *changed.lecture_arrays(), everything, instance.n_periods)
        changed = Draft.of_lectures(instance, periods, new_rooms)
        evaluation = evaluate(changed.solution(), formulation)
        if evaluation.violations == 0 and evaluation.cost <= cost:
            better += evaluation.cost < cost
            draft, cost = changed, evaluation.cost
    return cost, tries, better, proved


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Solve large neighbourhoods by CP-SAT.")
    add_fits(parser, 20.0)
    parser.add_argument("--before", type=float, default=20.0, help="seconds of the pipeline first")
    parser.add_argument("--solve", type=float, default=1.0, help="seconds of a solve at most")
    parser.add_argument("--formulation", default="UD2")
    return parser.parse_args()


if __name__ == "__main__":
    main()
