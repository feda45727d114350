"""The run of a genetic algorithm."""

from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch
from ..budget import Budget
from ..plain_data import as_count
from ..problem import Breedable, Breeding, Cooling, Genes
from ..pulse import Pulse
from ..state import State
from ..tasks.stop_flag import StopFlag
from ..tasks.task import Task
from ..tasks.task_group import TaskGroup
from ..tasks.waiting import PULSE, Beat, run_aside, within
from .annealing_job import AnnealingJob
from .brood import Brood, Origin
from .far_anneals import MOST_AHEAD, FarAnneals
from .individual import Individual
from .leg import Settings

if TYPE_CHECKING:
    from .genetic_algorithm import GeneticAlgorithm

# What part of its usual speed an anneal of a large problem has.
LARGE_ONES_SPEED = 0.625
# Size of the clusters where no stage has found any.
NODES_OF_A_CLUSTER = 10
# Individuals that are less apart count as the same.
TWINS = 0.02

# With a time limit, so many steps in a short run, so many in a long one, and their seconds.
SHORT_STEPS, LONG_STEPS = 40, 400
SHORTEST_STEP, SHORT_STEP, LONGEST_STEP = 0.1, 0.2, 1.0
# What placing or crossing and counting an item takes, and what a step does.
SECONDS_OF_AN_ITEM = 1e-4
SECONDS_OF_A_STEP = 0.3


