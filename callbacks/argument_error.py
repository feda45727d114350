"""The error of an argument that makes no sense."""

import math
import reprlib
from typing import Any

_MOST_LETTERS = 80


class ArgumentError(ValueError, TypeError):
    """An argument is of no use: the message names it, what was given and what is expected.

    It is a `ValueError` and a `TypeError` alike, since whoever guards against a wrong
    argument need not know in which way it is wrong.
    """

    __module__ = "schoolbell.callbacks"

    @classmethod
    def of(cls, name: str, wanted: str, value: Any, advice: str = "") -> "ArgumentError":
        """Make one.

        Parameters
        ----------
        name, wanted, value
            The argument, what it must be in words, and what it is.
        advice
            What to do about it.
        """
        message = f"{name} must be {wanted}, got {described(value)}"
        return cls(f"{message}; {advice}" if advice else message)


def check_number(name: str, value: Any, least: float = -math.inf, wanted: str = "a number") -> None:
    """See that an argument is a number, no bool or NaN, and not below the least.

    Raises
    ------
    ArgumentError
        If it is not.
    """
    is_number = hasattr(value, "__float__") and not isinstance(value, bool)
    if not is_number or getattr(value, "shape", ()) != () or not value >= least:
        raise ArgumentError.of(name, wanted, value)


def described(value: Any) -> str:
    """Return a value as one short line for a message."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if callable(value) and hasattr(value, "__qualname__"):
        return f"the function {value.__qualname__}"
    brief = reprlib.Repr()
    brief.maxother = brief.maxstring = _MOST_LETTERS
    return " ".join(brief.repr(value).split())
