"""Machine instructions on bit masks that Python has no word for."""

from typing import Any

from numba import types
from numba.extending import intrinsic


def _popcount(typingctx, x):
    if not isinstance(x, types.Integer):
        return None

    def codegen(context, builder, signature, args):
        count = builder.ctpop(args[0])
        return context.cast(builder, count, signature.args[0], types.int64)

    return types.int64(x), codegen


popcount: Any = intrinsic(_popcount)
"""Count the set bits of an integer."""
