"""What the kernels of every problem share: how they are compiled and kept, and small tools."""

from ..needing import needing

with needing("the compiled search"):
    # Before any of its modules says it in other words.
    import numba  # noqa: F401
