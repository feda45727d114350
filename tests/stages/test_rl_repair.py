"""Repair by reinforcement learning, driven without a runner."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from schoolbell.stages import Batch, Budget, RLRepair, State
from schoolbell.stages.timetable import Formulation, Instance, Solution, evaluate
from schoolbell.stages.timetable.search import build_search_problem


def make_state(instance: Instance, shuffle: int = 0) -> State:
    """A state with a timetable in which lectures stand anywhere."""
    state = State(instance, seed=1, executor=ThreadPoolExecutor(1), workers=1)
    state.instance = instance
    state.formulation = Formulation.UD2
    state.search = build_search_problem(instance, Formulation.UD2)
    rng = np.random.default_rng(shuffle)
    cells = rng.permutation(instance.n_periods * instance.n_rooms)[: instance.n_lectures]
    periods, rooms = np.divmod(cells.astype(np.int32), np.int32(instance.n_rooms))
    allowed = instance.available[instance.lecture_course, periods]
    solution = Solution.of_lectures(
        instance, np.where(allowed, periods, -1), np.where(allowed, rooms, -1)
    )
    evaluation = evaluate(solution, "UD2")
    state.offer(solution, evaluation.cost, evaluation.violations)
    return state


def run(stage: RLRepair, state: State, budget: Budget | None = None) -> list[Batch]:
    return [batch for batch in stage.run(state, budget or Budget()) if batch is not None]


def test_it_removes_violations_and_says_what_is_left(instance: Instance) -> None:
    state = make_state(instance)
    before = state.violations
    batches = run(RLRepair(), state)
    assert before is not None
    assert before > 5
    assert state.violations == 0
    evaluation = evaluate(state.solution, "UD2")
    assert (evaluation.violations, evaluation.cost) == (state.violations, state.cost)
    assert batches[-1].done <= 200
    assert all(set(batch.logs) == {"epsilon", "reward"} for batch in batches)


def test_epsilon_falls_to_its_end(instance: Instance) -> None:
    batches = run(RLRepair(episodes=40, epsilon=0.5, final_epsilon=0.1), make_state(instance))
    epsilons = [batch.logs["epsilon"] for batch in batches]
    assert epsilons == sorted(epsilons, reverse=True)
    assert epsilons[-1] == pytest.approx(0.1)


def test_no_episodes_leave_the_timetable_alone(instance: Instance) -> None:
    state = make_state(instance)
    solution = state.solution
    assert run(RLRepair(episodes=0), state) == []
    assert state.solution is solution


def test_episodes_are_three_for_each_lecture_in_conflict_at_most(instance: Instance) -> None:
    state = make_state(instance)
    run(RLRepair(), state)
    total = next(iter(run(RLRepair(batch_size=1), state))).total
    assert total is not None
    assert total <= min(200, 3 * instance.n_lectures)


def test_the_same_seed_gives_the_same_timetable(instance: Instance) -> None:
    found = []
    for _ in range(2):
        state = make_state(instance)
        run(RLRepair(), state)
        found.append(state.solution)
    assert found[0] == found[1]


class OnlyKempe:
    """An agent of somebody else's."""

    def __init__(self) -> None:
        self.learned = 0

    def act(self, observation: np.ndarray, epsilon: float, rng: np.random.Generator) -> int:
        assert observation.shape == (3,)
        return 2

    def learn(self, observation, action, reward, following, terminated) -> None:
        assert action == 2
        self.learned += 1


def test_another_agent_can_take_the_learners_place(instance: Instance) -> None:
    agent = OnlyKempe()
    run(RLRepair(episodes=10, agent=agent), make_state(instance))
    assert agent.learned >= 10


def test_a_spent_budget_ends_it(instance: Instance) -> None:
    assert run(RLRepair(), make_state(instance), Budget(0.0)) == []


@pytest.mark.parametrize(
    ("parameter", "value"), [("episodes", -1), ("batch_size", 0), ("steps", 0), ("epsilon", 2.0)]
)
def test_impossible_parameters_are_refused_by_name(parameter: str, value: float) -> None:
    with pytest.raises(ValueError, match=parameter):
        RLRepair(**{parameter: value})
