"""The model of some classes, beside the evaluation by the definitions."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from schoolbell.stages.problem import SolveLimits
from schoolbell.stages.tasks.stop_flag import StopFlag
from schoolbell.stages.university import Solution, evaluate
from schoolbell.stages.university.exact.class_model import ClassModel
from schoolbell.stages.university.exact.neighbourhood import neighbourhood, solve
from schoolbell.stages.university.exact.option_costs import Places
from schoolbell.stages.university.exact.rule_book import RuleBook
from schoolbell.stages.university.exact.shared_students import SharedStudents

from ..random_university import random_solution, random_university

VIOLATION = 10_000
LIMITS = SolveLimits(5.0)


class Case:
    """A random university with a random timetable of it, and some classes to be placed."""

    def __init__(self, seed, nodes=3, distributions=40, hard=True):
        self.instance = random_university(seed, 4, distributions)
        if not hard:
            rules = [replace(one, penalty=one.penalty or 2) for one in self.instance.distributions]
            self.instance = replace(self.instance, distributions=tuple(rules))
        self.solution = random_solution(self.instance, seed)
        self.book = RuleBook.of(self.instance)
        self.places = Places(self.solution.time_rows, self.solution.rooms)
        n = len(self.instance.classes)
        self.shared = SharedStudents.of(n, self.solution.enrolments)
        self.rng = np.random.default_rng(seed)
        self.nodes = self.rng.permutation(n)[:nodes]
        self.options = [
            list(product(range(len(self.book.times(k))), self.book.rooms(k).tolist()))
            for k in self.nodes
        ]

    def evaluate(self, choice):
        times, rooms = self.solution.times.copy(), self.solution.rooms.copy()
        for k, (time, room) in zip(self.nodes, choice, strict=True):
            times[k], rooms[k] = time, room
        found = evaluate(Solution(self.instance, times, rooms, self.solution.enrolments))
        return found.violations, found.cost

    def model(self, violation=VIOLATION):
        return ClassModel(self.book, self.nodes, self.places, self.shared, violation)

    @property
    def now(self):
        return [(int(self.solution.times[k]), int(self.solution.rooms[k])) for k in self.nodes]

    def objective(self, choice, violation=VIOLATION):
        """What the model says of a choice; None where it does not allow it."""
        model = self.model(violation)
        if not model.possible:
            return None
        for at, (time, room) in enumerate(choice):
            row = self.book.times(int(self.nodes[at]))[time]
            for chosen, own, x in ((row, model.rows, model.x), (room, model.rooms, model.y)):
                literal = x[at][own[at] == chosen]
                if not len(literal):
                    return None
                model.clause([], literal.tolist())
        found = solve(model, LIMITS, 0, StopFlag())
        return None if found.objective is None else round(found.objective)

    def objective_of_violations(self, choice):
        """How many violations the model counts."""
        objective = self.objective(choice)
        assert objective is not None
        return objective // VIOLATION

    def allows(self, choice):
        model = self.model()
        return all(
            (model.rows[at] == self.book.times(int(k))[time]).any()
            and (model.rooms[at] == room).any()
            for at, (k, (time, room)) in enumerate(zip(self.nodes, choice, strict=True))
        )

    def some(self, count):
        for _ in range(count):
            yield [one[self.rng.integers(len(one))] for one in self.options]


@pytest.mark.parametrize("seed", range(8))
def test_what_choices_cost_and_break_is_what_the_evaluation_says(seed):
    case = Case(seed)
    violations, cost = case.evaluate(case.now)
    before = case.objective(case.now)
    compared = 0
    for choice in case.some(25):
        objective = case.objective(choice)
        # Options that break more by themselves than now are left out.
        if objective is not None:
            now = case.evaluate(choice)
            expected = (now[0] - violations) * VIOLATION + now[1] - cost
            assert objective - before == expected
            compared += 1
    assert compared


@pytest.mark.parametrize("seed", range(4))
def test_where_nothing_is_required_every_choice_has_its_cost(seed):
    case = Case(seed, nodes=len(random_university(seed, 4).classes), hard=False)
    for choice in case.some(6):
        objective = case.objective(choice)
        if objective is not None:
            # All classes are placed: the objective is the whole cost.
            assert objective % VIOLATION == case.evaluate(choice)[1] % VIOLATION


@pytest.mark.parametrize("seed", range(20, 26))
def test_what_is_forbidden_is_what_breaks_a_rule(seed):
    case = Case(seed, nodes=2, distributions=6)
    before, _ = case.evaluate(case.now)
    # Violations that the two classes have no part in, by what they count for at a price.
    alone = before - case.objective_of_violations(case.now)
    seen = set()
    for choice in case.some(30):
        possible = case.objective(choice, None) is not None
        assert possible == (case.evaluate(choice)[0] == alone)
        seen.add(possible)
    assert seen


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_the_best_of_all_choices(seed):
    case = Case(seed, nodes=2, distributions=19)
    args = case.book, case.nodes, case.places, case.shared, LIMITS, seed, StopFlag(), VIOLATION
    found = neighbourhood(*args)
    assert found.optimal
    assert found.placed is not None
    best = min(
        violations * VIOLATION + cost
        for choice in product(*case.options)
        if case.allows(choice)
        for violations, cost in [case.evaluate(choice)]
    )
    violations, cost = case.evaluate([tuple(row) for row in found.placed.tolist()])
    assert violations * VIOLATION + cost == best
    again = neighbourhood(*args)
    assert np.array_equal(again.placed, found.placed)
