"""Warnings of what keeps a run safe, which must not end it."""

import sys
import warnings


def warn_carefully(message: str) -> None:
    """Give a RuntimeWarning; where warnings are errors, print it on ``sys.stderr``."""
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    except RuntimeWarning:
        print(f"RuntimeWarning: {message}", file=sys.stderr)
