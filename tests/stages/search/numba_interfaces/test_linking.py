"""Inner functions and the kernels that take them in."""

import numpy as np
import pytest
from numba import njit
from schoolbell.stages.search.compiling import inner, kernel_of
from schoolbell.stages.search.numba_interfaces.linking import (
    InnerLibrary,
    KernelCompiler,
    KernelLibrary,
)

# Not kept on disk: a kernel that comes from there has been linked before.
kernel = njit(nogil=True, pipeline_class=KernelCompiler)


@inner
def twice(x):
    return 2 * x


@inner
def twice_and_one(x):
    return twice(x) + 1


@kernel
def shared(x):
    return twice(x) * 10


@inner
def by_two_ways(x):
    return shared(x) + twice_and_one(x)


@kernel
def entry(numbers):
    # `twice` is needed directly, by an inner function, and by a kernel: each time later.
    for i in range(len(numbers)):
        numbers[i] = by_two_ways(numbers[i]) + twice(numbers[i])


def libraries(function):
    return [compiled.library for compiled in function.overloads.values()]


def test_a_kernel_has_all_that_it_calls_by_whatever_way() -> None:
    numbers = np.array([0, 1, 5])
    entry(numbers)
    assert numbers.tolist() == [1, 25, 121]
    assert shared(4) == 80


def test_only_kernels_become_machine_code() -> None:
    entry(np.array([0]))
    assert [type(library) for library in libraries(entry)] == [KernelLibrary]
    assert [type(library) for library in libraries(twice_and_one)] == [InnerLibrary]


def test_an_inner_function_called_by_python_says_how_to() -> None:
    entry(np.array([0]))
    with pytest.raises(TypeError, match=r"kernel_of\(twice\) is for Python"):
        twice(3)
    assert kernel_of(twice)(3) == 6


def test_a_kernel_of_an_inner_function_leaves_that_to_kernels() -> None:
    alone = kernel_of(twice_and_one)
    assert alone(20) == 41
    with pytest.raises(TypeError, match="is for kernels to call"):
        twice_and_one(20)
