"""Warnings that cannot end what gives them."""

import sys
import warnings
from contextlib import suppress


def warn_safely(message: str, stacklevel: int = 1) -> None:
    """Warn as `warnings.warn` does, but raise in no case.

    Where warnings are made errors, as by ``python -W error``, the text goes to
    ``sys.stderr`` all the same: what a logger has to say of a full disk is no
    reason to lose its thread or a finished run.

    Parameters
    ----------
    message
        The text of the RuntimeWarning.
    stacklevel
        As for `warnings.warn`.
    """
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=stacklevel + 1)
    except Exception:
        # It was raised, or what shows warnings has failed.
        with suppress(Exception):
            caller = sys._getframe(stacklevel)
            name, line = caller.f_code.co_filename, caller.f_lineno
            text = warnings.formatwarning(message, RuntimeWarning, name, line, line="")
            if sys.stderr is not None:
                print(text, end="", file=sys.stderr, flush=True)
