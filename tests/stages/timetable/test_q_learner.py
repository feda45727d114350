import numpy as np
import pytest
from schoolbell.stages.timetable.q_learner import QLearner


def test_it_learns_which_action_pays_in_which_state() -> None:
    learner = QLearner((2,), 3)
    rng = np.random.default_rng(1)
    good = {0: 2, 1: 0}
    for _ in range(400):
        state = np.array([rng.integers(2)])
        action = learner.act(state, 0.3, rng)
        reward = 1.0 if action == good[int(state[0])] else -1.0
        learner.learn(state, action, reward, state, True)
    assert [learner.act(np.array([s]), 0.0, rng) for s in (0, 1)] == [2, 0]


def test_a_reward_is_worth_less_a_step_earlier() -> None:
    learner = QLearner((3,), 1, rate=0.5, discount=0.5)
    first, second, last = (np.array([i]) for i in range(3))
    for _ in range(60):
        learner.learn(first, 0, 0.0, second, False)
        learner.learn(second, 0, 1.0, last, True)
    assert learner.values[1, 0] == pytest.approx(1.0, abs=1e-6)
    assert learner.values[0, 0] == pytest.approx(0.5, abs=1e-6)


def test_what_it_knows_can_be_carried_over() -> None:
    learner = QLearner((2,), 2)
    learner.learn(np.array([1]), 1, 1.0, np.array([0]), True)
    other = QLearner((2,), 2)
    other.load_state_dict(learner.state_dict())
    np.testing.assert_array_equal(other.values, learner.values)
    assert other.visits.sum() == 1


def test_tables_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        QLearner((2,), 2).load_state_dict(QLearner((3,), 2).state_dict())
