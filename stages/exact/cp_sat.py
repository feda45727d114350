"""A feasible solution, then a cheaper one cluster by cluster, by CP-SAT."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch
from ..budget import Budget
from ..plain_data import as_count
from ..problem import (
    Divisible,
    Division,
    Draft,
    PartResult,
    SolveLimits,
    check_methods,
    prepared_or_none,
    prepared_problem,
)
from ..pulse import Pulse
from ..stage import Stage
from ..state import State
from ..tasks.stop_flag import StopFlag
from ..tasks.task import Task
from ..tasks.task_group import TaskGroup
from ..tasks.waiting import Beat, run_aside, wait_all, within
from .independent_groups import independent_groups

logger = logging.getLogger("schoolbell.stages.exact.cp_sat")

# Of the time that is left, what finding any feasible solution may take.
SHARE_OF_BASE = 0.7

# What one attempt to build a solution may take where no time decides, in units of effort.
BUILDING = 10.0

# Of the stage's time, what one attempt to build a solution may take, and what all may take
# after the first; and of what is left then, what one model around what they leave out may.
SHARE_OF_ATTEMPT = 0.8
SHARE_OF_GREEDY = 0.3
SHARE_OF_STEP = 0.4

# Times that such a model is widened by the neighbours of the nodes that it has.
MOST_STEPS = 4

# Of a cluster's time, what its solver gets; the model is built in the rest.
SHARE_OF_SOLVER = 0.75

# In less time a model is hardly presolved: rather leave the last clusters out.
LEAST_SECONDS = 0.5

# When what a construction has found so far is offered first, and how long after the last time
# it is again: so many seconds, and so many times as long as evaluating it took.
FIRST_LOOK, NEXT_LOOK, SELDOM = 0.5, 1.0, 10.0

# Clusters solved at the same time share what is free: with more of them each
# gets less; with fewer workers may be idle.
MOST_AT_ONCE = 8

# Of the first unit, what finding a solution to start from takes; of a group's last one,
# what is left for the changes.
START, CHANGES = 0.5, 0.2

# What placing a unit of a node's size greedily takes in seconds, and what evaluating it does.
SECONDS_OF_A_UNIT = 1e-4
SECONDS_OF_AN_EVALUATION = 1e-5

# Size of the clusters where no stage has found any.
SIZE_OF_A_CLUSTER = 80

# Times that a shortage is looked into before it is left to the search.
MOST_SHORTAGES = 20


class CPSAT(Stage):
    """Build a feasible solution and improve it cluster by cluster with OR-tools CP-SAT.

    The problem is a `schoolbell.stages.problem.Divisible`. Its nodes, the courses of a
    timetable, are first placed greedily. If that leaves something out, one model of the
    whole problem finds places for everything without a conflict, at any cost; where the
    problem is too large for that, models of the nodes around what is left out, wider and
    wider. Then each cluster is solved by a model of its own at the least cost, everything
    else staying where it is; clusters without neighbours among each other are solved at
    the same time and share what is free. A change is kept if it makes the solution better.
    A cluster that is not solved in time stays as it was placed before, greedily at first,
    and the log says so (logger ``schoolbell.stages.exact.cp_sat``). What fits nowhere
    stays out of the solution.

    Of a timetable, lectures are placed in periods, with the formulation's soft constraints
    in the models of the clusters, and rooms are assigned period by period.

    Reads ``clusters`` from the state, if there, and starts from the state's solution if it
    has one. Without a time limit the result depends on the seed and not on the number of
    workers.

    Reported are a cluster's ``objective``, its cost in the model (of a timetable, the soft
    constraints' and 10,000 for each missing lecture), and its proven lower ``bound``.

    Parameters
    ----------
    effort
        CP-SAT's deterministic time for one cluster, about a second each.
    rounds
        Times that all clusters are solved.
    starts
        Greedy solutions tried at most until one is whole.
    whole_effort
        CP-SAT's deterministic time for the model of the whole problem, or for
        each of those around what is missing; 0 to do without them.
    whole_size
        Size that one model may have: of a timetable, pairs of a course and a period
        available to it.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    TypeError
        In `run`, if there is no such problem.
    """

    __module__ = "schoolbell.stages"

    name = "cp_sat"
    needs = ("prepared",)
    leaves = ("solution",)
    unit = "cluster"
    share = 10.0
    time_share = 5.0
    label = "CP-SAT"
    metrics = ("objective", "bound")
    only_improves = True
    goals = ("min",)
    tunable = ("effort",)

    def __init__(
        self,
        effort: float = 0.25,
        rounds: int = 1,
        starts: int = 10,
        whole_effort: float = 10.0,
        whole_size: int = 200_000,
    ) -> None:
        if not effort > 0:
            raise ValueError(f"effort must be above 0, got {effort}")
        if rounds < 0:
            raise ValueError(f"rounds must be 0 or more, got {rounds}")
        if starts < 1:
            raise ValueError(f"starts must be 1 or more, got {starts}")
        if not whole_effort >= 0:
            raise ValueError(f"whole_effort must be 0 or more, got {whole_effort}")
        if whole_size < 0:
            raise ValueError(f"whole_size must be 0 or more, got {whole_size}")
        self.effort = effort
        self.rounds = rounds
        self.starts = starts
        self.whole_effort = whole_effort
        self.whole_size = whole_size
        self._solving: _Solving | None = None
        self._loaded: dict[str, Any] | None = None

    def check_needs(
        self, before: Mapping[str, str], after: Mapping[str, str], problem: Any, initial: Any
    ) -> None:
        """Raise a TypeError where neither a stage before nor `fit` gives a problem for it."""
        if "prepared" not in before:
            check_methods(problem, Divisible, type(self).__name__)

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        """Find a feasible solution, then solve the clusters."""
        loaded, self._loaded = self._loaded, None
        problem: Divisible = prepared_problem(state, Divisible, type(self).__name__)
        # Aside: on the largest problems it takes a while.
        solving = yield from run_aside(_Solving, self, problem, state, budget)
        self._solving = solving
        yield Pulse(0.0, total=sum(len(group) for group in solving.groups))
        try:
            if loaded is None:
                yield from within(0.0, START, solving.start())
            else:
                solving.go_on(loaded)
            yield from solving.clusters()
        finally:
            self._solving = None
            solving.stop()

    def expected_seconds(self, state: State, time_limit: float | None) -> float | None:
        """Return what so many clusters take if each takes its effort."""
        problem = prepared_or_none(state, Divisible)
        if problem is None:
            return None
        size = int(problem.node_sizes.sum())
        clusters = self.rounds * getattr(state, "cluster_count", -(-size // SIZE_OF_A_CLUSTER))
        placing = SECONDS_OF_A_UNIT * size
        return placing + self.effort * clusters / max(1, min(state.workers, clusters))

    def state_dict(self) -> dict[str, Any]:
        """Return the solution and where among the clusters the stage is."""
        return {} if self._solving is None else self._solving.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back the solution; `run` checks it."""
        self._loaded = state


