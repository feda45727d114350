import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray
from schoolbell.stages.search.record import Record
from schoolbell.stages.timetable.constraints.search.weights import enabled, units


@dataclass(frozen=True, eq=False)
class Box(Record):
    numbers: NDArray[np.int64]
    table: NDArray[np.int16]
    scale: float
    weight: int | None


@njit
def weigh(box):
    total = 0.0
    for row in range(box.table.shape[0]):
        for column in range(box.table.shape[1]):
            total += box.numbers[row] * box.table[row, column]
    if enabled(box.weight):
        total += units(box.weight) * 1000
    return total * box.scale


@njit
def fill_with(box, value):
    for i in range(len(box.numbers)):
        box.numbers[i] = value


def make_box(weight: int | None) -> Box:
    return Box(np.array([2, 3]), np.arange(6, dtype=np.int16).reshape(2, 3), 0.5, weight)


def test_a_kernel_reads_arrays_numbers_and_shapes() -> None:
    assert weigh(make_box(7)) == (2 * 3 + 3 * 12 + 7000) * 0.5


def test_a_constraint_without_weight_is_compiled_away() -> None:
    assert weigh(make_box(None)) == (2 * 3 + 3 * 12) * 0.5
    code = {str(types[0])[-8:]: text for types, text in weigh.inspect_llvm().items()}
    assert len(code) == 2


def test_what_a_kernel_writes_is_in_the_records_arrays() -> None:
    box = make_box(None)
    fill_with(box, 9)
    assert box.numbers.tolist() == [9, 9]


def test_a_copy_from_another_process_has_arrays_of_its_own() -> None:
    box = make_box(1)
    weigh(box)
    copy = pickle.loads(pickle.dumps(box))
    fill_with(copy, 0)
    assert box.numbers.tolist() == [2, 3]
    assert weigh(copy) == 500.0


def test_an_array_that_is_not_contiguous_is_refused() -> None:
    box = Box(np.arange(4)[::2], np.zeros((1, 1), np.int16), 1.0, None)
    with pytest.raises(ValueError, match="numbers must be C-contiguous"):
        weigh(box)
