"""A textbook genetic algorithm on DEAP, the other thing that one would write.

    pip install deap
    python benchmarks/textbook_ga.py INSTANCE SOLUTION SECONDS SEED
    python benchmarks/quality.py --time 60 --seeds 1 FILES… \\
        --peer "python benchmarks/textbook_ga.py {instance} {solution} {seconds} {seed}"

UD2 for ``.ctt`` and ``.ectt`` files; give absolute paths in the third line, peers
run in a folder of their own. Direct encoding: a gene for each lecture, its period
and room as one number. Violations are a penalty. Uniform crossover, a mutation
that draws some genes anew, tournaments of three, the two best survive: DEAP's own
operators with its tutorial's rates. The fitness is vectorised NumPy, so that time
is not what it lacks.
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np
from deap import base, creator, tools
from numpy.typing import NDArray
from schoolbell.stages.timetable import Instance, Solution, evaluate

POPULATION, ELITE = 100, 2
CROSSOVER, MUTATION, TOURNAMENT = 0.7, 0.3, 3

# Cost of a violation, far above what it can win in soft costs.
PENALTY = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description="Solve an instance by a textbook GA.")
    parser.add_argument("instance", type=Path)
    parser.add_argument("solution", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("seed", type=int)
    args = parser.parse_args()
    instance = Instance.read(args.instance)
    best = evolve(instance, time.monotonic() + args.seconds - 1.0, args.seed)
    _solution(instance, np.array(best)).write(args.solution)


def evolve(instance: Instance, deadline: float, seed: int) -> list[int]:
    """Return the best individual found until a moment of the monotonic clock."""
    random.seed(seed)
    toolbox = _toolbox(instance)
    population = toolbox.population(n=POPULATION)
    hall = tools.HallOfFame(ELITE)
    while True:
        for individual in population:
            if not individual.fitness.valid:
                individual.fitness.values = toolbox.evaluate(individual)
            if time.monotonic() > deadline and hall:
                return hall[0]
        hall.update(population)
        parents = toolbox.select(population, POPULATION - ELITE)
        children = [toolbox.clone(parent) for parent in parents]
        for one, other in zip(children[::2], children[1::2], strict=True):
            if random.random() < CROSSOVER:
                toolbox.mate(one, other)
                del one.fitness.values, other.fitness.values
        for child in children:
            if random.random() < MUTATION:
                toolbox.mutate(child)
                del child.fitness.values
        population = children + [toolbox.clone(individual) for individual in hall]


def _toolbox(instance: Instance) -> base.Toolbox:
    creator.create("Fitness", base.Fitness, weights=(-1.0,))
    creator.create("Timetable", list, fitness=creator.Fitness)
    cells = instance.n_periods * instance.n_rooms
    toolbox = base.Toolbox()
    toolbox.register("gene", random.randrange, cells)
    toolbox.register(
        "individual", tools.initRepeat, creator.Timetable, toolbox.gene, instance.n_lectures
    )
    toolbox.register("population", tools.initRepeat, list, toolbox.individual)
    toolbox.register("evaluate", _fitness, instance)
    toolbox.register("mate", tools.cxUniform, indpb=0.5)
    toolbox.register(
        "mutate", tools.mutUniformInt, low=0, up=cells - 1, indpb=1 / instance.n_lectures
    )
    toolbox.register("select", tools.selTournament, tournsize=TOURNAMENT)
    return toolbox


def _fitness(instance: Instance, individual: list[int]) -> tuple[float]:
    found = evaluate(_solution(instance, np.array(individual)), "UD2")
    return (PENALTY * found.violations + found.cost,)


def _solution(instance: Instance, genes: NDArray[np.int64]) -> Solution:
    periods, rooms = np.divmod(genes, instance.n_rooms)
    return Solution(instance, instance.lecture_course, periods, rooms)


if __name__ == "__main__":
    main()
