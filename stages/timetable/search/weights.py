"""Which soft constraints a formulation has, told to the compiler by types.

A weight is an integer, or None where the formulation lacks the constraint.
None has a type of its own in numba, so a formulation compiles to code without
the constraints that it does not use: no test of a weight is left at run time.
"""

from numba import types
from numba.extending import overload


def enabled(weight: int | None) -> bool:
    """Tell whether the formulation has the constraint; a constant when compiled."""
    return weight is not None


@overload(enabled, inline="always")
def _enabled(weight):
    if isinstance(weight, types.NoneType):
        return lambda weight: False
    return lambda weight: True


def units(weight: int | None) -> int:
    """Return the weight, 0 for a constraint that the formulation lacks."""
    return 0 if weight is None else weight


@overload(units, inline="always")
def _units(weight):
    if isinstance(weight, types.NoneType):
        return lambda weight: 0
    return lambda weight: weight
