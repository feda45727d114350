"""A feasible timetable, then a cheaper one cluster by cluster, by CP-SAT."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch
from ..budget import Budget
from ..plain_data import as_count
from ..pulse import Pulse
from ..stage import Stage
from ..state import State
from ..tasks.stop_flag import StopFlag
from ..tasks.waiting import Beat, run_aside, wait_all, within
from ..timetable.cost.evaluation import evaluate
from ..timetable.errors import TimetableError
from ..timetable.model.solution import Solution
from ..timetable.periods.cluster_groups import independent_groups
from ..timetable.periods.draft import Draft
from ..timetable.periods.period_model import PeriodResult, SolveLimits, improve, place_all
from ..timetable.periods.period_problem import PeriodProblems

if TYPE_CHECKING:
    from ..timetable.model.instance import Instance

logger = logging.getLogger("schoolbell.stages.exact.cp_sat")

# Of the time that is left, what finding any feasible timetable may take.
SHARE_OF_BASE = 0.7

# Of the stage's time, what greedy attempts may take after the first, and of what is
# left then, what one model around the lectures that they leave out may take.
SHARE_OF_GREEDY = 0.3
SHARE_OF_STEP = 0.4

# Times that such a model is widened by the courses in conflict with those that it has.
MOST_STEPS = 4

# Of a cluster's time, what its solver gets; the model is built in the rest.
SHARE_OF_SOLVER = 0.75

# In less time a model is hardly presolved: rather leave the last clusters out.
LEAST_SECONDS = 0.5

# Below this many rooms all lectures get their rooms anew after a change, above it
# those that have moved: the work grows with the square of the rooms.
FEW_ROOMS = 300

# Clusters solved at the same time share the free rooms: with more of them each
# gets less; with fewer workers may be idle.
MOST_AT_ONCE = 8

# Of the first unit, what finding a timetable to start from takes; of a group's last one,
# what is left for the changes.
START, CHANGES = 0.5, 0.2

# What placing a lecture greedily, or giving one a room, takes in seconds, and what an
# evaluation does.
SECONDS_OF_A_LECTURE = 1e-4
SECONDS_OF_AN_EVALUATION = 1e-5

# Size of the clusters where no stage has found any.
LECTURES_OF_A_CLUSTER = 80

# Times that a room shortage is looked into before it is left to the search.
MOST_SHORTAGES = 20


class CPSAT(Stage):
    """Build a feasible timetable and improve it cluster by cluster with OR-tools CP-SAT.

    Lectures are first placed greedily. If some fit nowhere, one model of the whole
    instance finds periods for all lectures without a conflict, at any cost; where
    the instance is too large for that, models of the courses around those lectures,
    wider and wider. Then each cluster is solved by a model of its own with the
    formulation's soft constraints, everything else staying where it is; clusters
    without a conflict between them are solved at the same time and share the rooms
    that are free. Rooms are assigned period by period. A change is kept if it makes
    the timetable better. A cluster that is not solved in time stays as it was
    placed before, greedily at first, and the log says so (logger
    ``schoolbell.stages.exact.cp_sat``). Lectures that fit nowhere stay out of the
    timetable.

    Reads ``instance``, ``formulation`` and, if there, ``clusters`` from the
    state, and starts from the state's solution if it has one. Without a time
    limit the result depends on the seed and not on the number of workers.

    Reported are a cluster's ``objective``, its soft cost in the model, where
    each missing lecture costs 10,000, and its proven lower ``bound``.

    Parameters
    ----------
    effort
        CP-SAT's deterministic time for one cluster, about a second each.
    rounds
        Times that all clusters are solved.
    starts
        Greedy timetables tried at most until one has all lectures.
    whole_effort
        CP-SAT's deterministic time for the model of the whole instance, or for
        each of those around missing lectures; 0 to do without them.
    whole_size
        Pairs of a course and a period available to it that one model may have.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    __module__ = "schoolbell.stages"

    name = "cp_sat"
    unit = "cluster"
    share = 10.0
    time_share = 5.0
    label = "CP-SAT"
    metrics = ("objective", "bound")
    only_improves = True
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

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        """Find a feasible timetable, then solve the clusters."""
        loaded, self._loaded = self._loaded, None
        # Aside: on the largest instances it takes a while.
        solving = yield from run_aside(_Solving, self, state, budget)
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
        instance = getattr(state, "instance", None)
        if instance is None:
            return None
        usual = -(-instance.n_lectures // LECTURES_OF_A_CLUSTER)
        clusters = self.rounds * getattr(state, "cluster_count", usual)
        placing = SECONDS_OF_A_LECTURE * instance.n_lectures
        return placing + self.effort * clusters / max(1, min(state.workers, clusters))

    def state_dict(self) -> dict[str, Any]:
        """Return the timetable and where among the clusters the stage is."""
        return {} if self._solving is None else self._solving.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back the timetable; `run` checks it."""
        self._loaded = state


class _Solving:
    """One run of the stage."""

    def __init__(self, stage: CPSAT, state: State, budget: Budget) -> None:
        self.stage = stage
        self.state = state
        self.budget = budget
        self.instance = state.instance
        self.formulation = state.formulation
        self.must_suit = "RoomSuitability" in self.formulation.hard
        self.flag = StopFlag()
        self.tasks: list[Future[Any]] = []
        self.problems = PeriodProblems(self.instance, self.formulation)
        # The courses of each cluster, and the clusters that are solved at the same time.
        self.parts = self._memberships()
        groups = independent_groups(self.instance, self.parts, MOST_AT_ONCE)
        self.groups = groups * stage.rounds
        self.value: tuple[float, float] = (np.inf, np.inf)
        # Sets of rooms found to be short, the group of clusters in hand, and what was found in it.
        self.scarce: list[NDArray[np.bool_]] = []
        self.turn = 0
        self.results: list[PeriodResult] = []

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        """Run a function aside, to be cancelled when the stage ends."""
        task = self.state.executor.submit(function, *arguments)
        self.tasks.append(task)
        return task

    def stop(self) -> None:
        """End whatever still runs."""
        self.flag.set()
        for task in self.tasks:
            task.cancel()

    def seed(self, *key: int) -> int:
        """Derive a seed for CP-SAT."""
        return int(self.state.seed_sequence(CPSAT.name, *key).generate_state(1)[0])

    def seconds(self, share: float) -> float | None:
        """Return a share of the time that is left; None without a time limit."""
        return None if self.budget.seconds is None else share * self.budget.remaining

    def state_dict(self) -> dict[str, Any]:
        """Return where the stage is, as plain data."""
        periods, rooms = self.draft.lecture_arrays()
        return {
            "periods": periods,
            "rooms": rooms,
            "scarce": list(self.scarce),
            "turn": self.turn,
            "results": [asdict(result) for result in self.results],
        }

    def go_on(self, state: dict[str, Any]) -> None:
        """Be where the stage was.

        Raises
        ------
        ValueError
            If that is no place to be for this instance.
        """
        instance = self.instance
        periods, rooms = state["periods"], state["rooms"]
        with_room = np.where(rooms >= 0, periods, -1)
        Solution.of_lectures(instance, with_room, rooms)
        Solution.of_lectures(instance, periods, np.where(periods >= 0, 0, -1))
        self.draft = Draft.of_lectures(instance, periods, rooms)
        evaluation = evaluate(self.draft.solution(), self.formulation)
        self.value = evaluation.violations, evaluation.cost
        for short in state["scarce"]:
            _check_flags(short, (instance.n_rooms,))
            self.scarce.append(short)
            self.problems.add_scarce_rooms(short)
        self.turn = as_count(state["turn"])
        self.results = [PeriodResult(**result) for result in state["results"]]
        for result in self.results:
            if result.placed is not None:
                _check_flags(result.placed, (len(result.placed), instance.n_periods))

    def start(self) -> Generator[Beat, None, None]:
        """Find a timetable to start from, feasible if that can be had."""
        given = self._given()
        if given is not None and self.state.violations == 0:
            yield from self._take(given)
            return
        yield from within(0.0, 0.3, self._place_greedily())
        if self.draft.missing:
            logger.info("greedy placement leaves %d lectures out", self.draft.missing)
            hint = (self.draft if given is None else given).placed
            whole = yield from within(0.3, 0.6, self._solve_whole(hint))
            if whole is not None:
                yield from within(0.6, 0.65, self._take(whole))
        if self.draft.missing:
            yield from within(0.65, 1.0, self._solve_around_missing())
        if self.draft.missing:
            logger.warning("%d lectures are left out of the first timetable", self.draft.missing)

    def _given(self) -> Draft | None:
        """Return the timetable that the run was given or has found so far, if any."""
        if self.state.solution is None:
            return None
        try:
            return Draft.of_lectures(self.instance, *self.state.solution.lecture_arrays())
        except TimetableError:
            return None

    def _solve_whole(self, hint: NDArray[np.bool_]) -> Generator[Beat, None, Draft | None]:
        """Find periods for all lectures by one model, and rooms for them."""
        size = int(self.instance.available.sum())
        if not self.stage.whole_effort or size > self.stage.whole_size:
            logger.info("no model of the whole instance: %d courses x periods", size)
            return None
        draft = None
        for attempt in range(MOST_SHORTAGES):
            limits = SolveLimits(self.stage.whole_effort, self.seconds(SHARE_OF_BASE))
            problem = self.problems.whole(hint)
            task = self.submit(place_all, problem, limits, self.seed(0, attempt), self.flag)
            low, middle, high = _ever_less(attempt)
            (result,) = yield from within(low, middle, _wait_for(task, limits, "all lectures"))
            if result.placed is None:
                why = "proved infeasible" if result.optimal else "not solved in time"
                logger.warning("the whole instance's model was %s", why)
                break
            draft = Draft.of_periods(self.instance, result.placed)
            courses = np.arange(self.instance.n_courses)
            draft = yield from within(middle, high, self._with_rooms(draft, courses))
            hint = result.placed
            if not draft.missing or self.budget.should_end:
                break
            for rooms in draft.scarce_rooms():
                self.scarce.append(rooms)
                self.problems.add_scarce_rooms(rooms)
        return draft

    def _solve_around_missing(self) -> Generator[Beat, None, None]:
        """Find periods for the lectures left out, moving only those of courses near theirs."""
        instance = self.instance
        there = np.count_nonzero(self.draft.rooms >= 0, axis=1)
        courses = np.flatnonzero(there < instance.course_lectures)
        for step in range(MOST_STEPS if self.stage.whole_effort else 0):
            courses = _with_neighbours(instance, courses)
            size = int(instance.available[courses].sum())
            if self.budget.should_end or size > self.stage.whole_size:
                return
            problem = self.problems.feasible(courses, self.draft.placed)
            limits = SolveLimits(self.stage.whole_effort, self.seconds(SHARE_OF_STEP))
            task = self.submit(place_all, problem, limits, self.seed(3, step), self.flag)
            low, middle, high = _ever_less(step)
            waiting = _wait_for(task, limits, f"{len(courses)} courses around lectures left out")
            (result,) = yield from within(low, middle, waiting)
            if result.placed is not None:
                yield from within(middle, high, self._change([(courses, result.placed)]))
            if not self.draft.missing:
                return
            logger.info("%d courses around lectures left out are too few to move", len(courses))

    def _place_greedily(self) -> Generator[Beat, None, None]:
        """Place the lectures one by one, in several ways until none is left out."""
        from ..timetable.search.building.greedy import greedy_timetable

        seeds = self.state.seed_sequence(CPSAT.name, 1)
        expected = SECONDS_OF_A_LECTURE * self.instance.n_lectures
        for attempt in range(self.stage.starts):
            rng = np.random.default_rng(seeds.spawn(1)[0])
            task = self.submit(greedy_timetable, self.instance, rng, None, None, self.must_suit)
            low, middle, high = _ever_less(attempt)
            saying = f"CP-SAT: placing the lectures, attempt {attempt + 1}"
            (arrays,) = yield from within(low, middle, wait_all([task], expected, saying))
            draft = Draft.of_lectures(self.instance, *arrays)
            yield from within(middle, high, self._take(draft))
            left = inf if self.budget.seconds is None else self.budget.seconds * SHARE_OF_GREEDY
            if not self.draft.missing or self.budget.elapsed > left:
                return

    def _with_rooms(self, draft: Draft, courses: NDArray[np.intp]) -> Generator[Beat, None, Draft]:
        """Give a draft rooms anew, all or those of some courses that have changed."""
        from ..timetable.search.building.room_assignment import RoomProblem, assign_rooms

        if self.instance.n_rooms <= FEW_ROOMS:
            movable = np.ones(self.instance.n_lectures, np.bool_)
        else:
            movable = np.isin(self.instance.lecture_course, courses)
        task = self.submit(
            assign_rooms,
            RoomProblem.of(self.instance, self.formulation),
            *draft.lecture_arrays(),
            movable,
            self.instance.n_periods,
        )
        expected = SECONDS_OF_A_LECTURE * self.instance.n_lectures
        (rooms,) = yield from wait_all([task], expected)
        periods, _ = draft.lecture_arrays()
        return Draft.of_lectures(self.instance, periods, rooms)

    def _take(self, draft: Draft) -> Generator[Beat, None, bool]:
        """Keep a draft if it is the best so far, and offer it."""
        solution = draft.solution()
        # Aside: on the largest instances it takes a while.
        expected = SECONDS_OF_AN_EVALUATION * self.instance.n_lectures
        evaluation = yield from run_aside(evaluate, solution, self.formulation, expected=expected)
        value = evaluation.violations, evaluation.cost
        if value >= self.value:
            return False
        self.draft, self.value = draft, value
        self.state.offer(solution, evaluation.cost, evaluation.violations)
        return True

    def clusters(self) -> Generator[Batch | Beat, None, None]:
        """Solve the clusters, those at the same time that share no conflict."""
        clusters, groups = self.parts, self.groups
        waves = [-(-len(group) // self.state.workers) for group in groups]
        total = sum(len(group) for group in groups)
        done = sum(len(group) for group in groups[: self.turn]) + len(self.results)
        # Of the first unit a part is done already, if a timetable had to be found first.
        begun = START if done == 0 else 0.0
        for turn, group in list(enumerate(groups))[self.turn :]:
            if self.budget.should_end:
                return
            limits = SolveLimits(self.stage.effort, self._cluster_seconds(sum(waves[turn:])))
            parts = [clusters[cluster] for cluster in group]
            _check_results(self.results, parts)
            tasks = [
                self.submit(
                    improve,
                    self.problems.part(courses, self.draft.placed, len(parts), index),
                    limits,
                    self.seed(2, turn, index),
                    self.flag,
                )
                for index, courses in list(enumerate(parts))[len(self.results) :]
            ]
            for cluster, task in zip(group[len(self.results) :], tasks, strict=True):
                is_last = len(self.results) + 1 == len(group)
                solved = 1.0 - CHANGES if is_last else 1.0
                waiting = wait_all([task], _usual_seconds(limits) / SHARE_OF_SOLVER)
                (result,) = yield from within(begun, solved, waiting)
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

    def _cluster_seconds(self, waves: int) -> float | None:
        """Return what a cluster may take when so many are left one after the other."""
        if self.budget.seconds is None:
            return None
        least = min(LEAST_SECONDS, self.budget.remaining)
        return SHARE_OF_SOLVER * max(self.budget.remaining / waves, least)

    def _memberships(self) -> list[NDArray[np.intp]]:
        """List the courses of each cluster; without clusters, courses as they come."""
        clusters = getattr(self.state, "clusters", None)
        if clusters is None:
            clusters = (np.cumsum(self.instance.course_lectures) - 1) // LECTURES_OF_A_CLUSTER
        return [np.flatnonzero(clusters == cluster) for cluster in np.unique(clusters)]

    def _apply(
        self, parts: Sequence[NDArray[np.intp]], results: Sequence[PeriodResult]
    ) -> Generator[Beat, None, None]:
        """Change the timetable to what was found: all at once, else what makes it better."""
        changes = [
            (courses, result.placed)
            for courses, result in zip(parts, results, strict=True)
            if result.placed is not None and (result.placed != self.draft.placed[courses]).any()
        ]
        if not changes or (yield from within(0.0, 0.3, self._change(changes))):
            return
        for done, change in enumerate(changes if len(changes) > 1 else []):
            low, high = (0.3 + 0.7 * (done + more) / len(changes) for more in (0, 1))
            yield from within(low, high, self._change([change]))

    def _change(
        self, changes: Sequence[tuple[NDArray[np.intp], NDArray[np.bool_]]]
    ) -> Generator[Beat, None, bool]:
        """Move some courses to new periods if that makes the timetable better."""
        draft = self.draft
        for courses, placed in changes:
            draft = draft.change(courses, placed)
        moved = np.concatenate([courses for courses, _ in changes])
        draft = yield from within(0.0, 0.7, self._with_rooms(draft, moved))
        return (yield from within(0.7, 1.0, self._take(draft)))


def _wait_for(task: Future[Any], limits: SolveLimits, what: str) -> Generator[Beat, None, Any]:
    """Wait for a model, saying of what it is and for how long it has been at work."""
    return wait_all([task], _usual_seconds(limits), f"CP-SAT: one model of {what}")


def _usual_seconds(limits: SolveLimits) -> float:
    """Return what a model may take; a unit of effort is about a second."""
    return limits.effort if limits.seconds is None else min(limits.effort, limits.seconds)


def _ever_less(attempt: int) -> tuple[float, float, float]:
    """Return begin, middle and end of an attempt's part where nobody knows how many it takes."""
    low, high = 1.0 - 0.5**attempt, 1.0 - 0.5 ** (attempt + 1)
    return low, 0.3 * low + 0.7 * high, high


def _check_flags(flags: NDArray[np.bool_], shape: tuple[int, ...]) -> None:
    if flags.shape != shape or flags.dtype != np.bool_:
        raise ValueError(f"expected flags of shape {shape}, got {flags.dtype} of {flags.shape}")


def _check_results(results: Sequence[PeriodResult], parts: Sequence[NDArray[np.intp]]) -> None:
    """See that results that a backup held are those of the first of the clusters in hand."""
    for result, courses in zip(results, parts, strict=False):
        if result.placed is not None and len(result.placed) != len(courses):
            raise ValueError(f"{len(result.placed)} courses in a cluster of {len(courses)}")
    if len(results) >= len(parts):
        raise ValueError(f"{len(results)} results of {len(parts)} clusters")


def _with_neighbours(instance: Instance, courses: NDArray[np.intp]) -> NDArray[np.intp]:
    """Add the courses that conflict with any of some courses."""
    starts = instance.conflict_starts
    near = [instance.conflict_courses[starts[c] : starts[c + 1]] for c in courses.tolist()]
    return np.unique(np.concatenate([courses, *near])).astype(np.intp)
