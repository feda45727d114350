"""Repairing a university's timetable, one class after the other."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...problem import SolveLimits
from ...search.random import random_state
from ...tasks.stop_flag import StopFlag
from ..cost.evaluation import evaluate
from ..exact.neighbourhood import neighbourhood
from ..exact.option_costs import Places as TimesAndRooms
from ..exact.rule_book import RuleBook
from ..exact.shared_students import SharedStudents
from ..model.solution import Solution
from ..search.attempts import attempt, class_costs
from ..search.moves import CHAIN, LONGEST
from ..search.places import Places, Translation
from ..search.search_problem import dearest_change
from ..search.timetable import (
    COST,
    HARD,
    STUDENTS,
    Timetable,
    build_timetable,
    seat_occupants,
)
from .repair_agent import ACTIONS, OBSERVED

if TYPE_CHECKING:
    from ..university_problem import UniversityProblem

# Classes that CP-SAT places at once, and its effort in about seconds.
CLASSES_AT_ONCE = 10
EFFORT = 0.5
# What a violation costs is so many times more than what any class of a chain can win.
MARGIN = 20.0
# Attempts that have failed make a class this many times less likely to be tried.
FORGOTTEN = 3.0

_ARRAYS = ("attempts", "now", "observation", "rng")
LAST, FAILED, TAKEN, KLASS = range(4)


class UniversityRepair:
    """One episode is an attempt to make one class cost less.

    `reset` chooses the class: the more it costs the likelier, less so the more attempts
    at it have failed. A step applies one of the operators to it: ``time`` and ``room`` try
    all its times and rooms, ``chain`` places others anew that are in its way, ``students``
    has the students of its course change sections, and ``exact`` has CP-SAT place it and
    those nearest to it at once. None of them makes a timetable worse. The episode
    terminates when it has become better, and is truncated after some steps.

    The reward is 1 for success. The observation is four numbers: what is wrong with the
    class (a required rule, time, room, rules with others or students), the operator
    before (a position in `actions`, after the last for none), how many attempts at the
    class have failed (none, 1 to 3, more), and how many episodes in a row (none, 1 to 3, 4
    to 10, more).

    Parameters
    ----------
    problem
        The instance.
    solution
        The timetable to repair, of the original instance.
    violation
        Cost that one violation counts as, at least.
    steps
        Most steps an episode.
    """

    actions = ACTIONS
    sizes = OBSERVED

    def __init__(
        self, problem: UniversityProblem, solution: Solution, violation: float, steps: int
    ) -> None:
        self.problem = problem
        self.search = problem.search
        # More than any move can win.
        self.violation = max(float(violation), 1e6, MARGIN * dearest_change(self.search))
        self.steps = steps
        self.translation = Translation(problem.reduction, self.search)
        self._first = self.translation.places(solution)
        self._begin(np.random.SeedSequence(0))

    def _begin(self, seed: np.random.SeedSequence) -> None:
        self._place(self._first)
        n = len(self.search.limit)
        self.attempts = np.zeros(n, np.int64)
        self.now = np.array([len(ACTIONS), 0, 0, 0], np.int64)
        self.observation = np.zeros(len(OBSERVED), np.int64)
        self.rng = random_state(seed)
        self._draws = np.random.default_rng(seed)
        self._queue = np.zeros((LONGEST + 1, CHAIN), np.int64)
        self._start = self._rank

    def _place(self, places: Places) -> None:
        self.timetable: Timetable = build_timetable(self.search, *places)
        self._counted: tuple[tuple[int, int], tuple[int, int]] | None = None

    @property
    def _rank(self) -> tuple[int, int]:
        return int(self.timetable.total[HARD]), int(self.timetable.total[COST])

    @property
    def best_total(self) -> NDArray[np.int64]:
        """Violations and cost of the timetable, which only becomes better, (2,)."""
        rank = self._rank
        if rank[0] == 0:
            return np.array(rank, np.int64)
        # The reduction has other rules: those of the original are counted.
        if self._counted is None or self._counted[0] != rank:
            found = evaluate(self.best_solution())
            self._counted = rank, (found.violations, found.cost)
        return np.array(self._counted[1], np.int64)

    @property
    def without_success(self) -> int:
        """Episodes in a row that made nothing better."""
        return int(self.now[FAILED])

    def best_solution(self) -> Solution:
        """Return the timetable, of the original instance."""
        return self.translation.solution(self._places)

    @property
    def _places(self) -> Places:
        timetable = self.timetable
        arrays = (timetable.row, timetable.option, timetable.bundle)
        return Places(*(one.astype(np.int64) for one in arrays))

    def count_conflicts(self) -> int:
        """Count the classes that cost something."""
        return int(np.count_nonzero(self._costs()))

    def _costs(self) -> NDArray[np.float64]:
        costs = np.zeros(len(self.search.limit))
        class_costs(self.search, self.timetable, self.violation, costs)
        return costs

    def restart(self, seed: np.random.SeedSequence) -> None:
        """Begin anew from the first timetable, with other random numbers."""
        self._begin(seed)

    def reset(self) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Begin an attempt at a class."""
        costs = self._costs()
        weights = costs / (1.0 + FORGOTTEN * self.attempts)
        total = weights.sum()
        chances = weights / total if total > 0 else None
        k = int(self._draws.choice(len(weights), p=chances))
        self.now[:] = len(ACTIONS), self.now[FAILED], 0, k
        self._start = self._rank
        self._observe()
        return self.observation.copy(), {"class": k}

    def _observe(self) -> None:
        k, search, timetable = int(self.now[KLASS]), self.search, self.timetable
        option = int(timetable.option[k])
        worst = [
            int(timetable.own[k, HARD]) * self.violation,
            float(search.time_cost[timetable.row[k]]),
            float(search.room_cost[option]) if option >= 0 else 0.0,
            0.5 * float(timetable.own[k, COST]),
        ]
        failed, in_a_row = int(self.attempts[k]), int(self.now[FAILED])
        self.observation[:] = (
            int(np.argmax(worst)),
            int(self.now[LAST]),
            0 if failed == 0 else 1 if failed <= 3 else 2,
            0 if in_a_row == 0 else 1 if in_a_row <= 3 else 2 if in_a_row <= 10 else 3,
        )

    def step(self, action: int) -> tuple[NDArray[np.int64], float, bool, bool, dict[str, Any]]:
        """Apply an operator to the class in hand."""
        k = int(self.now[KLASS])
        if ACTIONS[action] == "exact":
            self._solve(k)
        else:
            course = self._courses[k]
            attempt(
                self.search,
                self.timetable,
                k,
                course,
                int(action),
                self.violation,
                self._queue,
                self.rng,
            )
        self.now[LAST], self.now[TAKEN] = action, self.now[TAKEN] + 1
        terminated = self._rank < self._start
        truncated = not terminated and int(self.now[TAKEN]) >= self.steps
        if terminated:
            self.now[FAILED] = 0
            self.attempts[k] = 0
        elif truncated:
            self.now[FAILED] += 1
            self.attempts[k] += 1
        self._observe()
        return self.observation.copy(), float(terminated), terminated, truncated, {"class": k}

    @cached_property
    def _courses(self) -> NDArray[np.int64]:
        tables = self.problem.instance.tables
        return tables.course[tables.configuration[tables.subpart]]

    @cached_property
    def _book(self) -> RuleBook:
        return RuleBook.of(self.problem.instance)

    def _near(self, k: int) -> NDArray[np.intp]:
        """Choose the classes nearest to one: by rules, students and rooms, drawn among them."""
        search, timetable = self.search, self.timetable
        weights = np.zeros(len(search.limit))
        for name in ("hard", "soft"):
            starts, other = getattr(search, f"{name}_starts"), getattr(search, f"{name}_other")
            np.add.at(weights, other[starts[k] : starts[k + 1]], 1.0)
        if len(timetable.shared):
            shared = (timetable.shared[k] & STUDENTS).astype(float)
            weights += 3.0 * shared / max(1.0, float(shared.max()))
        rooms = search.room[search.room_starts[k] : search.room_starts[k + 1]]
        if len(rooms):
            weights += 0.5 * np.isin(timetable.room, rooms)
        weights *= 1.0 + 3.0 * (self._costs() > 0)
        movable = np.zeros(len(weights), np.bool_)
        movable[search.movable] = True
        weights[~movable] = 0.0
        weights[k] = 0.0
        count = min(CLASSES_AT_ONCE - 1, int(np.count_nonzero(weights)))
        near = np.array([k])
        if count:
            chances = weights / weights.sum()
            drawn = self._draws.choice(len(weights), count, replace=False, p=chances)
            near = np.append(near, drawn)
        return np.sort(near).astype(np.intp)

    def _solve(self, k: int) -> None:
        """Have CP-SAT place a class and those near it; what is broken may stay so, at a price."""
        search, timetable = self.search, self.timetable
        violation = int(self.violation) if timetable.total[HARD] > 0 else None
        nodes = self._near(k)
        rooms = np.append(search.room, -1)[timetable.option]
        shared = None
        if len(timetable.shared):
            shared = SharedStudents.of_matrix((timetable.shared & STUDENTS).astype(np.int64))
        found = neighbourhood(
            self._book,
            nodes,
            TimesAndRooms(timetable.row.astype(np.int64), rooms.astype(np.int64)),
            shared,
            SolveLimits(EFFORT, None),
            int(self._draws.integers(1 << 30)),
            StopFlag(),
            violation,
        )
        if found.placed is None:
            return
        before, old = self._rank, self._places
        row, option = old.row.copy(), old.option.copy()
        for node, (time, room) in zip(nodes.tolist(), found.placed.tolist(), strict=True):
            row[node] = search.time_starts[node] + time
            first, last = search.room_starts[node : node + 2]
            if first < last:
                option[node] = first + int(np.flatnonzero(search.room[first:last] == room)[0])
        self._place(Places(row, option, old.bundle))
        if self._rank > before:
            self._place(old)

    def state_dict(self) -> dict[str, Any]:
        """Return where it is as plain data."""
        state = {name: getattr(self, name).copy() for name in _ARRAYS}
        state |= self._places._asdict()
        state["occupants"] = self.timetable.occupants.copy()
        state["first"] = self._first._asdict()
        state["draws"] = self._draws.bit_generator.state
        state["start"] = self._start
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Be where another one was; a ValueError for what `state_dict` never returned."""
        for name in _ARRAYS:
            target, source = getattr(self, name), np.asarray(state[name])
            if source.shape != target.shape or source.dtype != target.dtype:
                raise ValueError(f"{name} must be {target.dtype} of shape {target.shape}")
            target[...] = source
        if not 0 <= self.now[KLASS] < len(self.search.limit):
            raise ValueError(f"there is no class {self.now[KLASS]}")
        places = Places(*(np.asarray(state[name]) for name in Places._fields))
        first = Places(*(np.asarray(state["first"][name]) for name in Places._fields))
        for one in (places, first):
            self.translation.check(one)
        self._first = first
        self._place(places)
        seat_occupants(self.timetable, state["occupants"])
        self._draws.bit_generator.state = state["draws"]
        violations, cost = state["start"]
        self._start = int(violations), int(cost)
