from pathlib import Path

import numpy as np
import pytest
from schoolbell.stages import FormatError
from schoolbell.stages.repair.q_learner import QLearner

TABLES = ((0,), (0, 1))


def at(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def test_it_learns_which_action_pays_in_which_state() -> None:
    learner = QLearner((2,), "abc", temperature=0.1)
    rng = np.random.default_rng(1)
    good = {0: 2, 1: 0}
    for _ in range(400):
        state = at(rng.integers(2))
        action = learner.act(state, 0.3, rng)
        reward = 1.0 if action == good[int(state[0])] else -1.0
        learner.learn(state, action, reward, state, True)
    chosen = [[learner.act(at(s), 0.0, rng) for _ in range(50)] for s in (0, 1)]
    assert [set(actions) for actions in chosen] == [{2}, {0}]


def test_a_reward_is_worth_less_a_step_earlier() -> None:
    learner = QLearner((3,), "a", rate=0.5, discount=0.5)
    for _ in range(60):
        learner.learn(at(0), 0, 0.0, at(1), False)
        learner.learn(at(1), 0, 1.0, at(2), True)
    assert learner.value(at(1), 0) == pytest.approx(1.0, abs=1e-6)
    assert learner.value(at(0), 0) == pytest.approx(0.5, abs=1e-6)


def test_better_actions_are_chosen_the_oftener_the_lower_the_temperature() -> None:
    rng = np.random.default_rng(3)
    shares = []
    for temperature in (0.01, 0.3, 1.0):
        learner = QLearner((1,), "ab", rate=1.0, temperature=temperature)
        learner.learn(at(0), 1, 0.3, at(0), True)
        shares.append(np.mean([learner.act(at(0), 0.0, rng) for _ in range(2000)]))
    assert shares[0] == 1.0
    assert shares[1] == pytest.approx(1 / (1 + np.exp(-1.0)), abs=0.04)
    assert shares[2] == pytest.approx(1 / (1 + np.exp(-0.3)), abs=0.04)


def test_what_was_learned_in_one_state_is_guessed_of_its_neighbours_in_a_table() -> None:
    learner = QLearner((2, 4), "ab", TABLES, rate=1.0)
    learner.learn(at(1, 2), 0, 1.0, at(0, 0), True)
    assert learner.value(at(1, 2), 0) == pytest.approx(1.0)
    assert learner.value(at(1, 3), 0) == pytest.approx(0.5)
    assert learner.value(at(0, 2), 0) == 0.0
    assert learner.value(at(1, 2), 1) == 0.0


def test_what_it_knows_can_be_carried_over() -> None:
    learner = QLearner((2,), "ab")
    learner.learn(at(1), 1, 1.0, at(0), True)
    other = QLearner((2,), "ab")
    other.load_state_dict(learner.state_dict())
    assert other.value(at(1), 1) == learner.value(at(1), 1) > 0


def test_tables_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        QLearner((2,), "ab").load_state_dict(QLearner((3,), "ab").state_dict())


def test_a_copy_learns_apart() -> None:
    learner = QLearner((2,), "ab")
    learner.copy().learn(at(1), 1, 1.0, at(0), True)
    assert learner.value(at(1), 1) == 0.0


@pytest.mark.parametrize("name", ["rate", "discount", "temperature"])
def test_impossible_settings_are_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        QLearner((2,), "ab", **{name: -1.0})


def test_a_saved_learner_comes_back_as_it_was(tmp_path: Path) -> None:
    learner = QLearner((2, 4), ("left", "right"), TABLES, 0.2, 0.8, 0.5)
    learner.learn(at(1, 2), 0, 1.0, at(0, 0), True)
    learner.save(tmp_path / "agent.npz")
    other = QLearner.load(tmp_path / "agent.npz")
    assert (other.sizes, other.actions, other.tables) == ((2, 4), ("left", "right"), TABLES)
    assert (other.rate, other.discount, other.temperature) == (0.2, 0.8, 0.5)
    np.testing.assert_array_equal(other.state_dict()["values"], learner.state_dict()["values"])


def test_the_same_learner_makes_the_same_file(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        QLearner((2,), "ab").save(tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_parts_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    learner = QLearner((2,), "ab")
    learner.sizes = (3,)
    learner.save(tmp_path / "agent.npz")
    with pytest.raises(FormatError, match="do not fit"):
        QLearner.load(tmp_path / "agent.npz")
