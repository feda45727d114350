"""Which soft constraints a formulation has, told to the compiler by types.

A weight is an integer, or None where the formulation lacks the constraint.
None has a type of its own in numba, so a formulation compiles to code without
the constraints that it does not use: no test of a weight is left at run time.
"""

from typing import Any

from numba import types
from numba.extending import intrinsic


def _enabled(typingctx, weight):
    has_constraint = not isinstance(weight, types.NoneType)

    def codegen(context, builder, signature, args):
        return context.get_constant(types.boolean, has_constraint)

    return types.boolean(weight), codegen


def _units(typingctx, weight):
    def codegen(context, builder, signature, args):
        if isinstance(weight, types.NoneType):
            return context.get_constant(types.int64, 0)
        return context.cast(builder, args[0], weight, types.int64)

    return types.int64(weight), codegen


enabled: Any = intrinsic(_enabled)
"""Tell whether the formulation has the constraint; a constant when compiled."""

units: Any = intrinsic(_units)
"""Return the weight, 0 for a constraint that the formulation lacks."""

VIOLATIONS, COST = range(2)
"""Positions in a timetable's ``total``: violations in units, cost by the weights."""
