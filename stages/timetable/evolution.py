"""The run of a genetic algorithm over timetables."""

from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch
from ..budget import Budget
from ..state import State
from .annealing_job import AnnealingJob
from .greedy import greedy_timetable
from .individual import Individual
from .search import (
    Schedule,
    anneal_chunk,
    build_timetable,
    cluster_costs,
    cross,
    random_state,
    start_anneal,
)
from .solution import Solution
from .waiting import PULSE, wait_all

if TYPE_CHECKING:
    from ..genetic_algorithm import GeneticAlgorithm

# Moves a second on a large instance, and the moves for each lecture from which on
# an anneal gains by beginning hot.
ROUGH_SPEED = 5e6
FEWEST_HOT_MOVES = 20_000
# Size of the clusters where no stage has found any.
COURSES_OF_A_CLUSTER = 10
# Individuals with a smaller part of their lectures apart count as the same.
TWINS = 0.02
# A generation of children takes this part of the time of one of founders.
CHILD_TIME = 0.5
# With a time limit there are no more founders than can have this many moves for each
# lecture, at the speed of a mid-sized instance: one long anneal is worth more than two
# short ones.
FULL_ANNEAL = 250_000
USUAL_SPEED = 8e6

# What a moved lecture may win at most, on average over the courses of a usual instance.
# Where it is more, so many times more, violations and the hottest temperature are as much
# higher, and the cool temperatures by the root of it.
USUAL_GAIN = 33.0
# Chains are proposed as many times as often, but no more than this.
MOST_CHAINS = 1.7
# Part of the proposals that are two Kempe chains, on a usual instance.
DOUBLE_CHAINS = 0.07

Arrays = tuple[NDArray[np.integer], NDArray[np.integer]]


