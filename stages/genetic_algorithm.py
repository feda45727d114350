"""A genetic algorithm whose children are annealed."""

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .batch import Batch
from .budget import Budget
from .stage import Stage
from .state import State

if TYPE_CHECKING:
    from .timetable.search import Anneal, Schedule

PULSE = 0.1
CHUNK_SECONDS = 0.08
CHUNK_MOVES = 200_000
# Moves a second on a large instance, and the moves for each lecture from which on
# an anneal gains by beginning hot.
ROUGH_SPEED = 3e6
FEWEST_HOT_MOVES = 20_000
# Size of the clusters where no stage has found any.
COURSES_OF_A_CLUSTER = 10


class Individual(NamedTuple):
    """A member of the population: periods and rooms of the lectures, and what they cost."""

    period: NDArray[np.int64]
    room: NDArray[np.int64]
    violations: int
    cost: int

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts the better individual first."""
        return self.violations, self.cost


class GeneticAlgorithm(Stage):
    """Evolve a population of timetables; every child is annealed.

    The first generations make the founders: the solution that the stages before
    left and greedy timetables of different order, annealed from a high
    temperature. Each later generation selects pairs of parents by tournament,
    crosses them by clusters of courses, mutates the child by reheating it and
    lets it cool. A child replaces the worst individual that it beats, or its
    near twin; the best always stays.

    Parameters
    ----------
    generations
        Generations of children after the founders; with a time limit the time
        decides and this is not used.
    population
        Individuals kept, at least 2.
    offspring
        Individuals made in a generation.
    founder_moves, child_moves
        Moves proposed in a founder's and in a child's anneal, for each lecture
        of the instance; with a time limit the time decides.
    founder_share
        Part of the time limit that the founders take.
    founder_temperature, final_temperature
        Where a founder's anneal begins, and where all of them end, in units of
        weighted cost.
    reheats
        Temperatures to which children are reheated, tried in turn and then
        chosen by what they won.
    tournament
        Individuals from which the better is taken as a parent.
    kempe
        Part of the proposed moves that are Kempe chains.
    violation
        Cost that one violation counts as.
    """

    name = "ga"
    unit = "generation"
    share = 75.0
    label = "Genetic algorithm"
    metrics = ("population_mean", "diversity")

    def __init__(
        self,
        generations: int = 30,
        population: int = 6,
        offspring: int = 2,
        founder_moves: int = 100_000,
        child_moves: int = 50_000,
        founder_share: float = 0.45,
        founder_temperature: float = 30.0,
        final_temperature: float = 0.16,
        reheats: tuple[float, ...] = (0.7, 1.0, 2.0),
        tournament: int = 2,
        kempe: float = 0.2,
        violation: float = 100.0,
    ) -> None:
        self.generations = _at_least("generations", generations, 0)
        self.population = _at_least("population", population, 2)
        self.offspring = _at_least("offspring", offspring, 1)
        self.founder_moves = _at_least("founder_moves", founder_moves, 1)
        self.child_moves = _at_least("child_moves", child_moves, 1)
        self.founder_share = _within("founder_share", founder_share, 0.0, 1.0)
        self.final_temperature = _within("final_temperature", final_temperature, 1e-6, 1e6)
        self.founder_temperature = _within(
            "founder_temperature", founder_temperature, final_temperature, 1e6
        )
        if not reheats:
            raise ValueError("reheats needs at least one temperature")
        for reheat in reheats:
            _within("reheats", reheat, final_temperature, 1e6)
        self.reheats = tuple(reheats)
        self.tournament = _at_least("tournament", tournament, 1)
        self.kempe = _within("kempe", kempe, 0.0, 1.0)
        self.violation = _within("violation", violation, 1.0, 1e6)

    def run(self, state: State, budget: Budget) -> Iterator[Batch | None]:
        """Evolve; each generation is a batch."""
        return _Evolution(self, state, budget).run()


class _Evolution:
    """One run of the genetic algorithm."""

    def __init__(self, stage: GeneticAlgorithm, state: State, budget: Budget) -> None:
        self.stage = stage
        self.state = state
        self.budget = budget
        self.problem = state.search
        self.n_lectures = len(self.problem.course)
        self.population: list[Individual] = []
        self.rng = np.random.default_rng(state.seed_sequence(stage.name))
        self.made = 0
        self.reheat_gain = np.full(len(stage.reheats), np.inf)
        self.clusters = self._clusters()

    def run(self) -> Iterator[Batch | None]:
        stage = self.stage
        founding = -(-stage.population // stage.offspring)
        total = None if self.budget.seconds is not None else founding + stage.generations
        done = 0
        while not self._is_over(done, total):
            seconds = self._seconds_for_generation(done, founding)
            if done < founding:
                yield from self._found(seconds)
            else:
                yield from self._breed(seconds)
            done += 1
            yield Batch(
                done, total if total is not None else self._expected_total(done), self._logs()
            )

    def _clusters(self) -> tuple[NDArray[np.int64], int]:
        """Take the clusters that a stage has found, or draw some."""
        n_courses = len(self.problem.students)
        found = getattr(self.state, "clusters", None)
        if found is not None:
            return found.astype(np.int64), int(self.state.cluster_count)
        count = max(2, n_courses // COURSES_OF_A_CLUSTER)
        return self.rng.permutation(n_courses) % count, count

    def _is_over(self, done: int, total: int | None) -> bool:
        state = self.state
        if state.violations == 0 and state.cost is not None and state.cost <= (state.bound or 0):
            return True
        return self.budget.should_end or (total is not None and done >= total)

    def _seconds_for_generation(self, done: int, founding: int) -> float | None:
        """Divide the time that is left into the generations that are to come."""
        if self.budget.seconds is None:
            return None
        founder_seconds = self.budget.seconds * self.stage.founder_share / founding
        seconds = founder_seconds if done < founding else 0.6 * founder_seconds
        remaining = self.budget.remaining
        # A rest too short for another generation is given to this one.
        return remaining if remaining < 1.6 * seconds else seconds

    def _expected_total(self, done: int) -> int:
        seconds = self.budget.seconds or 0.0
        elapsed = max(seconds - self.budget.remaining, 1e-3)
        return max(done, round(done * seconds / elapsed))

    def _found(self, seconds: float | None) -> Iterator[None]:
        """Make the next founders."""
        stage = self.stage
        jobs = []
        for _ in range(min(stage.offspring, stage.population - len(self.population))):
            start, temperature = self._founder_start(self.made, seconds)
            jobs.append(self._job(*start, temperature, stage.founder_moves))
        yield from self._anneal(jobs, seconds)
        self.population += [job.individual() for job in jobs]
        self.population.sort(key=lambda individual: individual.rank)

    def _founder_start(
        self, index: int, seconds: float | None
    ) -> tuple[tuple[NDArray[np.integer], NDArray[np.integer]], float]:
        """Choose where a founder's anneal begins: its timetable and its temperature."""
        from .timetable.greedy import greedy_timetable

        stage, solution = self.stage, self.state.solution
        # A move of a course in many curricula takes longer to evaluate.
        curricula = len(self.problem.curricula) / max(len(self.problem.students), 1)
        work = max(self.n_lectures, 1) * max(curricula / 4, 1.0)
        moves = np.inf if seconds is None else seconds * ROUGH_SPEED / work
        if solution is not None and (index == 0 or moves < FEWEST_HOT_MOVES):
            # The first improves what there is; the others too if the time is too short
            # to cool from high up.
            return solution.lecture_arrays(), max(stage.reheats)
        rng = np.random.default_rng(self.state.seed_sequence(stage.name, 1, index))
        return greedy_timetable(self.state.instance, rng), stage.founder_temperature

    def _breed(self, seconds: float | None) -> Iterator[None]:
        """Make children and let them into the population."""
        from .timetable.search import cross, random_state

        jobs, origins = [], []
        for _ in range(self.stage.offspring):
            first, second = self._parents()
            reheat = self._choose_reheat()
            rng = random_state(self.state.seed_sequence(self.stage.name, 2, self.made))
            child = cross(
                self.problem,
                (first.period, first.room),
                (second.period, second.room),
                self._courses_to_exchange(first, second),
                rng,
                self.stage.violation,
            )
            temperature = self.stage.reheats[reheat]
            jobs.append(self._job(child.period, child.room, temperature, self.stage.child_moves))
            origins.append((reheat, first))
        yield from self._anneal(jobs, seconds)
        for job, (reheat, parent) in zip(jobs, origins, strict=True):
            self._learn(reheat, parent, job.individual())
            self._admit(job.individual())

    def _parents(self) -> tuple[Individual, Individual]:
        size = len(self.population)
        picks = self.rng.integers(size, size=self.stage.tournament)
        first = int(picks.min())
        others = [i for i in self.rng.permutation(size) if i != first]
        second = min(others[: self.stage.tournament])
        return self.population[first], self.population[second]

    def _choose_reheat(self) -> int:
        """Try each temperature once, then mostly the one that won most of late."""
        if self.rng.random() < 0.2:
            return int(self.rng.integers(len(self.reheat_gain)))
        return int(np.argmax(self.reheat_gain))

    def _learn(self, reheat: int, parent: Individual, child: Individual) -> None:
        weight = self.stage.violation
        gain = (parent.violations - child.violations) * weight + parent.cost - child.cost
        known = self.reheat_gain[reheat]
        self.reheat_gain[reheat] = gain if np.isinf(known) else 0.7 * known + 0.3 * gain

    def _courses_to_exchange(self, first: Individual, second: Individual) -> NDArray[np.bool_]:
        """Choose the clusters in which the second parent is better, and some others."""
        from .timetable.search import build_timetable, cluster_costs

        clusters, count = self.clusters
        costs = [
            cluster_costs(
                self.problem,
                build_timetable(self.problem, parent.period, parent.room),
                clusters,
                count,
                self.stage.violation,
            )
            for parent in (first, second)
        ]
        better = costs[1] < costs[0]
        chosen = self.rng.random(count) < np.where(better, 0.5, 0.1)
        return chosen[clusters]

    def _admit(self, child: Individual) -> None:
        """Let a child in for its near twin or for the worst, if it is no worse than that."""
        distances = [self._distance(child, other) for other in self.population]
        nearest = int(np.argmin(distances))
        place = nearest if distances[nearest] < 0.02 else len(self.population) - 1
        if child.rank <= self.population[place].rank:
            self.population[place] = child
            self.population.sort(key=lambda individual: individual.rank)

    def _occupied(self, individual: Individual) -> NDArray[np.bool_]:
        """Tell the periods in which each course has a lecture."""
        n_courses, n_periods = self.problem.available.shape
        occupied = np.zeros((n_courses, n_periods + 1), np.bool_)
        occupied[self.problem.course, individual.period] = True
        return occupied[:, :n_periods]

    def _distance(self, one: Individual, two: Individual) -> float:
        """Part of the lectures that are in another period."""
        differences = np.count_nonzero(self._occupied(one) != self._occupied(two))
        return differences / (2 * max(self.n_lectures, 1))

    def _logs(self) -> dict[str, float | None]:
        costs = [individual.cost for individual in self.population]
        best = self.population[0]
        apart = [self._distance(best, other) for other in self.population[1:]]
        return {
            "population_mean": float(np.mean(costs)),
            "diversity": float(np.mean(apart)) if apart else 0.0,
        }

    def _job(
        self,
        period: NDArray[np.integer],
        room: NDArray[np.integer],
        temperature: float,
        moves_per_lecture: int,
    ) -> "_Job":
        from .timetable.search import Schedule, random_state, start_anneal

        schedule = Schedule(
            start=temperature,
            end=self.stage.final_temperature,
            moves=moves_per_lecture * max(self.n_lectures, 1),
            kempe=self.stage.kempe,
            violation=self.stage.violation,
        )
        rng = random_state(self.state.seed_sequence(self.stage.name, 3, self.made))
        self.made += 1
        return _Job(start_anneal(self.problem, period, room, schedule, rng), schedule)

    def _anneal(self, jobs: list["_Job"], seconds: float | None) -> Iterator[None]:
        """Run the anneals on the executor, as many at once as there are workers."""
        from .timetable.search import anneal_chunk

        waiting = list(reversed(jobs))
        running: dict[Future[Any], _Job] = {}
        workers = max(1, min(self.state.workers, len(jobs)))
        rounds = -(-len(jobs) // workers)
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    job = waiting.pop()
                    job.begin(None if seconds is None else seconds / rounds)
                    running[self._submit(anneal_chunk, job)] = job
                finished, _ = wait(running, timeout=PULSE, return_when=FIRST_COMPLETED)
                for future in finished:
                    job = running.pop(future)
                    job.take(future.result())
                    self._offer(job)
                    if job.moves_left > 0:
                        running[self._submit(anneal_chunk, job)] = job
                yield None
        finally:
            for future in running:
                future.cancel()

    def _submit(self, task: Any, job: "_Job") -> Future[Any]:
        return self.state.executor.submit(
            task, self.problem, job.anneal, job.schedule, job.next_chunk()
        )

    def _offer(self, job: "_Job") -> None:
        from .timetable import Solution

        violations, cost = (int(value) for value in job.anneal.best_total)
        state = self.state
        if state.violations is not None and (violations, cost) >= (state.violations, state.cost):
            return
        solution = Solution.of_lectures(
            state.instance, job.anneal.best_period.copy(), job.anneal.best_room.copy()
        )
        state.offer(solution, cost, violations)


class _Job:
    """An anneal on its way, measured in moves or, with a deadline, in time."""

    def __init__(self, anneal: "Anneal", schedule: "Schedule") -> None:
        self.anneal = anneal
        self.schedule = schedule
        self.deadline: float | None = None
        self.speed = 1e6
        self.submitted = (0.0, 0)

    def begin(self, seconds: float | None) -> None:
        if seconds is not None:
            self.deadline = time.monotonic() + seconds

    @property
    def moves_left(self) -> int:
        if self.deadline is None:
            return self.anneal.moves_left
        return int(max(self.deadline - time.monotonic(), 0.0) * self.speed)

    def next_chunk(self) -> int:
        """Return how many moves the next task makes."""
        self.submitted = (time.monotonic(), int(self.anneal.clock[4]))
        if self.deadline is None:
            return CHUNK_MOVES
        chunk = int(min(self.deadline - time.monotonic(), CHUNK_SECONDS) * self.speed)
        self.anneal.clock[0] = max(self.moves_left, chunk, 1)
        return max(chunk, 1)

    def take(self, anneal: "Anneal") -> None:
        """Take the result of a task and learn its speed."""
        self.anneal = anneal
        begun, moves = self.submitted
        took = max(time.monotonic() - begun, 1e-6)
        measured = (int(anneal.clock[4]) - moves) / took
        self.speed = 0.5 * self.speed + 0.5 * measured

    def individual(self) -> Individual:
        violations, cost = (int(value) for value in self.anneal.best_total)
        return Individual(self.anneal.best_period, self.anneal.best_room, violations, cost)


def _at_least(name: str, value: int, least: int) -> int:
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return value


def _within(name: str, value: float, least: float, most: float) -> float:
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least} to {most}, got {value}")
    return value
