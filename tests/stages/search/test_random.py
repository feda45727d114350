import numpy as np
from schoolbell.stages.search import random
from schoolbell.stages.search.compiling import kernel_of
from schoolbell.stages.search.random import random_state

next_uint64, uniform, below = map(kernel_of, (random.next_uint64, random.uniform, random.below))


def test_the_generator_gives_the_numbers_of_its_authors_reference_code() -> None:
    # State 1, 2, 3, 4, as in the examples published with other implementations.
    state = np.array([1, 2, 3, 4], np.uint64)
    drawn = [int(next_uint64(state)) for _ in range(4)]
    assert drawn == [11520, 0, 1509978240, 1215971899390074240]


def test_numbers_below_n_are_even_and_in_range() -> None:
    state = random_state(np.random.SeedSequence(5))
    counts = np.bincount([below(state, 7) for _ in range(14_000)], minlength=7)
    assert len(counts) == 7
    assert np.all(np.abs(counts - 2000) < 250)


def test_floats_fill_the_unit_interval() -> None:
    state = random_state(np.random.SeedSequence(6))
    drawn = np.array([uniform(state) for _ in range(5_000)])
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    assert abs(drawn.mean() - 0.5) < 0.02


def test_of_equal_least_values_each_has_the_same_chance() -> None:
    state = random_state(np.random.SeedSequence(7))
    leads = kernel_of(random.leads)
    chosen = []
    for _ in range(3_000):
        found, least, ties = -1, 0.0, 0
        for place, value in enumerate([3.0, 1.0, 2.0, 1.0, 5.0, 1.0]):
            led, least, ties = leads(value, least, ties, state)
            if led:
                found = place
        assert (least, ties) == (1.0, 3)
        chosen.append(found)
    counts = np.bincount(chosen, minlength=6)
    assert counts[[0, 2, 4]].tolist() == [0, 0, 0]
    assert np.all(np.abs(counts[[1, 3, 5]] - 1_000) < 150)


def test_lots_are_drawn_for_equal_values_alone() -> None:
    state = random_state(np.random.SeedSequence(8))
    before = state.copy()
    leads = kernel_of(random.leads)
    assert leads(5.0, 0.0, 0, state) == (True, 5.0, 1)
    assert leads(4.0, 5.0, 1, state) == (True, 4.0, 1)
    assert leads(6.0, 4.0, 1, state) == (False, 4.0, 1)
    assert np.array_equal(state, before)
    assert leads(4.0, 4.0, 1, state)[1:] == (4.0, 2)
    assert not np.array_equal(state, before)