class Evolution:
    """Islands of timetables that a genetic algorithm evolves.

    Parameters
    ----------
    stage
        The parameters.
    state
        With the instance, its `SearchProblem` and, if a stage has found them,
        clusters of courses.
    budget
        What the stage may spend.
    """

    def __init__(self, stage: "GeneticAlgorithm", state: State, budget: Budget) -> None:
        self.stage = stage
        self.state = state
        self.budget = budget
        self.problem = state.search
        self.n_lectures = len(self.problem.course)
        gain = self.problem.gain
        self.scale = max(1.0, float(gain.mean()) / USUAL_GAIN) if len(gain) else 1.0
        self.founders = self._count_founders()
        self.islands: list[list[Individual]] = [
            [] for _ in range(max(1, min(stage.islands, self.founders // 2)))
        ]
        self.rng = np.random.default_rng(state.seed_sequence(stage.name))
        self.done = 0
        self.made = 0
        self.reheat_gain = np.full(len(stage.reheats), np.inf)
        self.clusters = self._clusters()

    def state_dict(self) -> dict[str, Any]:
        """Return where the evolution is, after a generation."""
        everyone = [one for island in self.islands for one in island]
        return {
            "sizes": np.array([len(island) for island in self.islands]),
            "period": np.array([one.period for one in everyone], np.int64),
            "room": np.array([one.room for one in everyone], np.int64),
            "total": np.array([(one.violations, one.cost) for one in everyone], np.int64),
            "rng": self.rng.bit_generator.state,
            "done": self.done,
            "made": self.made,
            "reheat_gain": self.reheat_gain.copy(),
            "clusters": self.clusters[0].copy(),
            "cluster_count": self.clusters[1],
        }

    def go_on(self, state: dict[str, Any]) -> None:
        """Be where another evolution was.

        Raises
        ------
        ValueError
            If it was one of another instance or of other parameters.
        """
        sizes, period, room = (np.asarray(state[name]) for name in ("sizes", "period", "room"))
        total, clusters = np.asarray(state["total"]), np.asarray(state["clusters"])
        gain, count = np.asarray(state["reheat_gain"]), int(state["cluster_count"])
        members = int(sizes.sum())
        n_periods, n_rooms = len(self.problem.day), len(self.problem.capacity)
        fits = (
            sizes.shape == (len(self.islands),)
            and (sizes >= 0).all()
            and total.shape == (members, 2)
            and gain.shape == self.reheat_gain.shape
            and _within(period, (members, self.n_lectures), -1, n_periods)
            and _within(room, (members, self.n_lectures), -1, n_rooms)
            and _within(clusters, self.clusters[0].shape, 0, count)
            and count <= max(len(clusters), 1)
        )
        if not fits:
            raise ValueError("the population is not one of this instance and these parameters")
        everyone = [
            Individual(period[i].astype(np.int64), room[i].astype(np.int64), *map(int, total[i]))
            for i in range(members)
        ]
        ends = np.cumsum(sizes)
        self.islands = [everyone[end - size : end] for end, size in zip(ends, sizes, strict=True)]
        self.rng.bit_generator.state = state["rng"]
        self.done, self.made = int(state["done"]), int(state["made"])
        self.reheat_gain = gain.astype(float)
        self.clusters = clusters.astype(np.int64), count

    @property
    def _violation(self) -> float:
        """Cost that one violation counts as."""
        return self.stage.violation * self.scale

    @property
    def _reheats(self) -> NDArray[np.float64]:
        return np.array(self.stage.reheats) * np.sqrt(self.scale)

    @property
    def _members(self) -> int:
        return sum(len(island) for island in self.islands)

    def run(self) -> Iterator[Batch | None]:
        """Yield after every generation, and None while one is on its way."""
        stage = self.stage
        founding = -(-self.founders // self._at_once)
        total = None if self.budget.seconds is not None else founding + stage.generations
        while not self._is_over(total):
            seconds = self._seconds_for_generation(founding)
            if self.done < founding:
                yield from self._found(seconds)
            else:
                yield from self._breed(seconds)
                if (self.done - founding + 1) % stage.migration == 0:
                    self._migrate()
            self.done += 1
            yield Batch(self.done, self._expected_total() if total is None else total, self._logs())

    @property
    def _at_once(self) -> int:
        """Individuals made in a generation; with a time limit no more than work at once."""
        offspring = self.stage.offspring
        return offspring if self.budget.seconds is None else min(offspring, self.state.workers)

    def _count_founders(self) -> int:
        stage, seconds = self.stage, self.budget.seconds
        if seconds is None:
            return stage.population
        moves = seconds * stage.founder_share * self.state.workers * USUAL_SPEED
        full = int(moves / (FULL_ANNEAL * max(self.n_lectures, 1)))
        return max(2, min(full, stage.population))

    def _clusters(self) -> tuple[NDArray[np.int64], int]:
        """Take the clusters that a stage has found, or draw some."""
        n_courses = len(self.problem.students)
        found = getattr(self.state, "clusters", None)
        if found is not None:
            return found.astype(np.int64), int(self.state.cluster_count)
        count = max(2, n_courses // COURSES_OF_A_CLUSTER)
        return self.rng.permutation(n_courses) % count, count

    def _is_over(self, total: int | None) -> bool:
        state = self.state
        if state.violations == 0 and state.cost is not None and state.cost <= (state.bound or 0):
            return True
        return self.budget.should_end or (total is not None and self.done >= total)

    def _seconds_for_generation(self, founding: int) -> float | None:
        """Divide the time that is left into the generations that are to come."""
        if self.budget.seconds is None:
            return None
        founder_seconds = self.budget.seconds * self.stage.founder_share / founding
        seconds = founder_seconds if self.done < founding else CHILD_TIME * founder_seconds
        remaining = self.budget.remaining
        # A rest too short for another generation is given to this one.
        return remaining if remaining < 1.6 * seconds else seconds

    def _expected_total(self) -> int:
        seconds = self.budget.seconds or 0.0
        elapsed = max(seconds - self.budget.remaining, 1e-3)
        # As long as another generation is to come, there is one more than are done.
        least = self.done + (not self._is_over(None))
        return max(least, round(self.done * seconds / elapsed))

    def _found(self, seconds: float | None) -> Iterator[None]:
        """Make the next founders, for the islands in turn."""
        stage = self.stage
        jobs = []
        first = self._members
        for _ in range(min(self._at_once, self.founders - first)):
            start, temperature = yield from self._founder_start(self.made, seconds)
            jobs.append(self._job(*start, temperature, stage.founder_moves))
        yield from self._anneal(jobs, seconds)
        for i, job in enumerate(jobs, first):
            island = self.islands[i % len(self.islands)]
            island.append(job.individual())
            island.sort(key=lambda individual: individual.rank)

    def _founder_start(
        self, index: int, seconds: float | None
    ) -> Generator[None, None, tuple[Arrays, float]]:
        """Choose where a founder's anneal begins: its timetable and its temperature."""
        stage, solution = self.stage, self.state.solution
        moves = np.inf if seconds is None else seconds * ROUGH_SPEED / max(self.n_lectures, 1)
        if solution is not None and (index == 0 or moves < FEWEST_HOT_MOVES):
            # The first improves what there is; the others too if the time is too short
            # to cool from high up.
            return solution.lecture_arrays(), float(self._reheats.max())
        rng = np.random.default_rng(self.state.seed_sequence(stage.name, 1, index))
        # Aside: on the largest instances it takes seconds.
        placing = self.state.executor.submit(greedy_timetable, self.state.instance, rng)
        (start,) = yield from wait_all([placing])
        return start, stage.founder_temperature * self.scale

    def _breed(self, seconds: float | None) -> Iterator[None]:
        """Make children on the islands in turn and let them in where they belong."""
        jobs, origins = [], []
        for turn in range(self._at_once):
            island = (turn + self.done) % len(self.islands)
            first, second = self._parents(self.islands[island])
            reheat = self._choose_reheat()
            child: Arrays = first.period, first.room
            if self.rng.random() < self.stage.crossover:
                child = yield from self._cross(first, second, island)
            temperature = float(self._reheats[reheat])
            jobs.append(self._job(*child, temperature, self.stage.child_moves))
            origins.append((island, reheat, first))
        yield from self._anneal(jobs, seconds)
        for job, (island, reheat, parent) in zip(jobs, origins, strict=True):
            self._learn(reheat, parent, job.individual())
            self._admit(job.individual(), self.islands[island])

    def _cross(
        self, first: Individual, second: Individual, island: int
    ) -> Generator[None, None, Arrays]:
        """Give the first parent some clusters of the second."""
        rng = random_state(self.state.seed_sequence(self.stage.name, 2, self.made))
        # Aside: on the largest instances it takes seconds.
        crossing = self.state.executor.submit(
            cross,
            self.problem,
            (first.period, first.room),
            (second.period, second.room),
            self._courses_to_exchange(first, second, island),
            rng,
            self._violation,
        )
        (crossed,) = yield from wait_all([crossing])
        return crossed.period, crossed.room

    def _migrate(self) -> None:
        """Let the best of each island come to the next one as well."""
        if len(self.islands) > 1:
            best = [island[0] for island in self.islands]
            for i, individual in enumerate(best):
                self._admit(individual, self.islands[(i + 1) % len(best)])

    def _parents(self, island: list[Individual]) -> tuple[Individual, Individual]:
        size = len(island)
        picks = self.rng.integers(size, size=self.stage.tournament)
        first = int(picks.min())
        others = [i for i in self.rng.permutation(size) if i != first]
        second = min(others[: self.stage.tournament], default=first)
        return island[first], island[second]

    def _choose_reheat(self) -> int:
        """Try each temperature once, then mostly the one that won most of late."""
        if self.rng.random() < 0.2:
            return int(self.rng.integers(len(self.reheat_gain)))
        return int(np.argmax(self.reheat_gain))

    def _learn(self, reheat: int, parent: Individual, child: Individual) -> None:
        weight = self._violation
        gain = (parent.violations - child.violations) * weight + parent.cost - child.cost
        known = self.reheat_gain[reheat]
        self.reheat_gain[reheat] = gain if np.isinf(known) else 0.7 * known + 0.3 * gain

    def _courses_to_exchange(
        self, first: Individual, second: Individual, island: int
    ) -> NDArray[np.bool_]:
        """Choose clusters in which the second parent is better, and some others.

        Each island has clusters of its own that it exchanges oftener, so that the
        islands search in different directions; from migration to migration these
        go round.
        """
        clusters, count = self.clusters
        costs = [
            cluster_costs(
                self.problem,
                build_timetable(self.problem, parent.period, parent.room),
                clusters,
                count,
                self._violation,
            )
            for parent in (first, second)
        ]
        chance = np.where(costs[1] < costs[0], 0.5, 0.1)
        turn = self.done // self.stage.migration
        own = (np.arange(count) + turn) % len(self.islands) == island
        chosen = self.rng.random(count) < np.where(own, chance, 0.5 * chance)
        return chosen[clusters]

    def _admit(self, child: Individual, island: list[Individual]) -> None:
        """Let a child in for its near twin or for the worst, if it is no worse than that."""
        distances = [self._distance(child, other) for other in island]
        nearest = int(np.argmin(distances))
        place = nearest if distances[nearest] < TWINS else len(island) - 1
        if child.rank <= island[place].rank:
            island[place] = child
            island.sort(key=lambda individual: individual.rank)

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
        everyone = sorted(
            (one for island in self.islands for one in island), key=lambda one: one.rank
        )
        apart = [self._distance(everyone[0], other) for other in everyone[1:]]
        return {
            "population_mean": float(np.mean([one.cost for one in everyone])),
            "diversity": float(np.mean(apart)) if apart else 0.0,
        }

    def _job(
        self,
        period: NDArray[np.integer],
        room: NDArray[np.integer],
        temperature: float,
        moves_per_lecture: int,
    ) -> AnnealingJob:
        chains = min(self.scale, MOST_CHAINS)
        schedule = Schedule(
            start=temperature,
            end=self.stage.final_temperature * float(np.sqrt(self.scale)),
            moves=moves_per_lecture * max(self.n_lectures, 1),
            kempe=min(self.stage.kempe * chains, 1.0),
            double=DOUBLE_CHAINS * chains,
            violation=self._violation,
        )
        rng = random_state(self.state.seed_sequence(self.stage.name, 3, self.made))
        self.made += 1
        return AnnealingJob(start_anneal(self.problem, period, room, schedule, rng), schedule)

    def _anneal(self, jobs: list[AnnealingJob], seconds: float | None) -> Iterator[None]:
        """Run the anneals on the executor, as many at once as there are workers."""
        waiting = list(reversed(jobs))
        running: dict[Future[Any], AnnealingJob] = {}
        workers = max(1, min(self.state.workers, len(jobs)))
        rounds = -(-len(jobs) // workers)
        before = self._best_rank()
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
        self._settle(jobs, before)

    def _submit(self, task: Any, job: AnnealingJob) -> Future[Any]:
        return self.state.executor.submit(
            task, self.problem, job.anneal, job.schedule, job.next_chunk()
        )

    def _best_rank(self) -> tuple[float, float]:
        state = self.state
        return (
            np.inf if state.violations is None else state.violations,
            np.inf if state.cost is None else state.cost,
        )

    def _settle(self, jobs: list[AnnealingJob], before: tuple[float, float]) -> None:
        """Of equally good new bests keep that of the first job, whichever was done first."""
        best = min(jobs, key=lambda job: job.individual().rank, default=None)
        if best is not None and self._best_rank() == best.individual().rank < before:
            self.state.solution = self._solution(best)

    def _solution(self, job: AnnealingJob) -> Solution:
        individual = job.individual()
        return Solution.of_lectures(
            self.state.instance, individual.period.copy(), individual.room.copy()
        )

    def _offer(self, job: AnnealingJob) -> None:
        rank = job.individual().rank
        if rank < self._best_rank():
            self.state.offer(self._solution(job), cost=rank[1], violations=rank[0])


def _within(values: NDArray[Any], shape: tuple[int, ...], least: int, end: int) -> bool:
    """Tell whether an array has a shape, and whole numbers from `least` to below `end`."""
    return (
        values.shape == shape
        and (values.size == 0 or np.issubdtype(values.dtype, np.integer))
        and bool(np.all((values >= least) & (values < end)))
    )
