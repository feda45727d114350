"""Warnings of what keeps a run safe, which must not end it."""

import warnings

from ..callbacks.terminal import announce


def warn_carefully(message: str) -> None:
    """Give a RuntimeWarning; where warnings are errors, print it on ``sys.stderr``."""
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    except RuntimeWarning:
        announce(f"RuntimeWarning: {message}")
