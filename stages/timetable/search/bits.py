"""Machine instructions on bit masks that Python has no word for."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def popcount(typingctx, x):
    """Count the set bits of an integer."""
    if not isinstance(x, types.Integer):
        return None

    def codegen(context, builder, signature, args):
        count = builder.ctpop(args[0])
        return context.cast(builder, count, signature.args[0], types.int64)

    return types.int64(x), codegen


@intrinsic
def trailing_zeros(typingctx, x):
    """Count the zero bits below the lowest set bit; the width of x if x is 0."""
    if not isinstance(x, types.Integer):
        return None

    def codegen(context, builder, signature, args):
        count = builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))
        return context.cast(builder, count, signature.args[0], types.int64)

    return types.int64(x), codegen
