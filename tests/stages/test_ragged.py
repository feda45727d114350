"""Groups of several sizes in one array, beside plain loops."""

import numpy as np
import pytest
from schoolbell.stages.ragged import ranges, ranks, starts_of

SIZES = [[], [0], [3], [2, 0, 3], [0, 0, 1, 4, 0]]


@pytest.mark.parametrize("sizes", SIZES)
def test_the_members_of_groups_are_counted_as_by_a_loop(sizes):
    assert starts_of(sizes).tolist() == [sum(sizes[:k]) for k in range(len(sizes) + 1)]
    assert ranks(sizes).tolist() == [rank for size in sizes for rank in range(size)]
    firsts = np.arange(len(sizes)) * 10
    wanted = [first + k for first, size in zip(firsts, sizes, strict=True) for k in range(size)]
    assert ranges(firsts, sizes).tolist() == wanted


def test_unsigned_and_small_numbers_do_not_overflow():
    sizes = np.array([200, 200], np.uint8)
    assert starts_of(sizes).tolist() == [0, 200, 400]
    assert ranges(np.array([0, 5], np.uint16), sizes)[-1] == 204
