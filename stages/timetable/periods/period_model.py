"""Periods by OR-tools CP-SAT, one model for one period problem.

The model has a Boolean for each course and each period that it may enter; rooms
enter as numbers only (G. Lach, M. E. Lübbecke, *Curriculum based course
timetabling: new solutions to Udine benchmark instances*, Annals of OR 194, 2012).
The constraints are written straight to the model's protocol buffer: at tens of
thousands of them that is what keeps the building of a model short.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...exact.solver import prove_bound, solve_unless_stopped, solver_of
from ...needing import needing
from ...problem import PartResult, SolveLimits
from ...tasks.stop_flag import StopFlag
from .period_problem import HARD, PeriodProblem

# What a missing lecture costs, far above all that its soft constraints can.
MISSING = 10_000

# Constraints above which linear relaxations cost more than they give.
LARGE_MODEL = 15_000


def place_all(problem: PeriodProblem, limits: SolveLimits, seed: int, flag: StopFlag) -> PartResult:
    """Find periods for all lectures of a problem, whatever they cost.

    Parameters
    ----------
    problem
        What to solve.
    limits
        When to end.
    seed
        Random seed of the search.
    flag
        When set, the call returns soon with what it has.
    """
    model = _Model(problem)
    model.place_lectures(all_of_them=True)
    model.respect_groups()
    model.respect_rooms()
    if problem.hint.any():
        model.start_from_hint()
    return _solve(model, limits, seed, flag, linearization=0)


def improve(problem: PeriodProblem, limits: SolveLimits, seed: int, flag: StopFlag) -> PartResult:
    """Find periods at the least cost, as many lectures placed as possible.

    Parameters as for `place_all`; the search starts from the problem's hint.
    """
    model = _Model(problem)
    model.place_lectures(all_of_them=False)
    model.respect_groups()
    model.respect_rooms()
    model.price_periods()
    model.price_working_days()
    model.price_doubles()
    model.price_curricula()
    model.start_from_hint()
    large = model.n_constraints > LARGE_MODEL
    return _solve(model, limits, seed, flag, linearization=0 if large else 2)


def least_cost(problem: PeriodProblem, limits: SolveLimits, flag: StopFlag) -> tuple[int, float]:
    """Find what a problem's soft constraints cost at least with all lectures placed.

    Parameters as for `place_all`; the problem's hint is not used.

    Returns
    -------
    tuple
        A proven lower bound of the cost, 0 where there is no solution, and the
        deterministic time spent.
    """
    model = _Model(problem)
    model.place_lectures(all_of_them=True)
    model.respect_groups()
    model.respect_rooms()
    model.price_working_days()
    model.price_doubles()
    model.price_curricula()
    if not model.minimise():
        return 0, 0.0
    return prove_bound(model.model, limits, flag)


class _Model:
    """A CP-SAT model under construction."""

    def __init__(self, problem: PeriodProblem) -> None:
        with needing("CP-SAT"):
            from ortools.sat.python.cp_model import CpModel

        self.problem = problem
        self.model = CpModel()
        self._proto: Any = self.model.proto
        self._constraints = self._proto.constraints
        self._costs: dict[int, int] = {}
        self._unavoidable = 0
        # What each variable is in the timetable that the problem hints at.
        self._hint: list[int] = []
        # Number of the Boolean of each course and period, -1 where there is none.
        self.x = np.full(problem.allowed.shape, -1, np.int64)
        rows, columns = np.nonzero(problem.allowed)
        placed = problem.hint[rows, columns].tolist()
        self.x[rows, columns] = [self.integer(1, hint) for hint in placed]

    @property
    def n_constraints(self) -> int:
        """Constraints so far."""
        return len(self._constraints)

    def integer(self, highest: int, hint: int, price: int = 0) -> int:
        """Add an integer from 0 to `highest` that costs `price` a unit."""
        self._proto.variables.add().domain.extend((0, highest))
        number = len(self._hint)
        if price:
            self._costs[number] = price
        self._hint.append(min(max(int(hint), 0), highest))
        return number

    def hinted(self, variables: Iterable[int | bool]) -> int:
        """Sum what some variables and constants are in the hint."""
        return sum(int(one) if isinstance(one, bool) else self._hint[one] for one in variables)

    def linear(self, variables: Sequence[int], factors: Sequence[int], low: int, high: int) -> None:
        """Keep a weighted sum between two bounds."""
        linear = self._constraints.add().linear
        linear.vars.extend(variables)
        linear.coeffs.extend(factors)
        linear.domain.extend((low, high))

    def clause(self, false: Iterable[int], true: Iterable[int]) -> None:
        """Ask for one of some Booleans to be false or one of others to be true."""
        literals = [-one - 1 for one in false]
        literals.extend(true)
        self._constraints.add().bool_or.literals.extend(literals)

    def at_most_one(self, variables: Sequence[int]) -> None:
        """Let at most one of some Booleans be true."""
        if len(variables) > 1:
            self._constraints.add().at_most_one.literals.extend(variables)

    def minimise(self) -> bool:
        """Take the sum of all prices as the objective; return whether there are any."""
        priced = bool(self._costs or self._unavoidable)
        if priced:
            objective = self._proto.objective
            objective.offset = self._unavoidable
            objective.vars.extend(list(self._costs))
            objective.coeffs.extend(list(self._costs.values()))
        return priced

    def place_lectures(self, all_of_them: bool) -> None:
        """Give each course its lectures, or pay for those that the hint lacks too."""
        lectures, hinted = self.problem.lectures, self.problem.hint.sum(axis=1)
        lacking = np.zeros_like(lectures) if all_of_them else np.maximum(lectures - hinted, 0)
        for row, count, lack in zip(self.x, lectures.tolist(), lacking.tolist(), strict=True):
            own = row[row >= 0].tolist()
            missing = [self.integer(lack, lack, MISSING)] if lack else []
            self.linear(own + missing, [1] * (len(own) + len(missing)), count, count)

    def respect_groups(self) -> None:
        """Let at most one course of a group have a lecture in a period."""
        for group in self.problem.groups:
            for column in self.x[group].T:
                self.at_most_one(column[column >= 0].tolist())

    def respect_rooms(self) -> None:
        """Keep to the rooms that are free, in all and in each set of rooms."""
        problem, sets = self.problem, self.problem.room_sets
        everyone = np.ones(len(problem.lectures), bool)
        for period, limit in enumerate(problem.room_limits.tolist()):
            self._limit(everyone, period, limit, HARD)
        for members, limits, price in zip(
            sets.members, sets.limits, sets.prices.tolist(), strict=True
        ):
            for period, limit in enumerate(limits.tolist()):
                self._limit(members, period, limit, price)

    def _limit(self, members: NDArray[np.bool_], period: int, limit: int, price: int) -> None:
        column = self.x[members, period]
        own = column[column >= 0].tolist()
        if len(own) <= limit:
            return
        if price == HARD:
            self.linear(own, [1] * len(own), 0, limit)
        else:
            excess = self.integer(len(own) - limit, self.hinted(own) - limit, price)
            self.linear([*own, excess], [1] * len(own) + [-1], -len(own), limit)

    def price_periods(self) -> None:
        """Charge for the periods that courses are in, by themselves."""
        costs = self.problem.period_costs
        if costs is None:
            return
        for row, column in zip(*np.nonzero((self.x >= 0) & (costs > 0)), strict=True):
            self._costs[int(self.x[row, column])] = int(costs[row, column])

    def price_working_days(self) -> None:
        """Charge for each day below a course's minimum of working days."""
        problem, price = self.problem, self.problem.prices.min_working_days
        if not price:
            return
        for course, least in enumerate(problem.min_days.tolist()):
            if least < 2:
                continue
            days = []
            for row in self.x[course].reshape(problem.days, -1):
                own = row[row >= 0].tolist()
                day = self.integer(1, self.hinted(own))
                self.clause([day], own)
                days.append(day)
            below = self.integer(least, least - self.hinted(days), price)
            self.linear([*days, below], [1] * (len(days) + 1), least, problem.days + least)

    def price_doubles(self) -> None:
        """Charge for each lecture alone in its place on a day with several of its course."""
        problem, price = self.problem, self.problem.prices.double
        if not price:
            return
        for course in np.flatnonzero(problem.double).tolist():
            for day in self.x[course].reshape(problem.days, -1):
                own = day[day >= 0].tolist()
                if len(own) < 2:
                    continue
                several = self.integer(1, self.hinted(own) - 1)
                most = min(len(own), int(problem.lectures[course]))
                self.linear([*own, several], [1] * len(own) + [1 - most], 0, 1)
                for slot in np.flatnonzero(day >= 0).tolist():
                    near = [day[s] for s in (slot - 1, slot + 1) if 0 <= s < len(day)]
                    near = [int(one) for one in near if one >= 0]
                    self._charge([several, int(day[slot])], near, price)

    def price_curricula(self) -> None:
        """Charge for what the curricula dislike about their days."""
        problem = self.problem
        for members, elsewhere, weight in zip(
            problem.curricula,
            problem.elsewhere,
            problem.curriculum_weights.tolist(),
            strict=True,
        ):
            days = zip(
                np.hsplit(self.x[members], problem.days),
                np.split(elsewhere, problem.days),
                strict=True,
            )
            for own, taken in days:
                self._price_day(_slots(self, own, taken), weight)

    def _price_day(self, slots: list[int | bool], weight: int) -> None:
        prices = self.problem.prices
        if prices.isolated:
            self._price_isolated(slots, weight * prices.isolated)
        if prices.windows:
            self._price_windows(slots, weight * prices.windows)
        if prices.load:
            self._price_load(slots, weight * prices.load)

    def _price_isolated(self, slots: list[int | bool], price: int) -> None:
        for slot in range(len(slots)):
            near = slots[max(0, slot - 1) : slot] + slots[slot + 1 : slot + 2]
            self._charge([slots[slot]], near, price)

    def _price_windows(self, slots: list[int | bool], price: int) -> None:
        before = _cumulated(self, slots)
        after = _cumulated(self, slots[::-1])[::-1]
        for slot in range(1, len(slots) - 1):
            self._charge([before[slot - 1], after[slot + 1]], [slots[slot]], price)

    def _price_load(self, slots: list[int | bool], price: int) -> None:
        fixed = sum(slot is True for slot in slots)
        own = [slot for slot in slots if not isinstance(slot, bool)]
        least, most = self.problem.min_load, self.problem.max_load
        if fixed + len(own) > most:
            highest = fixed + len(own) - most
            above = self.integer(highest, self.hinted(slots) - most, price)
            self.linear([*own, above], [1] * len(own) + [-1], -highest, most - fixed)
        if least > 1 and (own or fixed):
            lacking = least - self.hinted(slots) if self.hinted(slots) else 0
            below = self.integer(least, lacking, price)
            ones = [1] * (len(own) + 1)
            if fixed:
                self.linear([*own, below], ones, least - fixed, least + len(own))
            else:
                some = self.integer(1, self.hinted(own))
                for slot in own:
                    self.clause([slot], [some])
                self.linear([*own, below, some], [*ones, -least], 0, least + len(own))

    def _charge(self, given: list[int | bool], relief: list[int | bool], price: int) -> None:
        """Charge when all of `given` hold and none of `relief` does; bools are constants."""
        if any(one is False for one in given) or any(one is True for one in relief):
            return
        false = [one for one in given if not isinstance(one, bool)]
        true = [one for one in relief if not isinstance(one, bool)]
        if not false and not true:
            self._unavoidable += price
        else:
            charged = self.hinted(false) == len(false) and not self.hinted(true)
            self.clause(false, [*true, self.integer(1, charged, price)])

    def start_from_hint(self) -> None:
        """Tell the solver all values in the problem's timetable: it checks them at once."""
        hint = self._proto.solution_hint
        hint.vars.extend(list(range(len(self._hint))))
        hint.values.extend(self._hint)


