"""The xoshiro256** generator with its state in an array.

The state is ``uint64[4]`` and is passed to every kernel that draws, so that
threads share nothing and a run can be saved and repeated. Source: D. Blackman,
S. Vigna, *Scrambled linear pseudorandom number generators*, ACM TOMS 47, 2021.
"""

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from .compiling import inner


def random_state(seed: np.random.SeedSequence) -> NDArray[np.uint64]:
    """Make a generator's state, shape (4,), from a seed sequence."""
    return seed.generate_state(4, np.uint64).astype(np.uint64)


@inner
def _rotate(x, k):
    return (x << k) | (x >> (uint64(64) - k))


@inner
def step(s0, s1, s2, s3):
    """Return 64 random bits and the state after them; for loops that keep it out of memory."""
    result = _rotate(s1 * uint64(5), uint64(7)) * uint64(9)
    t = s1 << uint64(17)
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    return result, s0, s1, s2 ^ t, _rotate(s3, uint64(45))


@inner
def next_uint64(rng):
    """Draw 64 random bits."""
    result, rng[0], rng[1], rng[2], rng[3] = step(rng[0], rng[1], rng[2], rng[3])
    return result


@inner
def pick(bits, n):
    """Choose one of n, uint64, by the low 16 of some random bits; n at most a few thousand."""
    return ((bits & uint64(0xFFFF)) * n) >> uint64(16)


@inner
def uniform(rng):
    """Draw a float from [0, 1)."""
    return (next_uint64(rng) >> uint64(11)) * (1.0 / 9007199254740992.0)


@inner
def leads(value, least, ties, rng):
    """Tell whether a value takes the place of the least so far; equal ones draw lots.

    A search for the least of many keeps what belongs to the value where this is so. Each of
    the values that are least then has the same chance.

    Parameters
    ----------
    value
        The next value.
    least, ties
        The least so far, and how many there were of it; no matter what, and 0, at first.
    rng
        Drawn from for equal values alone.

    Returns
    -------
    tuple
        Whether it does, and the new `least` and `ties`.
    """
    if ties == 0 or value < least:
        return True, value, 1
    if value == least:
        return below(rng, ties + 1) == 0, least, ties + 1
    return False, least, ties


@inner
def below(rng, n):
    """Draw an integer from 0 to n - 1; n at most 2**32.

    The bias of multiplying instead of rejecting is under n / 2**32.
    """
    return np.int64(((next_uint64(rng) >> uint64(32)) * uint64(n)) >> uint64(32))
