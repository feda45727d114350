"""What each stage is worth: the pipeline with one of them left out or replaced by chance.

    python benchmarks/ablation.py [--time 30] [--workers 1] [--seeds 1,2,3]
        [--formulation UD2] [--variants all,no-ga,…] [--format markdown] FILES…

``no-STAGE`` leaves a stage out. ``random-clusters`` keeps the sizes of the clusters
that Louvain found, and deals the courses to them at random; ``random-operators``
lets RLRepair draw its operators by lot. Medians over the seeds, with the
range of the costs beside them, since a difference within it says nothing. A first,
uncounted run compiles the kernels.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measuring import FirstFeasible, Table, add_fits, median
from schoolbell.runner import Pipeline, timetabling_pipeline
from schoolbell.stages import Batch, Budget, Stage, State

LEFT_OUT = ("clustering", "cp_sat", "ga", "rl", "finalize")
COLUMNS = ("instance", "variant", "first feasible (s)", "violations", "cost", "lowest", "highest")


class DealCourses(Stage):
    """Deal the courses to clusters at random, each cluster keeping its number of courses."""

    name, unit, share = "dealing", "step", 0.01

    def run(self, state: State, budget: Budget) -> Iterator[Batch]:
        rng = np.random.default_rng(state.seed_sequence(self.name))
        state.clusters = rng.permutation(state.clusters)
        yield Batch(1, 1)


def _without(name: str, formulation: str) -> Pipeline:
    return timetabling_pipeline(formulation, **{name: None})


def _random_clusters(formulation: str) -> Pipeline:
    stages = list(timetabling_pipeline(formulation).stages)
    place = [stage.name for stage in stages].index("clustering") + 1
    return Pipeline([*stages[:place], DealCourses(), *stages[place:]])


def _random_operators(formulation: str) -> Pipeline:
    return timetabling_pipeline(formulation, rl__policy="random")


VARIANTS: dict[str, Callable[[str], Pipeline]] = {
    "all": timetabling_pipeline,
    **{f"no-{name}": partial(_without, name) for name in LEFT_OUT},
    "random-clusters": _random_clusters,
    "random-operators": _random_operators,
}


def main() -> None:
    args = _arguments()
    timetabling_pipeline(args.formulation).fit(args.files[0], time_limit=2.0, verbose=False)
    table = Table(COLUMNS, args.format)
    for file in args.files:
        for variant in args.variants:
            runs = [_fit(args, file, variant, seed) for seed in args.seeds]
            costs = [run.cost for run, _ in runs]
            table.row(
                file.stem,
                variant,
                median([watch.seconds for _, watch in runs]),
                median([run.violations for run, _ in runs]),
                median(costs),
                min(costs),
                max(costs),
            )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Leave out one stage at a time.")
    add_fits(parser, 30.0)
    parser.add_argument("--formulation", default="UD2")
    parser.add_argument(
        "--variants",
        type=lambda text: text.split(","),
        default=list(VARIANTS),
        help=f"with commas, of {', '.join(VARIANTS)} (all of them)",
    )
    args = parser.parse_args()
    unknown = [variant for variant in args.variants if variant not in VARIANTS]
    if unknown:
        parser.error(f"argument --variants: unknown {', '.join(unknown)}")
    return args


def _fit(
    args: argparse.Namespace, file: Path, variant: str, seed: int
) -> tuple[Any, FirstFeasible]:
    watch = FirstFeasible()
    run = VARIANTS[variant](args.formulation).fit(
        file,
        callbacks=[watch],
        seed=seed,
        time_limit=args.time,
        workers=args.workers,
        verbose=False,
    )
    return run, watch


if __name__ == "__main__":
    main()
