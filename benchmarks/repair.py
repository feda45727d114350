"""Whether the learned choice of repair operators pays: against chance and single operators.

    python benchmarks/repair.py [--steps 600,3000] [--seeds 10] [--generated 12]
        [--formulation UD2] [--agent FILE] [FILES…]

Repairs timetables with conflicts left over with the same budget of operators
applied: by the agent that comes with the package, by one that begins knowing
nothing, by operators drawn at random, and by each operator alone. The
timetables are those of crowded generated instances (of other seeds than the
agent was trained on) with half of the lectures thrown to where they conflict,
and, of each FILE, what an anneal leaves that was given 20 moves for each
lecture only. Prints Markdown tables: violations left and episodes taken.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from schoolbell.stages.repair.q_learner import QLearner
from schoolbell.stages.repair.rl_repair import LEARNED
from schoolbell.stages.timetable import Formulation, Instance
from schoolbell.stages.timetable.generation.crowding import scatter
from schoolbell.stages.timetable.repair_operators import OPERATORS
from schoolbell.stages.timetable.search import (
    Schedule,
    SearchProblem,
    anneal_chunk,
    build_search_problem,
    random_state,
    start_anneal,
)
from schoolbell.stages.timetable.search.repairing.repair_agent import (
    load_repair_agent,
    new_repair_agent,
    shipped_repair_agent,
)
from schoolbell.stages.timetable.search.repairing.repair_environment import RepairEnvironment
from schoolbell.stages.timetable.steps.train_agent import crowded_instance

GENERATED = 20_260_101
STARVED_MOVES = 20
EPSILON = 0.05
FRESH, RANDOM = "learned from nothing", "random"
POLICIES = (LEARNED, FRESH, RANDOM, *OPERATORS)


class Case(NamedTuple):
    """A timetable to repair."""

    name: str
    problem: SearchProblem
    period: NDArray[np.integer]
    room: NDArray[np.integer]


class Result(NamedTuple):
    """What a repair came to: violations at each budget, episodes and steps taken, seconds."""

    left: list[int]
    episodes: int
    steps: int
    seconds: float


def generated_cases(count: int, formulation: Formulation) -> list[Case]:
    cases = []
    for index in range(count):
        rng = np.random.default_rng((GENERATED, index))
        instance, solution = crowded_instance(rng)
        places = scatter(instance, solution, 0.5, rng)
        name = f"generated {index + 1}, {instance.n_courses} courses"
        cases.append(Case(name, build_search_problem(instance, formulation), *places))
    return cases


def starved_case(path: Path, formulation: Formulation) -> Case:
    """Anneal an instance from nothing for much too short a time."""
    problem = build_search_problem(Instance.read(path), formulation)
    nowhere = np.full(len(problem.course), -1, np.int64)
    moves = STARVED_MOVES * len(nowhere)
    schedule = Schedule(start=1.0, end=0.1, moves=moves)
    rng = random_state(np.random.SeedSequence(GENERATED))
    anneal = anneal_chunk(
        problem, start_anneal(problem, nowhere, nowhere, schedule, rng), schedule, moves
    )
    return Case(f"starved {path.stem}", problem, anneal.best_period, anneal.best_room)


def repair(case: Case, policy: str, agent: QLearner, seed: int, budgets: list[int]) -> Result:
    environment = RepairEnvironment(case.problem, case.period, case.room)
    environment.restart(np.random.SeedSequence(seed))
    learns = policy in (LEARNED, FRESH)
    operator = OPERATORS.index(policy) if policy in OPERATORS else -1
    epsilon = {RANDOM: 1.0, FRESH: EPSILON}.get(policy, 0.0)
    left: list[int] = []
    episodes = 0
    began = time.perf_counter()
    while environment.best_total[0] and len(left) < len(budgets):
        before = int(environment.best_total[0])
        environment.play(agent, 1, epsilon, operator, learning=learns)
        episodes += 1
        # What the episode that passes a budget won comes too late for it.
        while len(left) < len(budgets) and environment.steps_taken > budgets[len(left)]:
            left.append(before)
    seconds = time.perf_counter() - began
    left += [int(environment.best_total[0])] * (len(budgets) - len(left))
    return Result(left, episodes, min(environment.steps_taken, budgets[-1]), seconds)


def print_summary(results: dict[str, list[list[Result]]], budgets: list[int]) -> None:
    at = [f"{what} left after {steps:,} steps" for steps in budgets for what in ("mean", "median")]
    head = ("operators", *at, "runs without violations", "mean episodes", "mean steps", "µs a step")
    print("|", " | ".join(head), "|\n|", " | ".join(["---"] * len(head)), "|")
    for policy, rows in results.items():
        runs = [result for row in rows for result in row]
        cells = [policy]
        for index in range(len(budgets)):
            left = [run.left[index] for run in runs]
            cells += [f"{np.mean(left):.2f}", f"{np.median(left):g}"]
        clean = sum(run.left[-1] == 0 for run in runs)
        cells += [f"{clean} of {len(runs)}", f"{np.mean([run.episodes for run in runs]):.0f}"]
        steps = sum(run.steps for run in runs)
        cells += [f"{steps / len(runs):.0f}", f"{1e6 * sum(r.seconds for r in runs) / steps:.0f}"]
        print("|", " | ".join(cells), "|")


def print_cases(
    cases: list[Case], results: dict[str, list[list[Result]]], budgets: list[int]
) -> None:
    print("\n| timetable | lectures | violations |", " | ".join(results), "|")
    print("|", " | ".join(["---"] * (3 + len(results))), "|")
    for index, case in enumerate(cases):
        start = RepairEnvironment(case.problem, case.period, case.room).rank[0]
        cells = [case.name, str(len(case.period)), str(start)]
        for rows in results.values():
            left = " / ".join(
                f"{np.mean([run.left[k] for run in rows[index]]):.1f}" for k in range(len(budgets))
            )
            cells.append(left)
        print("|", " | ".join(cells), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare choices of repair operators.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--steps", default="600,3000", help="budgets of steps (600,3000)")
    parser.add_argument("--seeds", type=int, default=10, help="runs of each (10)")
    parser.add_argument("--generated", type=int, default=12, help="generated timetables (12)")
    parser.add_argument("--formulation", default="UD2")
    parser.add_argument("--agent", type=Path, help="an agent in the shipped one's place")
    args = parser.parse_args()
    formulation = Formulation.of(args.formulation)
    budgets = sorted(int(steps) for steps in args.steps.split(","))
    trained = shipped_repair_agent() if args.agent is None else load_repair_agent(args.agent)
    cases = generated_cases(args.generated, formulation)
    cases += [starved_case(path, formulation) for path in args.files]
    repair(cases[0], LEARNED, trained.copy(), 0, [10])  # so that all is compiled
    results: dict[str, list[list[Result]]] = {}
    for policy in POLICIES:
        start = trained if policy == LEARNED else new_repair_agent()
        results[policy] = [
            [repair(case, policy, start.copy(), seed, budgets) for seed in range(args.seeds)]
            for case in cases
        ]
    print_summary(results, budgets)
    print_cases(cases, results, budgets)


if __name__ == "__main__":
    main()
