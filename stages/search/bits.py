"""Machine instructions on bit masks that Python has no word for."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _popcount(typingctx, x):
    if not isinstance(x, types.Integer):
        return None

    def codegen(context, builder, signature, args):
        count = builder.ctpop(args[0])
        return context.cast(builder, count, signature.args[0], types.int64)

    return types.int64(x), codegen


def _zeros(instruction):
    def count(typingctx, x):
        if not isinstance(x, types.Integer):
            return None

        def codegen(context, builder, signature, args):
            # The second operand: whether of 0 anything may be said.
            counted = getattr(builder, instruction)(args[0], ir.Constant(ir.IntType(1), 0))
            return context.cast(builder, counted, signature.args[0], types.int64)

        return types.int64(x), codegen

    return count


popcount: Any = intrinsic(_popcount)
"""Count the set bits of an integer."""

leading_zeros: Any = intrinsic(_zeros("ctlz"))
"""Count the bits above the highest set bit of an integer; all of them if none is set."""

trailing_zeros: Any = intrinsic(_zeros("cttz"))
"""Count the bits below the lowest set bit of an integer; all of them if none is set."""