def _slots(model: _Model, own: NDArray[np.int64], taken: NDArray[np.bool_]) -> list[int | bool]:
    """Tell for each timeslot of a day whether a curriculum has a lecture in it.

    A constant where that is known, else the number of a Boolean.
    """
    slots: list[int | bool] = []
    for column, fixed in zip(own.T, taken.tolist(), strict=True):
        variables = column[column >= 0].tolist()
        if fixed or not variables:
            slots.append(fixed)
        elif len(variables) == 1:
            slots.append(variables[0])
        else:
            some = model.integer(1, model.hinted(variables))
            model.linear([*variables, some], [1] * len(variables) + [-1], 0, 0)
            slots.append(some)
    return slots


def _cumulated(model: _Model, slots: list[int | bool]) -> list[int | bool]:
    """Tell for each timeslot whether it or one before it is in use."""
    cumulated: list[int | bool] = [slots[0]]
    for slot in slots[1:]:
        last = cumulated[-1]
        if last is True or slot is True:
            cumulated.append(True)
        elif last is False:
            cumulated.append(slot)
        elif slot is False:
            cumulated.append(last)
        else:
            either = model.integer(1, model.hinted([last, slot]))
            model.clause([last], [either])
            model.clause([slot], [either])
            cumulated.append(either)
    return cumulated


def _solve(
    model: _Model,
    limits: SolveLimits,
    seed: int,
    flag: StopFlag,
    linearization: int,
) -> PartResult:
    """Solve by one search worker, with relaxations of the given level."""
    model.minimise()
    solver = solver_of(limits, seed, linearization)
    found = solve_unless_stopped(solver, model.model, flag)
    if found.values is None:
        return PartResult(None, None, None, found.proved)
    placed = np.where(model.x >= 0, found.values[model.x] > 0, False)
    return PartResult(placed, found.objective, found.bound, found.proved)
