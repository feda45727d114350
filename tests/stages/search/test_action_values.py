"""What kernels learn is what `QLearner` learns by itself."""

import numpy as np
from schoolbell.stages.repair.q_learner import QLearner
from schoolbell.stages.search.action_values import action_value, choose_action, learn_step
from schoolbell.stages.search.compiling import kernel_of

_action_value, _choose, _learn = map(kernel_of, (action_value, choose_action, learn_step))


class Draws:
    """Two numbers for a choice, as a random generator would draw them."""

    def __init__(self, *numbers: float) -> None:
        self.random = iter(numbers).__next__


def test_kernels_choose_and_learn_as_the_learner_does() -> None:
    rng = np.random.default_rng(1)
    tables = ((0, 1), (2,), (0, 1, 2))
    learner = QLearner((3, 4, 2), "abcd", tables, rate=0.3, temperature=0.4)
    twin = learner.copy()
    for _ in range(300):
        seen, following = (np.array([rng.integers(n) for n in (3, 4, 2)]) for _ in range(2))
        epsilon, first, second = rng.random(3)
        action = learner.act(seen, epsilon, Draws(first, second))
        assert action == _choose(twin.kernel_form, seen, epsilon, first, second)
        reward, ended = float(rng.random()), bool(rng.integers(2))
        learner.learn(seen, action, reward, following, ended)
        _learn(twin.kernel_form, twin.rate, seen, action, reward, following, ended)
        np.testing.assert_allclose(
            learner.value(seen, action), _action_value(twin.kernel_form, seen, action)
        )
    np.testing.assert_allclose(learner.state_dict()["values"], twin.state_dict()["values"])
