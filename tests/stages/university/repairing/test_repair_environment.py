"""Repairing timetables of universities."""

import numpy as np
import pytest
from schoolbell.stages.university import evaluate, generate, generate_with_solution
from schoolbell.stages.university.errors import FormatError
from schoolbell.stages.university.reduction.reduce import reduce
from schoolbell.stages.university.repairing.repair_agent import (
    ACTIONS,
    load_repair_agent,
    new_repair_agent,
)
from schoolbell.stages.university.search.places import Translation
from schoolbell.stages.university.university_problem import UniversityProblem


@pytest.fixture(scope="module")
def problem():
    return UniversityProblem(reduce(generate(25, 40, seed=2)))


@pytest.fixture
def environment(problem):
    translation = Translation(problem.reduction, problem.search)
    solution = translation.solution(translation.draw(np.random.default_rng(1)))
    found = problem.repair_environment(solution, 100.0, 4)
    found.restart(np.random.SeedSequence(5))
    return found


def play(environment, episodes, action=None):
    agent = new_repair_agent()
    rng = np.random.default_rng(0)
    for _ in range(episodes):
        seen, _ = environment.reset()
        ended = False
        while not ended:
            chosen = agent.act(seen, 0.5, rng) if action is None else action
            before = environment.timetable.total.tolist()
            seen, reward, won, given_up, _ = environment.step(chosen)
            # Violations first, then the cost.
            assert environment.timetable.total.tolist() <= before
            assert reward == won
            ended = won or given_up


@pytest.mark.parametrize("action", range(len(ACTIONS)))
def test_no_operator_makes_a_timetable_worse_and_its_cost_is_counted(environment, action):
    before = environment.timetable.total.tolist()
    play(environment, 12, action)
    assert environment.timetable.total.tolist() < before
    found = evaluate(environment.best_solution())
    assert environment.best_total.tolist() == [found.violations, found.cost]


def test_all_operators_together_repair(environment):
    before = environment.best_total[0]
    play(environment, 150)
    assert environment.best_total[0] < before


def test_cp_sat_makes_a_timetable_without_violations_cheaper(problem):
    # As it was drawn: without violations, and far from the cheapest.
    instance, solution = generate_with_solution(25, 40, seed=2)
    assert instance == problem.original
    environment = problem.repair_environment(solution, 100.0, 4)
    environment.restart(np.random.SeedSequence(0))
    before = environment.best_total.tolist()
    assert before[0] == 0
    play(environment, 5, ACTIONS.index("exact"))
    found = evaluate(environment.best_solution())
    assert environment.best_total.tolist() == [found.violations, found.cost]
    assert [0, found.cost] < before


def test_what_was_saved_goes_on_the_same(environment, problem):
    play(environment, 5)
    other = problem.repair_environment(environment.best_solution(), 100.0, 4)
    other.load_state_dict(environment.state_dict())
    for one in (environment, other):
        play(one, 5)
    assert environment.best_total.tolist() == other.best_total.tolist()
    assert environment.best_solution() == other.best_solution()


def test_a_state_of_another_instance_is_refused(environment):
    state = environment.state_dict()
    state["row"] = np.zeros(3, np.int64)
    with pytest.raises(ValueError, match="row must be an option"):
        environment.load_state_dict(state)


def test_an_agent_for_something_else_is_refused(tmp_path):
    from schoolbell.stages import QLearner

    QLearner((2,), ("a", "b")).save(tmp_path / "agent.npz")
    with pytest.raises(FormatError, match="expected one of time, room"):
        load_repair_agent(tmp_path / "agent.npz")
    new_repair_agent().save(tmp_path / "mine.npz")
    assert load_repair_agent(tmp_path / "mine.npz").actions == ACTIONS