class _Solving:
    """One run of the stage."""

    def __init__(self, stage: CPSAT, problem: Divisible, state: State, budget: Budget) -> None:
        self.stage = stage
        self.state = state
        self.budget = budget
        self.sizes = problem.node_sizes
        self.division: Division = problem.divide()
        self.things, self.nodes = self.division.nouns
        self.flag = StopFlag()
        self.tasks = TaskGroup(state.executor)
        # The nodes of each cluster, and the clusters that are solved at the same time.
        self.parts = self._memberships()
        groups = independent_groups(self.division.neighbours, self.parts, MOST_AT_ONCE)
        self.groups = groups * stage.rounds
        self.draft: Draft = self._blank()
        self.value: tuple[float, float] = (np.inf, np.inf)
        # The group of clusters that is being solved, and what was found in it.
        self.turn = 0
        self.results: list[PartResult] = []

    def submit(self, task: Task) -> Future[Any]:
        """Run a task aside, to be cancelled when the stage ends."""
        return self.tasks.submit(task.function, *task.arguments)

    def do(
        self, task: Task, expected: float | None = None, message: str | None = None
    ) -> Generator[Beat, None, Any]:
        """Run a task aside and return what it gives."""
        expected = task.seconds if expected is None else expected
        result = yield from self.tasks.wait(
            task.function, *task.arguments, seconds=expected, message=message, counts=task.counts
        )
        return task.take(result)

    def stop(self) -> None:
        """End whatever still runs."""
        self.flag.set()
        self.tasks.close()

    def seed(self, *key: int) -> int:
        """Derive a seed for CP-SAT."""
        return int(self.state.seed_sequence(CPSAT.name, *key).generate_state(1)[0])

    def seconds(self, share: float) -> float | None:
        """Return a share of the time that is left; None without a time limit."""
        return None if self.budget.seconds is None else share * self.budget.remaining

    def state_dict(self) -> dict[str, Any]:
        """Return where the stage is, as plain data."""
        return {
            **self.draft.state_dict(),
            **self.division.state_dict(),
            "turn": self.turn,
            "results": [asdict(result) for result in self.results],
        }

    def go_on(self, state: dict[str, Any]) -> None:
        """Be where the stage was.

        Raises
        ------
        ValueError
            If that is no place to be for this problem.
        """
        self.draft = self.division.load_state_dict(state)
        _, violations, cost = self.draft.evaluate()
        self.value = violations, cost
        self.turn = as_count(state["turn"])
        self.results = [PartResult(**result) for result in state["results"]]

    def start(self) -> Generator[Beat, None, None]:
        """Find a solution to start from, feasible if that can be had."""
        solution = self.state.solution
        given = None if solution is None else self.division.draft(solution)
        if given is not None and self.state.violations == 0:
            yield from self._take(given)
            return
        yield from within(0.0, 0.3, self._place_greedily())
        if self.draft.missing:
            logger.info("greedy placement leaves %d %s out", self.draft.missing, self.things)
            hint = self.draft if given is None else given
            whole = yield from within(0.3, 0.6, self._solve_whole(hint))
            if whole is not None:
                yield from within(0.6, 0.65, self._take(whole))
        if self.draft.missing:
            yield from within(0.65, 1.0, self._solve_around_missing())
        if self.draft.missing:
            left = self.draft.missing, self.things
            logger.warning("%d %s are left out of the first solution", *left)

    def _blank(self) -> Draft:
        blank = self.division.draft()
        assert blank is not None
        return blank

    def _solve_whole(self, hint: Draft) -> Generator[Beat, None, Draft | None]:
        """Find places for everything by one model."""
        everything = np.arange(len(self.sizes))
        effort, size = self.stage.whole_effort, self.division.model_size(everything)
        if not effort or size > self.stage.whole_size:
            return None
        draft = None
        for attempt in range(MOST_SHORTAGES):
            limits = SolveLimits(effort, self.seconds(SHARE_OF_BASE))
            seed = self.seed(0, attempt)
            task = self.division.feasible(everything, hint, limits, seed, self.flag)
            low, middle, high = _ever_less(attempt)
            waiting = self._solve(task, limits, f"all {self.things}")
            result = yield from within(low, middle, waiting)
            if result.placed is None:
                why = "proved infeasible" if result.optimal else "not solved in time"
                logger.warning("the whole instance's model was %s", why)
                break
            change = self._blank().change([(everything, result.placed)])
            draft = yield from within(middle, high, self.do(change))
            hint = draft
            if not draft.missing or self.budget.should_end:
                break
            self.division.learn(draft)
        return draft

    def _solve_around_missing(self) -> Generator[Beat, None, None]:
        """Find places for what is left out, moving only nodes near it."""
        nodes = self.division.incomplete(self.draft)
        for step in range(MOST_STEPS if self.stage.whole_effort else 0):
            nodes = _with_neighbours(self.division.neighbours, nodes)
            size = self.division.model_size(nodes)
            if self.budget.should_end or size > self.stage.whole_size:
                return
            limits = SolveLimits(self.stage.whole_effort, self.seconds(SHARE_OF_STEP))
            seed = self.seed(3, step)
            task = self.division.feasible(nodes, self.draft, limits, seed, self.flag)
            low, middle, high = _ever_less(step)
            what = f"{len(nodes)} {self.nodes} around {self.things} left out"
            result = yield from within(low, middle, self._solve(task, limits, what))
            if result.placed is not None:
                yield from within(middle, high, self._change([(nodes, result.placed)]))
            if not self.draft.missing:
                return
            logger.info("%s are too few to move", what)

    def _place_greedily(self) -> Generator[Beat, None, None]:
        """Place everything one by one, in several ways until nothing is left out."""
        seeds = self.state.seed_sequence(CPSAT.name, 1)
        for attempt in range(self.stage.starts):
            rng = np.random.default_rng(seeds.spawn(1)[0])
            low, middle, high = _ever_less(attempt)
            limits = SolveLimits(BUILDING, self._seconds_of_attempt())
            task = self.division.construct(rng, limits, self.flag)
            saying = f"CP-SAT: placing the {self.things}, attempt {attempt + 1}"
            placing = self._offering(task, self.do(task, message=saying))
            draft = yield from within(low, middle, placing)
            yield from within(middle, high, self._take(draft))
            left = inf if self.budget.seconds is None else self.budget.seconds * SHARE_OF_GREEDY
            if not self.draft.missing or self.budget.elapsed > left:
                return

    def _seconds_of_attempt(self) -> float | None:
        """Return what an attempt may take so that its solution can be evaluated in time."""
        seconds = self.seconds(SHARE_OF_ATTEMPT)
        if seconds is None:
            return None
        return max(0.5 * seconds, min(seconds, self.budget.remaining - 2.0 * self._evaluation))

    @property
    def _evaluation(self) -> float:
        """Seconds that evaluating a solution takes, roughly."""
        usual = SECONDS_OF_AN_EVALUATION * float(self.sizes.sum())
        return getattr(self.division, "evaluation_seconds", usual)

    def _offering(
        self, task: Task, work: Generator[Beat, None, Draft]
    ) -> Generator[Beat, None, Draft]:
        """Offer now and then what a task has found so far, so that whoever ends it has that.

        Nothing else depends on it.
        """
        if task.so_far is None:
            return (yield from work)
        look, last = time.monotonic() + max(FIRST_LOOK, 2.0 * self._evaluation), None
        try:
            while True:
                try:
                    yield next(work)
                except StopIteration as end:
                    return end.value
                found = task.so_far() if time.monotonic() > look else None
                if found is None or found is last:
                    continue
                began, last = time.monotonic(), found
                draft: Draft = task.take(found)
                solution, violations, cost = yield from run_aside(draft.evaluate)
                self.state.offer(solution, cost, violations)
                look = time.monotonic() + max(NEXT_LOOK, SELDOM * (time.monotonic() - began))
        finally:
            work.close()

    def _solve(self, task: Task, limits: SolveLimits, what: str) -> Generator[Beat, None, Any]:
        """Wait for a model, saying of what it is and for how long it has been at work."""
        return self.do(task, _usual_seconds(limits), f"CP-SAT: one model of {what}")

    def _take(self, draft: Draft) -> Generator[Beat, None, bool]:
        """Keep a draft if it is the best so far, and offer it."""
        # Aside: on the largest problems it takes a while.
        evaluating = run_aside(draft.evaluate, expected=self._evaluation)
        solution, violations, cost = yield from evaluating
        if (violations, cost) >= self.value:
            return False
        self.draft, self.value = draft, (violations, cost)
        self.state.offer(solution, cost, violations)
        return True

    def clusters(self) -> Generator[Batch | Beat, None, None]:
        """Solve the clusters, those at the same time that are no neighbours."""
        clusters, groups = self.parts, self.groups
        waves = [-(-len(group) // self.state.workers) for group in groups]
        total = sum(len(group) for group in groups)
        done = sum(len(group) for group in groups[: self.turn]) + len(self.results)
        # Of the first unit a part is done already, if a solution had to be found first.
        begun = START if done == 0 else 0.0
        for turn, group in list(enumerate(groups))[self.turn :]:
            if self.budget.should_end:
                return
            limits = SolveLimits(self.stage.effort, self._cluster_seconds(sum(waves[turn:])))
            parts = [clusters[cluster] for cluster in group]
            self._check_results(parts)
            known = len(self.results)
            tasks = [
                self.division.improve(
                    nodes, self.draft, limits, self.seed(2, turn, i), self.flag, len(parts), i
                )
                for i, nodes in list(enumerate(parts))[known:]
            ]
            solving = list(zip(group[known:], tasks, map(self.submit, tasks), strict=True))
            for cluster, task, future in solving:
                is_last = len(self.results) + 1 == len(group)
                solved = 1.0 - CHANGES if is_last else 1.0
                waiting = wait_all([future], _usual_seconds(limits) / SHARE_OF_SOLVER)
                (found,) = yield from within(begun, solved, waiting)
                result: PartResult = task.take(found)
                begun = 0.0
                self.results.append(result)
                if result.placed is None:
                    logger.info("cluster %d not solved in time: it stays as it was", cluster)
                if is_last:
                    yield from within(solved, 1.0, self._apply(parts, self.results))
                    self.turn, self.results = turn + 1, []
                done += 1
                logs = {"objective": result.objective, "bound": result.bound}
                yield Batch(done, total, logs)

    def _check_results(self, parts: Sequence[NDArray[np.intp]]) -> None:
        """See that results that a backup held are those of the first of these clusters."""
        for result, nodes in zip(self.results, parts, strict=False):
            if result.placed is not None:
                self.draft.change([(nodes, result.placed)])
        if len(self.results) >= len(parts):
            raise ValueError(f"{len(self.results)} results of {len(parts)} clusters")

    def _cluster_seconds(self, waves: int) -> float | None:
        """Return what a cluster may take when so many are left one after the other."""
        if self.budget.seconds is None:
            return None
        least = min(LEAST_SECONDS, self.budget.remaining)
        return SHARE_OF_SOLVER * max(self.budget.remaining / waves, least)

    def _memberships(self) -> list[NDArray[np.intp]]:
        """List the nodes of each cluster; without clusters, nodes as they come."""
        clusters = getattr(self.state, "clusters", None)
        if clusters is None:
            clusters = (np.cumsum(self.sizes) - 1) // SIZE_OF_A_CLUSTER
        return [np.flatnonzero(clusters == cluster) for cluster in np.unique(clusters)]

    def _apply(
        self, parts: Sequence[NDArray[np.intp]], results: Sequence[PartResult]
    ) -> Generator[Beat, None, None]:
        """Change the solution to what was found: all at once, else what makes it better."""
        changes = [
            (nodes, result.placed)
            for nodes, result in zip(parts, results, strict=True)
            if result.placed is not None and self.draft.differs(nodes, result.placed)
        ]
        if not changes or (yield from within(0.0, 0.3, self._change(changes))):
            return
        for done, change in enumerate(changes if len(changes) > 1 else []):
            low, high = (0.3 + 0.7 * (done + more) / len(changes) for more in (0, 1))
            yield from within(low, high, self._change([change]))

    def _change(
        self, changes: Sequence[tuple[NDArray[np.intp], NDArray[Any]]]
    ) -> Generator[Beat, None, bool]:
        """Give some nodes new values if that makes the solution better."""
        draft = yield from within(0.0, 0.7, self.do(self.draft.change(changes)))
        return (yield from within(0.7, 1.0, self._take(draft)))


def _usual_seconds(limits: SolveLimits) -> float:
    """Return what a model may take; a unit of effort is about a second."""
    return limits.effort if limits.seconds is None else min(limits.effort, limits.seconds)


def _ever_less(attempt: int) -> tuple[float, float, float]:
    """Return begin, middle and end of an attempt's part where nobody knows how many it takes."""
    low, high = 1.0 - 0.5**attempt, 1.0 - 0.5 ** (attempt + 1)
    return low, 0.3 * low + 0.7 * high, high


def _with_neighbours(
    neighbours: tuple[NDArray[np.integer], NDArray[np.integer]], nodes: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Add the neighbours of some nodes."""
    starts, others = neighbours
    near = [others[starts[node] : starts[node + 1]] for node in nodes.tolist()]
    return np.unique(np.concatenate([nodes, *near])).astype(np.intp)