class Evolution:
    """Islands of individuals that a genetic algorithm evolves.

    Parameters
    ----------
    stage
        The parameters.
    problem
        What is solved.
    breeding
        The problem, prepared for this run.
    state
        With clusters of nodes, if a stage has found them.
    budget
        What the stage may spend.
    """

    def __init__(
        self,
        stage: "GeneticAlgorithm",
        problem: Breedable,
        breeding: Breeding,
        state: State,
        budget: Budget,
    ) -> None:
        self.stage = stage
        self.state = state
        self.budget = budget
        self.breeding = breeding
        self.n_items = problem.n_items
        self.moves_per_second = problem.moves_per_second
        self.scale = breeding.scale
        # Of moves that have been counted nothing need be taken off.
        measured = getattr(problem, "measured_speed", None)
        self.speeds = (
            (measured, measured)
            if measured
            else (self.moves_per_second, LARGE_ONES_SPEED * self.moves_per_second)
        )
        self.founders = self._count_founders()
        self.islands: list[list[Individual]] = [
            [] for _ in range(max(1, min(stage.islands, self.founders // 2)))
        ]
        self.rng = np.random.default_rng(state.seed_sequence(stage.name))
        self.done = 0
        self.made = 0
        self.reheat_gain = np.full(len(stage.reheats), np.inf)
        self.clusters = self._clusters()
        #: Generations of founders.
        self.founding = -(-self.founders // self._at_once)
        self.steps = self._plan()
        self.steps_done = 0
        self.brood: Brood | None = None
        # The anneals that are running, and those that were made last, to tell of.
        self._running: dict[Future[Any], tuple[AnnealingJob, Task]] = {}
        self._latest: list[AnnealingJob] = []
        self._tasks = TaskGroup(state.executor)
        self._flag = StopFlag()
        # Those that are in other processes; None where the executor has threads of this one.
        self._far: FarAnneals | None = None
        # Where the evolution was before it began to make a brood.
        self._before: dict[str, Any] | None = None
        self._apart: tuple[list[Individual], float] = ([], 0.0)

    def state_dict(self) -> dict[str, Any]:
        """Return where the evolution is after a step; what is being made is made again."""
        state = self._place() if self._before is None else self._before
        everyone = [one for island in state["islands"] for one in island]
        ranks = [one.rank for one in everyone]
        brood = None if self.brood is None else self.brood.state_dict(self._hold())
        return {
            "sizes": np.array([len(island) for island in state["islands"]]),
            **{name: self._stacked(everyone, name) for name in self.breeding.genes},
            "total": np.array(ranks).reshape(len(everyone), 2),
            "rng": state["rng"],
            "done": self.done,
            "made": state["made"],
            "reheat_gain": self.reheat_gain.copy(),
            "clusters": self.clusters[0].copy(),
            "cluster_count": self.clusters[1],
            "steps": tuple(self.steps),
            "steps_done": self.steps_done,
            "brood": brood,
        }

    def _stacked(self, everyone: list[Individual], name: str) -> NDArray[np.int64]:
        length, _, _ = self.breeding.genes[name]
        stacked = np.array([one.genes[name] for one in everyone], np.int64)
        return stacked.reshape(len(everyone), length)

    def _place(self) -> dict[str, Any]:
        return {
            "islands": [list(island) for island in self.islands],
            "rng": self.rng.bit_generator.state,
            "made": self.made,
        }

    def _hold(self) -> list[Any]:
        """Return the anneals of the brood when none of them is running."""
        assert self.brood is not None
        wait(self._running)
        held = {
            id(job): task.take(future.result()) for future, (job, task) in self._running.items()
        }
        return [held.get(id(job), job.anneal) for job in self.brood.jobs]

    def go_on(self, state: dict[str, Any]) -> Generator[Beat, None, None]:
        """Be where another evolution was.

        Raises
        ------
        ValueError
            If it was one of another problem or of other parameters.
        """
        genes = self.breeding.genes
        sizes, stacked = np.asarray(state["sizes"]), {n: np.asarray(state[n]) for n in genes}
        total, clusters = np.asarray(state["total"]), np.asarray(state["clusters"])
        gain, count = np.asarray(state["reheat_gain"]), int(state["cluster_count"])
        members = int(sizes.sum())
        fits = (
            sizes.shape == (len(self.islands),)
            and (sizes >= 0).all()
            and total.shape == (members, 2)
            and gain.shape == self.reheat_gain.shape
            and all(
                _within(stacked[name], (members, length), least, end)
                for name, (length, least, end) in genes.items()
            )
            and _within(clusters, self.clusters[0].shape, 0, count)
            and count <= max(len(clusters), 1)
        )
        if not fits:
            raise ValueError("the population is not one of this problem and these parameters")
        everyone = [
            Individual(
                {name: stacked[name][i].astype(np.int64) for name in genes},
                int(total[i][0]),
                total[i][1].item(),
            )
            for i in range(members)
        ]
        ends = np.cumsum(sizes)
        self.islands = [everyone[end - size : end] for end, size in zip(ends, sizes, strict=True)]
        self.rng.bit_generator.state = state["rng"]
        self.done, self.made = int(state["done"]), int(state["made"])
        self.reheat_gain = gain.astype(float)
        self.clusters = clusters.astype(np.int64), count
        founding, breeding = (as_count(steps, least=1) for steps in state["steps"])
        self.steps = founding, breeding
        self.steps_done = as_count(state["steps_done"])
        if state["brood"] is not None:
            # Aside: on the largest problems it takes a while.
            brood: Brood = yield from run_aside(
                Brood.of_state,
                self.breeding,
                state["brood"],
                self.moves_per_second,
                self._clock,
                len(self.islands),
                len(self.reheat_gain),
            )
            self.brood, self._latest = brood, brood.jobs

    def _clock(self) -> float:
        return self.budget.elapsed

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

    def run(self) -> Iterator[Batch | Beat]:
        """Yield after every step, and pulses while one is on its way."""
        try:
            if (yield from self._tasks.runs_elsewhere()):
                self._far = FarAnneals(self._tasks, self.state.workers)
            if self.budget.seconds is None:
                yield from self._by_moves()
            else:
                yield from self._by_time(self.budget.seconds)
        finally:
            self._flag.set()
            self._tasks.close()

    def _plan(self) -> tuple[int, int]:
        """Divide the work into steps: of a generation of founders, and of one of children.

        With a time limit, all of it into as many as the first number says.
        """
        stage, seconds = self.stage, self.budget.seconds
        if seconds is not None:
            short = min(max(seconds / SHORT_STEPS, SHORTEST_STEP), SHORT_STEP)
            length = min(max(seconds / LONG_STEPS, short), LONGEST_STEP)
            return max(1, round(seconds / length)), 1
        founding, breeding = (
            self._count_steps(moves) for moves in (stage.founder_moves, stage.child_moves)
        )
        return founding, breeding

    def _count_steps(self, moves_per_item: int) -> int:
        moves = self._at_once * moves_per_item * self.n_items
        return max(1, round(moves / self.breeding.step_moves))

    @property
    def _generations(self) -> int | None:
        """Generations in all, founders' included; None where the time decides."""
        generations = self.stage.generations
        if generations is None:
            if self.budget.seconds is not None:
                return None
            generations = self.stage.generations_without_limit
        return self.founding + generations

    def _by_moves(self) -> Iterator[Batch | Beat]:
        """Let each step carry every anneal on by as many moves, whatever time they take."""
        founding, breeding = self.steps
        total = self.founding * founding + ((self._generations or 0) - self.founding) * breeding
        yield Pulse(0.0, total=total)
        while self.brood is not None or not self._is_over():
            steps = founding if self.done < self.founding else breeding
            began = 0.0
            if self.brood is None:
                began = self._part_of_making()
                yield from within(0.0, began, self._make(None))
            brood = self.brood
            assert brood is not None
            before = self._best_rank()
            yield from within(began, 1.0, self._anneal(brood, steps))
            self._settle(brood.jobs, before)
            brood.step += 1
            if brood.step >= steps:
                self._end(brood)
            self.steps_done += 1
            yield Batch(self.steps_done, total, self._logs())
            if self.budget.should_end or self._is_best_possible:
                return

    def _by_time(self, seconds: float) -> Iterator[Batch | Beat]:
        """Let each step take as long, whatever the anneals are at."""
        total, _ = self.steps
        length = max(seconds / total, 1e-9)
        yield Pulse(0.0, total=total)
        for _ in self._evolve():
            elapsed = self.budget.elapsed
            # The last one ends with the work.
            due = min(int(elapsed / length), total - 1)
            if due > self.steps_done:
                self.steps_done = due
                yield Batch(due, total, self._logs())
            else:
                yield Pulse(min(max(elapsed / length - self.steps_done, 0.0), 1.0))
        if self.steps_done < total and self.done:
            is_whole = self.budget.should_end or not self._is_best_possible
            self.steps_done = total if is_whole else self.steps_done + 1
            yield Batch(self.steps_done, total, self._logs())

    def _evolve(self) -> Iterator[Beat]:
        """Make, anneal and let in one brood after the other, until the time is over."""
        while self.brood is not None or not self._is_over():
            if self.brood is None:
                yield from self._make(self._seconds_for_generation())
            assert self.brood is not None
            yield from self._anneal(self.brood, None)
            self._end(self.brood)

    def _make(self, seconds: float | None) -> Generator[Beat, None, None]:
        """Make the next brood, from where a resumed run makes it again."""
        self._before = self._place()
        try:
            make = self._found if self.done < self.founding else self._breed
            brood = yield from make(seconds)
            brood.before = self._best_rank()
            self.brood, self._latest = brood, brood.jobs
        finally:
            self._before = None

    def _part_of_making(self) -> float:
        """Return the part of a generation's first step in which its anneals are prepared."""
        seconds = SECONDS_OF_AN_ITEM * self.n_items * self._at_once
        return seconds / (seconds + SECONDS_OF_A_STEP)

    def _end(self, brood: Brood) -> None:
        """Let the individuals that are made now into the population."""
        self._settle(brood.jobs, brood.before)
        if brood.origins:
            for job, origin in zip(brood.jobs, brood.origins, strict=True):
                child = job.individual()
                self._learn(origin, child)
                self._admit(child, self.islands[origin.island])
            if (self.done - self.founding + 1) % self.stage.migration == 0:
                self._migrate()
        else:
            for i, job in enumerate(brood.jobs, self._members):
                island = self.islands[i % len(self.islands)]
                island.append(job.individual())
                island.sort(key=lambda individual: individual.rank)
        self.done += 1
        self.brood = None

    @property
    def _at_once(self) -> int:
        """Individuals made in a generation; with a time limit no more than work at once."""
        offspring = self.stage.offspring
        return offspring if self.budget.seconds is None else min(offspring, self.state.workers)

    def _count_founders(self) -> int:
        stage, seconds = self.stage, self.budget.seconds
        if seconds is None:
            return stage.population
        moves = seconds * stage.founder_share * self.state.workers * self.speeds[0]
        needs = self.breeding.needs
        full = int(moves / (needs.full * max(self.n_items, 1)))
        return max(needs.founders, min(max(full, self._at_once), stage.population))

    def _clusters(self) -> tuple[NDArray[np.int64], int]:
        """Take the clusters that a stage has found, or draw some."""
        n_nodes = self.breeding.n_nodes
        found = getattr(self.state, "clusters", None)
        if found is not None:
            return found.astype(np.int64), int(self.state.cluster_count)
        count = max(2, n_nodes // NODES_OF_A_CLUSTER)
        return self.rng.permutation(n_nodes) % count, count

    @property
    def _is_best_possible(self) -> bool:
        state = self.state
        return state.violations == 0 and state.cost is not None and state.cost <= (state.bound or 0)

    def _is_over(self) -> bool:
        if self._is_best_possible or self.budget.should_end:
            return True
        return self._generations is not None and self.done >= self._generations

    def _seconds_for_generation(self) -> float:
        """Divide the time that is left into the generations that are to come."""
        seconds, remaining = self.budget.seconds or 0.0, self.budget.remaining
        share, generations = self.stage.founder_share, self.stage.generations
        founder_seconds = seconds * share / self.founding
        if generations is not None:
            # The children share what is left of the time, or the founders all of it.
            left = self.founding + generations - self.done
            is_founding = self.done < self.founding and generations > 0
            return min(founder_seconds, remaining) if is_founding else remaining / max(left, 1)
        is_founding = self.done < self.founding
        seconds = founder_seconds if is_founding else self.breeding.needs.child * founder_seconds
        # A rest too short for another generation is given to this one.
        return remaining if remaining < 1.6 * seconds else seconds

    def _found(self, seconds: float | None) -> Generator[Beat, None, Brood]:
        """Make the next founders, for the islands in turn."""
        stage = self.stage
        brood = Brood(seconds=seconds)
        count = min(self._at_once, self.founders - self._members)
        for number in range(count):
            low, high = number / count, (number + 1) / count
            start, temperature = yield from within(
                low, (low + high) / 2, self._founder_start(self.made, seconds)
            )
            job = self._job(start, temperature, stage.founder_moves)
            brood.jobs.append((yield from within((low + high) / 2, high, job)))
        return brood

    def _founder_start(
        self, index: int, seconds: float | None
    ) -> Generator[Beat, None, tuple[Genes, float]]:
        """Choose where a founder's anneal begins: its solution and its temperature."""
        stage, solution = self.stage, self.state.solution
        moves = np.inf if seconds is None else seconds * self.speeds[1] / max(self.n_items, 1)
        needs = self.breeding.needs
        is_broken = bool(self.state.violations)
        if solution is not None and (index == 0 or is_broken or moves < needs.hot):
            # The first improves what there is; the others too if the time is too short
            # to cool from high up. What breaks rules is to be mended first.
            is_warm = not is_broken and moves >= needs.warm
            reheat = self._reheats.max() if is_warm else self._reheats.min()
            return self.breeding.of_solution(solution), float(reheat)
        rng = np.random.default_rng(self.state.seed_sequence(stage.name, 1, index))
        # On the executor: on the largest problems it takes seconds.
        start = yield from self.breeding.found(rng, self._flag).wait(self._tasks)
        return start, stage.founder_temperature * self.scale

    def _breed(self, seconds: float | None) -> Generator[Beat, None, Brood]:
        """Make children on the islands in turn."""
        brood = Brood(seconds=seconds)
        count = self._at_once
        for turn in range(count):
            low, high = turn / count, (turn + 1) / count
            island = (turn + self.done) % len(self.islands)
            first, second = self._parents(self.islands[island])
            reheat = self._choose_reheat()
            child: Genes = first.genes
            if self.rng.random() < self.stage.crossover:
                crossing = self._cross(first, second, island)
                child = yield from within(low, (low + high) / 2, crossing)
            temperature = float(self._reheats[reheat])
            job = self._job(child, temperature, self.stage.child_moves)
            brood.jobs.append((yield from within((low + high) / 2, high, job)))
            brood.origins.append(Origin(island, reheat, first.violations, first.cost))
        return brood

    def _cross(
        self, first: Individual, second: Individual, island: int
    ) -> Generator[Beat, None, Genes]:
        """Give the first parent some clusters of the second."""
        seed = self.state.seed_sequence(self.stage.name, 2, self.made)
        expected = SECONDS_OF_AN_ITEM * self.n_items
        # Aside, both: on the largest problems they take seconds.
        chosen = yield from within(
            0.0,
            0.5,
            run_aside(self._nodes_to_exchange, first, second, island, expected=expected),
        )
        crossing = self.breeding.cross(first.genes, second.genes, chosen, seed, self._violation)
        return (yield from within(0.5, 1.0, crossing.wait(self._tasks)))

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

    def _learn(self, origin: Origin, child: Individual) -> None:
        weight = self._violation
        gain = (origin.violations - child.violations) * weight + origin.cost - child.cost
        known = self.reheat_gain[origin.reheat]
        self.reheat_gain[origin.reheat] = gain if np.isinf(known) else 0.7 * known + 0.3 * gain

    def _nodes_to_exchange(
        self, first: Individual, second: Individual, island: int
    ) -> NDArray[np.bool_]:
        """Choose clusters in which the second parent is better, and some others.

        Each island has clusters of its own that it exchanges oftener, so that the
        islands search in different directions; from migration to migration these
        go round.
        """
        clusters, count = self.clusters
        costs = [
            self.breeding.part_costs(parent.genes, clusters, count, self._violation)
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

    def _distance(self, one: Individual, other: Individual) -> float:
        return self.breeding.distance(one.genes, other.genes)

    def _logs(self) -> dict[str, float | None]:
        if not self._latest:
            # The first founders are still being placed.
            return {}
        everyone = [one for island in self.islands for one in island]
        if self.brood is not None and not self.brood.origins:
            # Founders in the making belong to the population, as far as they have come.
            everyone += [job.individual() for job in self.brood.jobs]
        return {
            "population_mean": float(np.mean([one.cost for one in everyone])),
            "diversity": self._diversity(everyone),
            "temperature": float(np.mean([job.anneal.temperature for job in self._latest])),
            "anneal_cost": float(np.mean([job.anneal.cost for job in self._latest])),
        }

    def _diversity(self, everyone: list[Individual]) -> float:
        """Return how far the others are from the best, on average."""
        known, value = self._apart
        if len(known) == len(everyone) and all(map(_is_same, known, everyone)):
            return value
        best, *others = sorted(everyone, key=lambda one: one.rank)
        apart = [self._distance(best, other) for other in others]
        value = float(np.mean(apart)) if apart else 0.0
        if self.brood is None or self.brood.origins:
            # Else the anneals go on in these arrays.
            self._apart = everyone, value
        return value

    @property
    def _end_temperature(self) -> float:
        return self.stage.final_temperature * float(np.sqrt(self.scale))

    def _job(
        self, genes: Genes, temperature: float, moves_per_item: int
    ) -> Generator[Beat, None, AnnealingJob]:
        cooling = Cooling(
            start=temperature,
            end=self._end_temperature,
            moves=moves_per_item * max(self.n_items, 1),
            kempe=self.stage.kempe,
            violation=self._violation,
        )
        seed = self.state.seed_sequence(self.stage.name, 3, self.made)
        self.made += 1
        # Aside: on the largest problems it takes a while.
        anneal = yield from run_aside(
            self.breeding.anneal, genes, cooling, seed, expected=SECONDS_OF_AN_ITEM * self.n_items
        )
        return AnnealingJob(anneal, self.moves_per_second, self._clock)

    def _anneal(self, brood: Brood, steps: int | None) -> Generator[Pulse, None, None]:
        """Run the anneals on the executor, as many at once as there are workers.

        Parameters
        ----------
        brood
            The anneals.
        steps
            Steps in which they come to their ends, of which this does the next one; None
            for all at once.
        """
        if self._far is not None and all(map(self._far.can_take, brood.jobs[:1])):
            yield from self._anneal_far(self._far, brood, steps)
            return
        step = brood.step
        begins = [0 if steps is None else job.moves_until(step, steps) for job in brood.jobs]
        ends = [None if steps is None else job.moves_until(step + 1, steps) for job in brood.jobs]
        to_do = sum(end - begin for begin, end in zip(begins, ends, strict=True) if end is not None)
        end_of = {id(job): end for job, end in zip(brood.jobs, ends, strict=True)}

        def goes_on(job: AnnealingJob) -> bool:
            end = end_of[id(job)]
            return job.moves_left > 0 if end is None else job.moves_made < end

        workers = max(1, min(self.state.workers, len(brood.jobs)))
        rounds = -(-len(brood.jobs) // workers)
        waiting = [job for job in reversed(brood.jobs) if brood.seconds is not None or goes_on(job)]
        running = self._running
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    job = waiting.pop()
                    if job.deadline is None and brood.seconds is not None:
                        job.begin(brood.seconds / rounds)
                    self._submit(job)
                finished, _ = wait(running, timeout=PULSE, return_when=FIRST_COMPLETED)
                for future in finished:
                    job, task = running.pop(future)
                    job.take(task.take(future.result()))
                    self._offer(job)
                    if goes_on(job):
                        self._submit(job)
                done = sum(job.moves_made for job in brood.jobs) - sum(begins)
                yield Pulse(min(max(done / to_do, 0.0), 1.0) if to_do else None)
        finally:
            for future in running:
                future.cancel()
            running.clear()

    def _anneal_far(
        self, far: FarAnneals, brood: Brood, steps: int | None
    ) -> Generator[Pulse, None, None]:
        """Do as `_anneal` in other processes, which are sent several steps at once."""
        step = brood.step
        if steps is None or step == 0:
            far.forget()
        ends: list[list[int] | None] = [
            None
            if steps is None
            else [
                job.moves_until(later, steps)
                for later in range(step + 1, min(steps, step + MOST_AHEAD) + 1)
            ]
            for job in brood.jobs
        ]
        begun = sum(job.moves_made for job in brood.jobs)
        to_do = sum(end[0] for end in ends if end) - begun
        rounds = -(-len(brood.jobs) // max(1, self.state.workers))

        def goes_on(job: AnnealingJob, end: list[int] | None) -> bool:
            if end is not None:
                return job.moves_made < end[0]
            return job.deadline is None or far.has_more(job) or job.moves_left > 0

        while True:
            settings = Settings(self._end_temperature, self.stage.kempe, self._violation)
            for job, end in zip(brood.jobs, ends, strict=True):
                far.check(job, settings)
                if far.take(job, None if end is None else end[0]):
                    self._offer(job)
            left = [
                (job, end) for job, end in zip(brood.jobs, ends, strict=True) if goes_on(job, end)
            ]
            if not left:
                return
            for job, end in left:
                if not far.has_more(job) and not far.is_full:
                    if job.deadline is None and brood.seconds is not None:
                        job.begin(brood.seconds / rounds)
                    far.submit(job, end, settings)
            done = sum(job.moves_made for job in brood.jobs) - begun
            yield Pulse(min(max(done / to_do, 0.0), 1.0) if to_do > 0 else None)
            far.wait(PULSE)

    def _submit(self, job: AnnealingJob) -> None:
        job.anneal.change(self._end_temperature, self.stage.kempe, self._violation)
        moves = job.next_chunk()
        task = job.anneal.chunk(moves)
        future = self._tasks.submit(task.function, *task.arguments)
        self._running[future] = job, task

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

    def _solution(self, job: AnnealingJob) -> Any:
        return self.breeding.solution(job.individual().genes)

    def _offer(self, job: AnnealingJob) -> None:
        rank = job.individual().rank
        if rank < self._best_rank():
            self.state.offer(self._solution(job), cost=rank[1], violations=rank[0])


def _is_same(one: Individual, other: Individual) -> bool:
    """Tell whether two individuals are in the same arrays."""
    pairs = zip(one.genes.values(), other.genes.values(), strict=True)
    return all(mine is others for mine, others in pairs)


def _within(values: NDArray[Any], shape: tuple[int, ...], least: int, end: int) -> bool:
    """Tell whether an array has a shape, and whole numbers from `least` to below `end`."""
    return (
        values.shape == shape
        and (values.size == 0 or np.issubdtype(values.dtype, np.integer))
        and bool(np.all((values >= least) & (values < end)))
    )
