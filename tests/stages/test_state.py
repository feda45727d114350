"""What stages share."""

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction

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


NAN, INF = math.nan, math.inf


def best(state):
    return state.solution, state.cost, state.violations


def test_nan_is_never_better_than_a_number(state):
    assert state.offer("a", 5.0, 0)
    assert not state.offer("b", NAN, 0)
    assert not state.offer("c", 900.0, 0)
    assert best(state) == ("a", 5.0, 0)


def test_any_number_is_better_than_nan(state):
    assert state.offer("nothing better", NAN, 0)
    assert not state.offer("as bad", NAN, 0)
    assert state.offer("a number", INF, 7)
    assert not state.offer("without violations", NAN, 0)
    assert best(state) == ("a number", INF, 7)


def test_infinite_costs_have_their_order(state):
    assert state.offer("a", INF)
    assert state.offer("b", 10**300)
    assert state.offer("c", -INF)
    assert not state.offer("d", -(10**300))


def test_the_best_is_the_same_in_whatever_order_solutions_are_offered():
    offers = [(NAN, 0), (NAN, 2), (INF, 1), (5, 1), (-INF, 3), (4.5, 1)]
    for order in itertools.permutations(offers):
        with ThreadPoolExecutor(1) as executor:
            state = State(None, seed=0, executor=executor)
            for cost, violations in order:
                state.offer((cost, violations), cost, violations)
        assert state.solution == (4.5, 1)
        assert (state.cost, state.violations) == (4.5, 1)


@pytest.mark.parametrize(
    ("cost", "kept"),
    [
        (np.float32(1.5), 1.5),
        (np.int64(7), 7),
        (np.longdouble(0.25), 0.25),
        (np.array(2.5), 2.5),
        (np.array([1.5]), 1.5),
        (np.array([[3]]), 3),
        (Decimal("1.25"), 1.25),
        (Fraction(1, 4), 0.25),
        (True, 1),
        (np.bool_(False), 0),
        (2**60, 2**60),
    ],
)
def test_a_cost_becomes_a_number_of_pythons_own(state, cost, kept):
    assert state.offer("a", cost)
    assert (state.cost, state.violations) == (kept, 0)
    assert type(state.cost) in (int, float)


@pytest.mark.parametrize(
    "cost",
    [None, "5", b"5", 1j, np.complex64(1), [1.0], np.array([1, 2]), np.array([]), np.array(["5"]),
     np.timedelta64(5, "s"), Decimal("sNaN"), 10**400, Fraction(10**400, 3), object(),
     pytest.param(10**5000, id="5000 digits")],
)  # fmt: skip
def test_a_cost_that_is_no_real_number_is_refused_and_changes_nothing(state, cost):
    state.offer("a", 5)
    with pytest.raises((TypeError, ValueError), match=r"^cost must be "):
        state.offer("b", cost)
    assert best(state) == ("a", 5, 0)


@pytest.mark.parametrize(
    ("violations", "kept"),
    [(3.0, 3), (np.int8(3), 3), (np.float64(3), 3), (np.array([3]), 3), (Decimal(3), 3), (True, 1)],
)
def test_violations_become_a_whole_number(state, violations, kept):
    assert state.offer("a", 1, violations)
    assert state.violations == kept
    assert type(state.violations) is int


@pytest.mark.parametrize(
    "violations", [-1, 2.5, NAN, INF, None, "0", 1j, [0], np.array([0, 0]), 10**400, -0.5]
)
def test_violations_that_are_no_whole_number_are_refused(state, violations):
    state.offer("a", 5, 9)
    with pytest.raises((TypeError, ValueError), match=r"^violations must be "):
        state.offer("b", 1, violations)
    assert best(state) == ("a", 5, 9)


def test_nan_proves_nothing(state):
    state.prove(NAN)
    assert state.bound is None
    state.prove(np.float32(3))
    state.prove(NAN)
    assert (state.bound, type(state.bound)) == (3.0, float)
    with pytest.raises(TypeError, match=r"^bound must be a real number, got 'much'"):
        state.prove("much")


def test_a_copy_stays_as_it_was_offered(state):
    walk = {"places": [1, 2]}
    assert state.offer(walk, 5, copy=True)
    walk["places"].append(3)
    assert not state.offer(walk, 6, copy=True)
    assert state.solution == {"places": [1, 2]}
    assert state.offer(walk, 4)
    assert state.solution is walk


def test_a_copy_is_made_only_of_a_new_best(state):
    class Counted:
        copies = 0

        def __deepcopy__(self, memo):
            Counted.copies += 1
            return self

    for cost in (5, 6, 5, 4, 7):
        state.offer(Counted(), cost, copy=True)
    assert Counted.copies == 2


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
