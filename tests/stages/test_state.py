"""What stages share."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from schoolbell.stages import State


@pytest.fixture
def state():
    with ThreadPoolExecutor(1) as executor:
        yield State("problem", seed=5, executor=executor)


def test_fewer_violations_are_better_and_then_a_lower_cost(state):
    assert state.offer("a", 10, 3)
    assert not state.offer("b", 5, 4)
    assert not state.offer("c", 10, 3)
    assert state.offer("d", 9, 3)
    assert state.offer("e", 100, 0)
    assert (state.solution, state.cost, state.violations, state.version) == ("e", 100, 0, 3)


def test_a_new_best_is_announced():
    heard = []
    with ThreadPoolExecutor(1) as executor:
        state = State(None, seed=0, executor=executor, announce=lambda: heard.append(state.cost))
        state.offer("a", 2, 0)
        state.offer("b", 3, 0)
    assert heard == [2]


def test_what_no_stage_has_left_is_named(state):
    state.clusters = 3
    assert state.clusters == 3
    with pytest.raises(AttributeError, match="no 'graph': no stage that ran before"):
        _ = state.graph


def test_streams_of_random_numbers_differ_by_seed_stage_and_key(state):
    def draw(seed_sequence):
        return np.random.default_rng(seed_sequence).integers(2**60)

    drawn = [
        draw(state.seed_sequence("ga")),
        draw(state.seed_sequence("rl")),
        draw(state.seed_sequence("ga", 1)),
        draw(state.seed_sequence("ga", 1, 2)),
        draw(State(None, seed=6, executor=state.executor).seed_sequence("ga")),
    ]
    assert len(set(drawn)) == len(drawn)
    assert draw(state.seed_sequence("ga")) == drawn[0]
